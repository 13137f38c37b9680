// Pages with a single form: signing in, an invitation, a new password.

import { type FormEvent, type ReactNode, useState } from 'react'
import { appTexts } from '../texts/app.ts'
import { formTexts } from '../texts/entry.ts'
import { Mark } from './icons.tsx'

interface EntryProps {
  title: string
  lead?: string
  action: string
  /** Receives the fields by name. Throws the error to show. */
  onSubmit: (field: (name: string) => string) => Promise<void>
  children: ReactNode
  footer?: ReactNode
  /** Shown above the fields. */
  before?: ReactNode
  /** What went wrong before the page was opened. */
  opening?: string | null
}

export const Entry = ({
  title,
  lead,
  action,
  onSubmit,
  children,
  footer,
  before,
  opening = null,
}: EntryProps) => {
  const [problem, setProblem] = useState<string | null>(opening)
  const [isBusy, setBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    setBusy(true)
    setProblem(null)
    try {
      await onSubmit((name) => String(fields.get(name) ?? ''))
    } catch (error) {
      setProblem(error instanceof Error ? error.message : formTexts.failed)
    }
    setBusy(false)
  }
  return (
    <main className="centered">
      <form className="card entry" onSubmit={submit}>
        <p className="brand">
          <Mark /> {appTexts.brand}
        </p>
        <h1>{title}</h1>
        {lead !== undefined && <p className="lead">{lead}</p>}
        {before}
        {children}
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" className="primary wide" disabled={isBusy}>
          {action}
        </button>
        {footer}
      </form>
    </main>
  )
}

export const NewPassword = ({ label }: { label: string }) => (
  <label className="field">
    {label}
    <input
      name="password"
      type="password"
      autoComplete="new-password"
      minLength={8}
      maxLength={128}
      required
    />
    <span className="hint">{formTexts.passwordHint}</span>
  </label>
)
