// When a share link expires: preset times, or a date.
import { useState } from 'react'
import { linkTexts as texts } from '../texts/sharing.ts'

const hourMs = 3_600_000
const lasting: Record<string, number> = {
  hour: hourMs,
  day: 24 * hourMs,
  week: 168 * hourMs,
  month: 720 * hourMs,
}

/** @param keeps there is an expiry already, which may be kept. */
export const ExpiryFields = ({ keeps = false }: { keeps?: boolean }) => {
  const [chosen, setChosen] = useState(keeps ? 'kept' : '')
  return (
    <label className="field">
      {texts.expires}
      <select name="expiry" value={chosen} onChange={(event) => setChosen(event.target.value)}>
        {keeps && <option value="kept">{texts.kept}</option>}
        {Object.entries(texts.presets).map(([key, label]) => (
          <option key={key} value={key}>
            {label}
          </option>
        ))}
      </select>
      {chosen === 'at' && <input name="expires_at" type="datetime-local" required aria-label={texts.date} />}
    </label>
  )
}

/** @returns the time in the API's format; null: never; undefined: unchanged. */
export const expiryOf = (fields: FormData): string | null | undefined => {
  const chosen = String(fields.get('expiry') ?? '')
  if (chosen === 'kept') return undefined
  const lasts = lasting[chosen]
  if (lasts !== undefined) return new Date(Date.now() + lasts).toISOString()
  const at = String(fields.get('expires_at') ?? '')
  return chosen === 'at' && at !== '' ? new Date(at).toISOString() : null
}
