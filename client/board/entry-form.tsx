// The questions for a guest before the board opens.

import { appTexts } from '../texts/app.ts'
import { guestTexts as texts } from '../texts/entry.ts'
import { Mark } from '../ui/icons.tsx'
import type { Entry } from './entry.ts'

interface EntryFormProps {
  entry: Extract<Entry, { name: 'asking' }>
  onSubmit: (given: { name?: string; password?: string }) => void
}

export const EntryForm = ({ entry, onSubmit }: EntryFormProps) => (
  <main className="centered">
    <form
      className="card entry"
      onSubmit={(event) => {
        event.preventDefault()
        const fields = new FormData(event.currentTarget)
        const name = String(fields.get('name') ?? '').trim()
        const password = String(fields.get('password') ?? '')
        onSubmit({ ...(name === '' ? {} : { name }), ...(password === '' ? {} : { password }) })
      }}
    >
      <p className="brand">
        <Mark /> {appTexts.brand}
      </p>
      <h1>{texts.title}</h1>
      <p className="lead">{entry.needsName ? texts.nameLead : texts.passwordLead}</p>
      {entry.needsName && (
        <label className="field">
          {texts.name}
          {/* biome-ignore lint/a11y/noAutofocus: the page has this one purpose */}
          <input name="name" autoComplete="name" maxLength={100} required autoFocus />
        </label>
      )}
      {entry.needsPassword && (
        <label className="field">
          {texts.password}
          {/* biome-ignore lint/a11y/noAutofocus: it was asked for just now */}
          <input name="password" type="password" autoComplete="off" maxLength={200} required autoFocus />
        </label>
      )}
      {entry.problem !== null && (
        <p className="problem" role="alert">
          {entry.problem}
        </p>
      )}
      <button type="submit" className="primary wide" disabled={entry.isBusy}>
        {texts.open}
      </button>
    </form>
  </main>
)
