// Webhooks and their deliveries. An administrator's webhook receives all events; a service key's those on the boards of
// its issuer.

import { z } from 'zod'
import type {
  WebhookCreate,
  WebhookDeliveryResponse,
  WebhookResponse,
  WebhookUpdate,
} from '../../shared/api/webhooks.ts'
import { stoppedByHand } from '../../shared/applications.ts'
import { rotatedAlready } from '../accounts/service-keys/service-keys.ts'
import { transactionAs } from '../audit/actor.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import type { Outgoing } from './outgoing.ts'
import {
  changeSecret,
  changeWebhook,
  countWebhooks,
  type DeliveryRow,
  deleteSomeDeliveries,
  deleteWebhook,
  deliveriesOf,
  type Holder,
  hurryDeliveries,
  insertWebhook,
  queueTest,
  retryDelivery,
  setDisabled,
  type WebhookRow,
  webhookById,
  webhooksOf,
} from './queries.ts'
import { encipher, newWebhookSecret } from './secrets.ts'
import { messageIdOf } from './sender.ts'

export interface WebhooksDeps {
  db: Db
  outgoing: Pick<Outgoing, 'refusalOf'>
  key: Buffer
}

/** The most webhooks of one issuer's keys, and of all administrators together. */
const mostWebhooks = 100
const deletedAtOnce = 2000

/** The only time that its secret is returned. @throws BoardroomError invalid_request (a private address) | conflict (too many) */
export async function createWebhook(
  { db, outgoing, key }: WebhooksDeps,
  actor: Actor,
  holder: Holder,
  body: WebhookCreate,
): Promise<WebhookResponse> {
  refuseUnreachable(outgoing, body.url)
  const secret = newWebhookSecret()
  const issuer = holder.issuer ?? null
  const id = await transactionAs(db, actor, async (trx) => {
    if ((await countWebhooks(trx, issuer)) >= mostWebhooks) {
      const whose = issuer === null ? 'administrators' : `keys of ${issuer}`
      throw new BoardroomError(
        'conflict',
        `${whose} may have at most ${mostWebhooks} webhooks; delete some`,
        {
          details: { limit: 'webhooks' },
        },
      )
    }
    return insertWebhook(trx, {
      url: body.url,
      events: [...new Set(body.events)],
      description: body.description ?? '',
      issuer,
      secret: encipher(key, secret),
      created_by: actor.userId,
      ...keeping(holder),
    })
  })
  return webhookResponse(await existing(db, holder, id), secret)
}

export const listWebhooks = async (db: Db, holder: Holder): Promise<WebhookResponse[]> =>
  (await webhooksOf(db, holder)).map((row) => webhookResponse(row, null))

/** @throws BoardroomError not_found */
export const readWebhook = async (db: Db, holder: Holder, id: string): Promise<WebhookResponse> =>
  webhookResponse(await existing(db, holder, id), null)

/** @throws BoardroomError not_found | invalid_request (a private address) */
export async function updateWebhook(
  { db, outgoing }: WebhooksDeps,
  actor: Actor,
  holder: Holder,
  id: string,
  { enabled, ...change }: WebhookUpdate,
): Promise<WebhookResponse> {
  if (change.url !== undefined) refuseUnreachable(outgoing, change.url)
  const before = await existing(db, holder, id)
  const starts = enabled === true && (before.disabled_at !== null || !before.stands)
  const stops = enabled === false && before.disabled_at === null
  await transactionAs(db, actor, async (trx) => {
    await changeWebhook(trx, id, {
      ...(change.url === undefined ? {} : { url: change.url }),
      ...(change.events === undefined ? {} : { events: [...new Set(change.events)] }),
      ...(change.description === undefined ? {} : { description: change.description }),
      ...(starts ? { disabled_at: null, disabled_reason: null, failing_since: null } : {}),
      ...(stops ? { disabled_at: new Date(), disabled_reason: stoppedByHand } : {}),
      ...keeping(holder),
    })
    if (starts) await hurryDeliveries(trx, id)
  })
  return readWebhook(db, holder, id)
}

/** Returns a new secret; deliveries are signed with both for a while. @throws BoardroomError not_found | conflict (rotated already) */
export async function rotateWebhook(
  { db, key }: WebhooksDeps,
  actor: Actor,
  holder: Holder,
  id: string,
  overlapS: number,
): Promise<WebhookResponse> {
  await existing(db, holder, id)
  const secret = newWebhookSecret()
  await transactionAs(db, actor, async (trx) => {
    if (!(await changeSecret(trx, id, encipher(key, secret), overlapS)))
      throw rotatedAlready((await existing(trx, holder, id)).former_until)
    await changeWebhook(trx, id, keeping(holder))
  })
  return webhookResponse(await existing(db, holder, id), secret)
}

