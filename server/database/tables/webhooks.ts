// Webhooks: events that wait and their deliveries.
import type { ColumnType, Generated } from 'kysely'
import type { MaybeTime, Stamp } from './columns.ts'

export interface WebhooksTable {
  id: Generated<string>
  url: string
  description: Generated<string>
  events: string[]
  issuer: string | null
  /** Enciphered. @see server/webhooks/secrets.ts */
  secret: Buffer
  former_secret: Buffer | null
  former_until: MaybeTime
  created_by: number | null
  created_at: Stamp
  /** Whose right it stands on: who changed it last, with which service key. */
  keeper_id: number | null
  key_id: string | null
  is_by_key: Generated<boolean>
  failing_since: MaybeTime
  disabled_at: MaybeTime
  disabled_reason: string | null
}

/** Written by triggers alone. */
export interface WebhookEventsTable {
  id: Generated<string>
  type: string
  board_id: string | null
  data: ColumnType<Record<string, unknown>, Record<string, unknown>, never>
  created_at: Stamp
}

export interface WebhookDeliveriesTable {
  /** A bigint, as text. */
  id: ColumnType<string, never, never>
  webhook_id: string
  event_id: string
  state: Generated<'pending' | 'delivered' | 'failed'>
  attempts: Generated<number>
  next_attempt_at: Stamp
  last_attempt_at: MaybeTime
  last_status: number | null
  last_error: string | null
  last_answer: string | null
  delivered_at: MaybeTime
}
