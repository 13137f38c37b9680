// Who one is, on every page: own name, password, theme, signing out. Guests can change their name and leave.
import { type FormEvent, useState } from 'react'
import type { MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { forgetDevice } from '../board/device.ts'
import { navigate } from '../router.tsx'
import { accountTexts as texts } from '../texts/sharing.ts'
import { setTheme, useTheme } from '../theme.ts'
import { Dialog, Prompt } from './dialog.tsx'
import { Icon } from './icons.tsx'
import { initials } from './initials.ts'
import { Menu, type MenuItem } from './menu.tsx'
import { showProblem, showToast } from './toast.tsx'

interface AccountMenuProps {
  me: MeResponse
  onRenamed?: (me: MeResponse) => void
  /** Between the password and the way out. */
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
      // Everything of the page goes: nothing of one person stays for the next at this device.
      .then(() => (isUser ? navigate('/sign-in') : window.location.assign('/')), showProblem)
  }
  const rename = (next: string) => {
    setAsking(null)
    api.rename(next).then((renamed) => {
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
        {initials(name)}
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
      {asking === 'password' && <PasswordDialog onClose={() => setAsking(null)} />}
    </>
  )
}

const PasswordDialog = ({ onClose }: { onClose: () => void }) => {
  const [problem, setProblem] = useState<string | null>(null)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const field = (name: string) => String(fields.get(name) ?? '')
    if (field('next') !== field('again')) {
      setProblem(texts.different)
      return
    }
    setProblem(null)
    api.changePassword({ currentPassword: field('current'), newPassword: field('next') }).then(
      () => {
        showToast(texts.passwordChanged)
        onClose()
      },
      (error: Error) => setProblem(error.message),
    )
  }
  return (
    <Dialog title={texts.password} onClose={onClose}>
      <form onSubmit={submit}>
        <label className="field">
          {texts.current}
          <input name="current" type="password" autoComplete="current-password" required data-first />
        </label>
        <label className="field">
          {texts.next}
          <input
            name="next"
            type="password"
            autoComplete="new-password"
            minLength={8}
            maxLength={128}
            required
          />
          <span className="hint">{texts.hint}</span>
        </label>
        <label className="field">
          {texts.again}
          <input
            name="again"
            type="password"
            autoComplete="new-password"
            minLength={8}
            maxLength={128}
            required
          />
        </label>
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="actions end">
          <button type="submit" className="primary">
            {texts.save}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
