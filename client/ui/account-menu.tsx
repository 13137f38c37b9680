// The current user, on every page: name, password, theme, signing out. Guests can change their name and leave.
import { lazy, Suspense, useState } from 'react'
import type { MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { forgetDevice } from '../board/device.ts'
import { navigate } from '../router.tsx'
import { accountTexts as texts } from '../texts/account.ts'
import { setTheme, useTheme } from '../theme.ts'
import { Dialog, Prompt } from './dialog.tsx'
import { Icon } from './icons.tsx'
import { initials } from './initials.ts'
import { Menu, type MenuItem } from './menu.tsx'
import { showProblem, showToast } from './toast.tsx'

const PasswordForm = lazy(() =>
  import('./password-form.tsx').then((module) => ({ default: module.PasswordForm })),
)

interface AccountMenuProps {
  me: MeResponse
  onRenamed?: (me: MeResponse) => void
  /** Between the password and signing out. */
  items?: readonly MenuItem[]
}

export const AccountMenu = ({ me, onRenamed, items = [] }: AccountMenuProps) => {
  const theme = useTheme()
  const [asking, setAsking] = useState<'name' | 'password' | null>(null)
  const [name, setName] = useState(me.name ?? '?')
  const isUser = me.kind === 'user'

  const leave = () => {
    forgetDevice()
      .then(api.signOut)
      // The page is unloaded completely: nothing of one person is left for the next on this device.
      .then((redirect) => {
        if (redirect !== null) window.location.assign(redirect)
        else if (isUser) navigate('/sign-in')
        else window.location.assign('/')
      }, showProblem)
  }
  const rename = (next: string) => {
    setAsking(null)
    import('../people-api.ts')
      .then((people) => people.rename(next))
      .then((renamed) => {
        setName(renamed.name ?? next)
        onRenamed?.(renamed)
        showToast(texts.renamed)
      }, showProblem)
  }

  const all: MenuItem[] = [
    { label: texts.name, icon: <Icon name="people" />, onSelect: () => setAsking('name') },
    ...(isUser
      ? [{ label: texts.password, icon: <Icon name="check" />, onSelect: () => setAsking('password') }]
      : []),
    {
      label: theme === 'dark' ? texts.light : texts.dark,
      icon: <Icon name={theme === 'dark' ? 'sun' : 'moon'} />,
      onSelect: () => setTheme(theme === 'dark' ? 'light' : 'dark'),
    },
    ...items,
    { label: isUser ? texts.signOut : texts.leave, icon: <Icon name="out" />, onSelect: leave },
  ]

  return (
    <>
      <Menu label={texts.menu(name)} className="avatar" items={all}>
        {/* Drawn by the style sheet: the button is called by the whole name. */}
        <span data-initials={initials(name)} />
      </Menu>
      {asking === 'name' && (
        <Prompt
          title={texts.name}
          label={texts.nameLabel}
          value={name}
          action={texts.save}
          onClose={() => setAsking(null)}
          onDone={rename}
        />
      )}
      {asking === 'password' && (
        <Dialog title={texts.password} onClose={() => setAsking(null)}>
          <Suspense fallback={null}>
            <PasswordForm onDone={() => setAsking(null)} />
          </Suspense>
        </Dialog>
      )}
    </>
  )
}
