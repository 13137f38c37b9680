// The bar above every page that is not a canvas: the current place, and the current user.

import type { ReactNode } from 'react'
import type { MeResponse } from '../../shared/api.ts'
import { Bell } from '../comments/bell.tsx'
import { Link, navigate } from '../router.tsx'
import { accountTexts as texts } from '../texts/account.ts'
import { appTexts } from '../texts/app.ts'
import { AccountMenu } from './account-menu.tsx'
import { Icon, Mark } from './icons.tsx'
import type { MenuItem } from './menu.tsx'

export const TopBar = ({ me, children }: { me: MeResponse | null; children?: ReactNode }) => {
  const isAdmin = me?.role === 'admin' || me?.role === 'sysadmin'
  const items: MenuItem[] = [
    ...(me?.kind === 'user'
      ? [
          { label: texts.account, icon: <Icon name="people" />, onSelect: () => navigate('/account') },
          { label: texts.agents, icon: <Icon name="list" />, onSelect: () => navigate('/agents') },
        ]
      : []),
    ...(me === null
      ? []
      : [{ label: texts.consent, icon: <Icon name="list" />, onSelect: () => navigate('/consent') }]),
    ...(isAdmin
      ? [
          { label: texts.administration, icon: <Icon name="list" />, onSelect: () => navigate('/admin') },
          { label: texts.audit, icon: <Icon name="list" />, onSelect: () => navigate('/audit') },
        ]
      : []),
  ]
  const isKnown = me?.kind === 'user' || me?.kind === 'guest'
  return (
    <header className="top-bar">
      <Link href="/" className="brand" aria-label={appTexts.home}>
        <Mark /> <span>{appTexts.brand}</span>
      </Link>
      <div className="top-bar-middle">{children}</div>
      {isKnown && me.two_factor !== 'required' && <Bell isAdmin={isAdmin} />}
      {isKnown && <AccountMenu me={me} items={items} />}
    </header>
  )
}

export { initials } from './initials.ts'
