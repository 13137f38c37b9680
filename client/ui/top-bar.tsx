// The line over every page that is not a canvas: where one is, and who one is.
import type { ReactNode } from 'react'
import type { MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { forgetDevice } from '../board/device.ts'
import { Bell } from '../comments/bell.tsx'
import { Link, navigate } from '../router.tsx'
import { setTheme, useTheme } from '../theme.ts'
import { Icon, Mark } from './icons.tsx'
import { Menu, type MenuItem } from './menu.tsx'
import { showProblem } from './toast.tsx'

export const initials = (name: string): string =>
  name
    .split(/\s+/)
    .map((part) => [...part][0] ?? '')
    .slice(0, 2)
    .join('')
    .toUpperCase()

export const TopBar = ({ me, children }: { me: MeResponse | null; children?: ReactNode }) => {
  const theme = useTheme()
  const isAdmin = me?.role === 'admin' || me?.role === 'sysadmin'
  const items: MenuItem[] = [
    {
      label: theme === 'dark' ? 'Light theme' : 'Dark theme',
      icon: <Icon name={theme === 'dark' ? 'sun' : 'moon'} />,
      onSelect: () => setTheme(theme === 'dark' ? 'light' : 'dark'),
    },
    ...(me?.kind === 'user'
      ? [{ label: 'Agents', icon: <Icon name="list" />, onSelect: () => navigate('/agents') }]
      : []),
    ...(me === null
      ? []
      : [{ label: 'Consent and my data', icon: <Icon name="list" />, onSelect: () => navigate('/consent') }]),
    ...(isAdmin
      ? [{ label: 'Audit trail', icon: <Icon name="list" />, onSelect: () => navigate('/audit') }]
      : []),
    {
      label: me?.kind === 'guest' ? 'Leave' : 'Sign out',
      icon: <Icon name="out" />,
      onSelect: () => {
        forgetDevice()
          .then(api.signOut)
          .then(() => navigate('/sign-in'), showProblem)
      },
    },
  ]
  return (
    <header className="top-bar">
      <Link href="/" className="brand">
        <Mark /> <span>Boardroom</span>
      </Link>
      <div className="top-bar-middle">{children}</div>
      {(me?.kind === 'user' || me?.kind === 'guest') && <Bell />}
      {(me?.kind === 'user' || me?.kind === 'guest') && (
        <Menu label={`${me.name ?? 'You'}: account`} className="avatar" items={items}>
          {initials(me.name ?? '?')}
        </Menu>
      )}
    </header>
  )
}