/**
 * Deletes it with its undelivered events. From the first step on nothing new is queued, and rows are deleted in batches,
 * so that nobody who edits a board has to wait.
 * @throws BoardroomError not_found
 */
export async function removeWebhook(db: Db, actor: Actor, holder: Holder, id: string): Promise<void> {
  await existing(db, holder, id)
  await transactionAs(db, actor, (trx) => setDisabled(trx, id, 'being removed'))
  while (await db.transaction().execute((trx) => deleteSomeDeliveries(trx, id, deletedAtOnce))) {
    // the next ones
  }
  await transactionAs(db, actor, (trx) => deleteWebhook(trx, id))
}

/** Queues `webhook.test`. @throws BoardroomError not_found | conflict (disabled) */
export async function testWebhook(db: Db, holder: Holder, id: string): Promise<void> {
  const { disabled_at, stands } = await existing(db, holder, id)
  if (disabled_at !== null || !stands)
    throw new BoardroomError('conflict', 'this webhook is disabled; enable it first')
  await db.transaction().execute((trx) => queueTest(trx, id))
}

/** @throws BoardroomError not_found */
export async function redeliver(db: Db, holder: Holder, id: string, deliveryId: string): Promise<void> {
  await existing(db, holder, id)
  const wasThere = await db.transaction().execute((trx) => retryDelivery(trx, id, deliveryId))
  if (!wasThere) throw new BoardroomError('not_found', 'this webhook has no such delivery')
}

/** Newest first. @throws BoardroomError not_found | invalid_request (cursor) */
export async function listDeliveries(
  db: Db,
  holder: Holder,
  id: string,
  query: { state?: string | undefined; limit: number; cursor?: string | undefined },
): Promise<{ items: WebhookDeliveryResponse[]; next_cursor: string | null }> {
  await existing(db, holder, id)
  const question = ['deliveries', id, query.state ?? '']
  const after = positionOf(question, query.cursor, { key: z.literal(''), id: z.string().regex(/^\d{1,18}$/) })
  const rows = await deliveriesOf(db, id, {
    state: query.state,
    before: after?.id ?? null,
    limit: query.limit + 1,
  })
  const page = pageOf(question, rows, query.limit, (row) => ({ key: '', id: row.id }))
  return { items: page.rows.map(deliveryResponse), next_cursor: page.next_cursor }
}

const keeperIsGone =
  'its creator, or the service key it was created with, no longer has the right to it; enable it to take responsibility yourself'

/** It is valid only as long as the last person who changed it has the right to it. */
const keeping = ({ userId, keyId }: Holder) => ({
  keeper_id: userId,
  key_id: keyId ?? null,
  is_by_key: keyId !== undefined,
})

async function existing(db: Db, holder: Holder, id: string): Promise<WebhookRow> {
  const row = await webhookById(db, holder, id)
  if (row === undefined) throw new BoardroomError('not_found', 'there is no such webhook')
  return row
}

function refuseUnreachable(outgoing: Pick<Outgoing, 'refusalOf'>, url: string): void {
  const refusal = outgoing.refusalOf(url)
  if (refusal !== null) throw new BoardroomError('invalid_request', `url: ${refusal}`)
}

const webhookResponse = (row: WebhookRow, secret: string | null): WebhookResponse => ({
  id: row.id,
  url: row.url,
  description: row.description,
  events: row.events,
  issuer: row.issuer,
  secret,
  state:
    row.disabled_at !== null || !row.stands ? 'disabled' : row.failing_since !== null ? 'failing' : 'active',
  failing_since: row.failing_since?.toISOString() ?? null,
  disabled_at: row.disabled_at?.toISOString() ?? null,
  disabled_reason: row.disabled_reason ?? (row.stands ? null : keeperIsGone),
  pending: row.pending,
  created_at: row.created_at.toISOString(),
  created_by: row.created_by,
})

const deliveryResponse = (row: DeliveryRow): WebhookDeliveryResponse => ({
  id: row.id,
  event_id: messageIdOf(row.event_id),
  type: row.type,
  board_id: row.board_id,
  state: row.state,
  attempts: row.attempts,
  created_at: row.created_at.toISOString(),
  last_attempt_at: row.last_attempt_at?.toISOString() ?? null,
  next_attempt_at: row.state === 'pending' ? row.next_attempt_at.toISOString() : null,
  delivered_at: row.delivered_at?.toISOString() ?? null,
  last_status: row.last_status,
  last_error: row.last_error,
  last_answer: row.last_answer,
})
