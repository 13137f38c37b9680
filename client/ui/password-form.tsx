// Changing one's own password: the form of the account page and of the menu.
import { type FormEvent, useState } from 'react'
import { changePassword } from '../people-api.ts'
import { accountTexts as texts } from '../texts/account.ts'
import { showToast } from './toast.tsx'

export const PasswordForm = ({ onDone }: { onDone?: () => void }) => {
  const [problem, setProblem] = useState<string | null>(null)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const fields = new FormData(form)
    const field = (name: string) => String(fields.get(name) ?? '')
    if (field('next') !== field('again')) {
      setProblem(texts.different)
      return
    }
    setProblem(null)
    changePassword(field('current'), field('next')).then(
      () => {
        showToast(texts.passwordChanged)
        form.reset()
        onDone?.()
      },
      (error: Error) => setProblem(error.message),
    )
  }
  return (
    <form onSubmit={submit}>
      <label className="field">
        {texts.current}
        <input name="current" type="password" autoComplete="current-password" required data-first />
      </label>
      {(['next', 'again'] as const).map((name) => (
        <label className="field" key={name}>
          {texts[name]}
          <input
            name={name}
            type="password"
            autoComplete="new-password"
            minLength={8}
            maxLength={128}
            required
          />
          {name === 'next' && <span className="hint">{texts.hint}</span>}
        </label>
      ))}
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="actions end">
        <button type="submit" className="primary">
          {texts.password}
        </button>
      </div>
    </form>
  )
}
