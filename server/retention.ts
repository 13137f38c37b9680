// Retention periods in days by category: the defaults, and the setting that changes them.
import { z } from 'zod'

/** Days from the moment that the category counts from; null: for ever. */
export type RetentionDays = number | null

/** @see server/privacy/retention.ts for what each category contains. */
export const defaultRetention = {
  sessions: 0,
  guests: 30,
  tokens: 30,
  webhooks: 30,
  agent_edits: 30,
  versions: null,
  trash: null,
  notifications: null,
  access_requests: null,
} satisfies Record<string, RetentionDays>

export type RetentionCategory = keyof typeof defaultRetention
export type Retention = Readonly<Record<RetentionCategory, RetentionDays>>

export const retentionCategories = Object.keys(defaultRetention) as RetentionCategory[] // keys of a literal

const mostDays = 36_500
const form = /^([a-z_]+)=(?:(\d{1,5})d|(for-ever))$/

/** `trash=90d,notifications=365d,webhooks=for-ever`: overrides the defaults. */
export const retentionSetting = z
  .string()
  .default('')
  .transform((text, context): Retention => {
    const told: Record<string, RetentionDays> = {}
    for (const part of text.split(',').map((part) => part.trim())) {
      if (part === '') continue
      const [, name = '', days] = form.exec(part) ?? []
      if (!Object.hasOwn(defaultRetention, name) || Number(days ?? 0) > mostDays) {
        context.addIssue({
          code: 'custom',
          message: `expected category=DAYSd or category=for-ever, comma-separated, got ${part}; categories are ${retentionCategories.join(', ')}`,
        })
        return z.NEVER
      }
      told[name] = days === undefined ? null : Number(days)
    }
    return { ...defaultRetention, ...told }
  })
