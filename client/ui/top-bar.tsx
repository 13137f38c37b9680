// The line over every page that is not a canvas: where one is, and who one is.
import type { ReactNode } from 'react'
import type { MeResponse } from '../../shared/api.ts'
import { Bell } from '../comments/bell.tsx'
import { Link, navigate } from '../router.tsx'
import { accountTexts } from '../texts/sharing.ts'
import { AccountMenu } from './account-menu.tsx'
import { Icon, Mark } from './icons.tsx'
import type { MenuItem } from './menu.tsx'

export const TopBar = ({ me, children }: { me: MeResponse | null; children?: ReactNode }) => {
  const isAdmin = me?.role === 'admin' || me?.role === 'sysadmin'
  const items: MenuItem[] = [
    ...(me?.kind === 'user'
      ? [
          { label: 'Your account', icon: <Icon name="people" />, onSelect: () => navigate('/account') },
          { label: 'Agents', icon: <Icon name="list" />, onSelect: () => navigate('/agents') },
        ]
      : []),
    ...(me === null
      ? []
      : [{ label: 'Consent and my data', icon: <Icon name="list" />, onSelect: () => navigate('/consent') }]),
    ...(isAdmin
      ? [
          { label: 'Administration', icon: <Icon name="list" />, onSelect: () => navigate('/admin') },
          { label: accountTexts.audit, icon: <Icon name="list" />, onSelect: () => navigate('/audit') },
        ]
      : []),
  ]
  const isKnown = me?.kind === 'user' || me?.kind === 'guest'
  return (
    <header className="top-bar">
      <Link href="/" className="brand">
        <Mark /> <span>Boardroom</span>
      </Link>
      <div className="top-bar-middle">{children}</div>
      {isKnown && me.two_factor !== 'required' && <Bell isAdmin={isAdmin} />}
      {isKnown && <AccountMenu me={me} items={items} />}
    </header>
  )
}

export { initials } from './initials.ts'
