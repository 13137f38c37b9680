// Webhooks over HTTP.
import { z } from 'zod'
import { webhookEventTypes } from '../applications.ts'
import { cursor, limit, strict, Timestamp, text, UserId, Uuid } from './fields.ts'

export { webhookEventTypes } from '../applications.ts'
export type WebhookEventType = (typeof webhookEventTypes)[number]

const nouns = [...new Set(webhookEventTypes.map((type) => type.replace(/\..*/, '')))]

/** One event type, all of one noun (`board.*`), or everything (`*`). */
export const WebhookEvents = z
  .array(z.enum(['*', ...nouns.map((noun) => `${noun}.*`), ...webhookEventTypes]))
  .min(1)
  .max(50)

const WebhookUrl = text(2000)
  .refine(
    (value) => URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol),
    'expected an address like https://app.example/boardroom',
  )
  .refine(
    (value) => !URL.canParse(value) || (new URL(value).username === '' && new URL(value).password === ''),
    'must hold no user name and no password: deliveries are signed',
  )

export const WebhookCreate = strict({
  url: WebhookUrl,
  events: WebhookEvents,
  description: text(200).optional(),
}).meta({ id: 'WebhookCreate' })
export type WebhookCreate = z.infer<typeof WebhookCreate>

export const WebhookUpdate = strict({
  url: WebhookUrl.optional(),
  events: WebhookEvents.optional(),
  description: text(200).optional(),
  enabled: z
    .boolean()
    .optional()
    .describe('false stops it; true starts it again, with what had not been delivered'),
})
  .refine(
    (body) => Object.keys(body).length > 0,
    'expected at least one of url, events, description, enabled',
  )
  .meta({ id: 'WebhookUpdate' })
export type WebhookUpdate = z.infer<typeof WebhookUpdate>

export const WebhookRotate = strict({
  overlap_seconds: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(86_400)
    .describe('how long deliveries are signed with both secrets; a day by default'),
}).meta({ id: 'WebhookRotate' })

export const WebhookResponse = z
  .object({
    id: Uuid,
    url: z.string(),
    description: z.string(),
    events: z.array(z.string()),
    issuer: z.string().nullable().describe('set: only boards of this issuer’s people and keys'),
    secret: z.string().nullable().describe('`whsec_…`, only in the answers to creation and rotation'),
    state: z.enum(['active', 'failing', 'disabled']),
    failing_since: Timestamp.nullable().describe('the first failure since the last success'),
    disabled_at: Timestamp.nullable(),
    disabled_reason: z.string().nullable(),
    pending: z.int().describe('deliveries that wait or are tried again; 1000 means 1000 or more'),
    created_at: Timestamp,
    created_by: UserId.nullable(),
  })
  .meta({ id: 'WebhookResponse' })
export type WebhookResponse = z.infer<typeof WebhookResponse>

export const WebhookDeliveryResponse = z
  .object({
    id: z.string(),
    event_id: z.string().describe('`msg_…`: the header webhook-id, the same at each attempt'),
    type: z.string(),
    board_id: Uuid.nullable(),
    state: z.enum(['pending', 'delivered', 'failed']),
    attempts: z.int(),
    created_at: Timestamp,
    last_attempt_at: Timestamp.nullable(),
    next_attempt_at: Timestamp.nullable(),
    delivered_at: Timestamp.nullable(),
    last_status: z.int().nullable().describe('the HTTP status of the last answer'),
    last_error: z.string().nullable(),
    last_answer: z.string().nullable().describe('how the last answer began'),
  })
  .meta({ id: 'WebhookDeliveryResponse' })
export type WebhookDeliveryResponse = z.infer<typeof WebhookDeliveryResponse>

export const WebhookDeliveryQuery = strict({
  state: z.enum(['pending', 'delivered', 'failed']).optional(),
  limit: limit(200),
  cursor,
})
