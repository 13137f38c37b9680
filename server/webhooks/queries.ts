// The SQL of webhooks and their deliveries, one function per question. Events are written by triggers.
import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import { prepared } from '../database/prepared.ts'
import type { NewRow, Row, RowChange, Tables } from '../database/tables.ts'

type Trx = Transaction<Tables>
/** `stands`: whether its creator may still have it. */
export type WebhookRow = Row<'webhooks'> & { pending: number; stands: boolean }

/** The asker, and whose webhooks they may manage: administrators all, a service key those of its issuer. */
export type Holder = { userId: number } & (
  | { issuer?: never; keyId?: never }
  | { issuer: string; keyId: string }
)

const columns = (): RawBuilder<unknown> => sql`w.*, (select count(*)::integer from (
  select from ${sql.table('webhook_deliveries')} d where d.webhook_id = w.id and d.state = 'pending' limit 1000) waiting) as pending,
  ${sql.table('webhook_stands')}(w) as stands`

const heldBy = ({ issuer }: Holder) => (issuer === undefined ? sql`true` : sql`w.issuer = ${issuer}`)

export const webhooksOf = async (db: Db, holder: Holder): Promise<WebhookRow[]> =>
  (
    await sql<WebhookRow>`select ${columns()} from ${sql.table('webhooks')} w where ${heldBy(holder)}
      order by w.created_at desc, w.id limit 2000`.execute(db)
  ).rows

export const webhookById = async (db: Db, holder: Holder, id: string): Promise<WebhookRow | undefined> =>
  (
    await sql<WebhookRow>`select ${columns()} from ${sql.table('webhooks')} w
      where w.id = ${id}::uuid and ${heldBy(holder)}`.execute(db)
  ).rows[0]

/** Counts those of one issuer, or of all administrators, and serialises creating more. */
export const countWebhooks = async (trx: Trx, issuer: string | null): Promise<number> => {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`webhooks of ${issuer ?? ''}`}, 0))`.execute(trx)
  const { count } = await trx
    .selectFrom('webhooks')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('issuer', issuer === null ? 'is' : '=', issuer)
    .executeTakeFirstOrThrow()
  return Number(count)
}

export const insertWebhook = async (trx: Trx, webhook: NewRow<'webhooks'>): Promise<string> =>
  (await trx.insertInto('webhooks').values(webhook).returning('id').executeTakeFirstOrThrow()).id

export const changeWebhook = async (trx: Trx, id: string, change: RowChange<'webhooks'>): Promise<void> => {
  await trx.updateTable('webhooks').set(change).where('id', '=', id).execute()
}

/** Sets a new secret; the previous one is also used for `overlapS` seconds. */
/** @returns false where the previous secret still signs too, and is to go on doing so */
export const changeSecret = async (
  trx: Trx,
  id: string,
  secret: Buffer,
  overlapS: number,
): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('webhooks')
    .set((eb) => ({
      former_secret: overlapS === 0 ? null : eb.ref('secret'),
      former_until: overlapS === 0 ? null : sql<Date>`now() + make_interval(secs => ${overlapS})`,
      secret,
    }))
    .where('id', '=', id)
    .$if(overlapS > 0, (query) => query.where(sql<boolean>`(former_until is null or former_until <= now())`))
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** @returns whether there may be more. */
export const deleteSomeDeliveries = async (trx: Trx, webhookId: string, most: number): Promise<boolean> => {
  await trx.selectFrom('webhooks').select('id').where('id', '=', webhookId).forNoKeyUpdate().execute()
  const { numAffectedRows } = await sql`delete from ${sql.table('webhook_deliveries')} where id in (
    select id from ${sql.table('webhook_deliveries')} where webhook_id = ${webhookId}::uuid limit ${most})`.execute(
    trx,
  )
  return Number(numAffectedRows) === most
}

export const deleteWebhook = async (trx: Trx, id: string): Promise<void> => {
  await trx.deleteFrom('webhooks').where('id', '=', id).execute()
}

/** A test event for a single webhook. */
export const queueTest = async (trx: Trx, webhookId: string): Promise<void> => {
  await sql`
    with event as (
      insert into ${sql.table('webhook_events')} (type, data) values ('webhook.test', '{}'::jsonb) returning id)
    insert into ${sql.table('webhook_deliveries')} (webhook_id, event_id) select ${webhookId}::uuid, id from event`.execute(
    trx,
  )
}

export interface DeliveryRow {
  id: string
  event_id: string
  type: string
  board_id: string | null
  state: 'pending' | 'delivered' | 'failed'
  attempts: number
  created_at: Date
  last_attempt_at: Date | null
  next_attempt_at: Date
  delivered_at: Date | null
  last_status: number | null
  last_error: string | null
  last_answer: string | null
}

/** Newest first, before `before`. */
export const deliveriesOf = async (
  db: Db,
  webhookId: string,
  question: { state: string | undefined; before: string | null; limit: number },
): Promise<DeliveryRow[]> => {
  const { state, before, limit } = question
  const { rows } = await sql<DeliveryRow>`
    select d.id::text as id, d.event_id, e.type, e.board_id, d.state, d.attempts, e.created_at, d.last_attempt_at,
      d.next_attempt_at, d.delivered_at, d.last_status, d.last_error, d.last_answer
    from ${sql.table('webhook_deliveries')} d join ${sql.table('webhook_events')} e on e.id = d.event_id
    where d.webhook_id = ${webhookId}::uuid
      and (${state ?? null}::text is null or d.state = ${state ?? null}::text)
      and (${before}::bigint is null or d.id < ${before}::bigint)
    order by d.id desc limit ${limit}`.execute(db)
  return rows
}

/** Sends it again, starting with the first attempt. @returns false if there is none. */
export const retryDelivery = async (trx: Trx, webhookId: string, id: string): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('webhook_deliveries')
    .set({
      state: 'pending',
      attempts: 0,
      delivered_at: null,
      next_attempt_at: sql<Date>`clock_timestamp()`,
    })
    .where('id', '=', id)
    .where('webhook_id', '=', webhookId)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Makes the undelivered events of a re-enabled webhook due now. */
export const hurryDeliveries = async (trx: Trx, webhookId: string): Promise<void> => {
  await trx
    .updateTable('webhook_deliveries')
    .set({ next_attempt_at: sql<Date>`clock_timestamp()`, attempts: 0 })
    .where('webhook_id', '=', webhookId)
    .where('state', '=', 'pending')
    .execute()
}

export interface DueDelivery {
  id: string
  webhook_id: string
  event_id: string
  /** The issuer it belongs to; empty for administrators. */
  holder: string
  attempts: number
  type: string
  data: Record<string, unknown>
  created_at: Date
  url: string
  secret: Buffer
  former_secret: Buffer | null
}

/**
 * Claims due deliveries, oldest first, at most `each` per webhook, so that a slow one delays nobody, and in turn for all
 * holders, so that one with many leaves room for the others. Claimed deliveries become due again after `leaseS`, in case
 * this process dies.
 * @param busy webhooks that already have enough in flight. @param underWay how many each holder has in flight
 */
export const takeDue = async (
  db: Db,
  asked: {
    limit: number
    each: number
    ofHolder: number
    leaseS: number
    busy: readonly string[]
    underWay: ReadonlyMap<string, number>
  },
): Promise<DueDelivery[]> => {
  const { limit, each, ofHolder, leaseS, busy, underWay } = asked
  const { rows } = await sql<DueDelivery>`
    ${prepared} with ready as materialized (
      select w.id as webhook_id, coalesce(w.issuer, '') as holder, d.id, d.next_attempt_at
      from ${sql.table('webhooks')} w cross join lateral (
        select id, next_attempt_at from ${sql.table('webhook_deliveries')} where webhook_id = w.id and state = 'pending'
          and next_attempt_at <= clock_timestamp() order by next_attempt_at, id limit ${each} for update skip locked) d
      where w.disabled_at is null and not w.id = any (${busy}::uuid[]) and ${sql.table('webhook_stands')}(w)),
    numbered as (
      select *, row_number() over (partition by webhook_id order by next_attempt_at, id) as nth from ready),
    placed as (
      select n.id, n.next_attempt_at, coalesce(u.count, 0)
        + row_number() over (partition by n.holder order by n.nth, n.next_attempt_at, n.id) as place
      from numbered n left join unnest(${[...underWay.keys()]}::text[], ${[...underWay.values()]}::integer[]) as u (holder, count)
        on u.holder = n.holder),
    due as materialized (
      select id from placed where place <= ${ofHolder} order by place, next_attempt_at, id limit ${limit}),
    taken as (
      update ${sql.table('webhook_deliveries')} d set attempts = d.attempts + 1, last_attempt_at = clock_timestamp(),
        next_attempt_at = clock_timestamp() + make_interval(secs => ${leaseS})
      from due where d.id = due.id returning d.id, d.webhook_id, d.event_id, d.attempts)
    select t.id::text as id, t.webhook_id, t.event_id, coalesce(w.issuer, '') as holder, t.attempts, e.type, e.data, e.created_at, w.url, w.secret,
      case when w.former_until > now() then w.former_secret end as former_secret
    from taken t join ${sql.table('webhook_events')} e on e.id = t.event_id join ${sql.table('webhooks')} w on w.id = t.webhook_id
    order by t.id`.execute(db)
  return rows
}

export interface Outcome {
  status: number | null
  error: string | null
  answer: string | null
}

// A webhook's row is locked before those of its deliveries, in the same order as when deleting it, to avoid deadlocks.

export const setDelivered = async (db: Db, due: DueDelivery, { status, answer }: Outcome): Promise<void> => {
  await db.transaction().execute(async (trx) => {
    await trx
      .updateTable('webhooks')
      .set({ failing_since: null })
      .where('id', '=', due.webhook_id)
      .where('failing_since', 'is not', null)
      .execute()
    await trx
      .updateTable('webhook_deliveries')
      .set({
        state: 'delivered',
        delivered_at: sql<Date>`clock_timestamp()`,
        last_status: status,
        last_error: null,
        last_answer: answer,
      })
      .where('id', '=', due.id)
      .execute()
  })
}

/** @param retryInS null: it was the last attempt. @returns since when the webhook has been failing. */
export const setFailed = (
  db: Db,
  due: Pick<DueDelivery, 'id' | 'webhook_id'>,
  outcome: Outcome,
  retryInS: number | null,
): Promise<Date | null> =>
  db.transaction().execute(async (trx) => {
    const row = await trx
      .updateTable('webhooks')
      .set({ failing_since: sql<Date>`coalesce(failing_since, clock_timestamp())` })
      .where('id', '=', due.webhook_id)
      .returning('failing_since')
      .executeTakeFirst()
    await trx
      .updateTable('webhook_deliveries')
      .set({
        state: retryInS === null ? 'failed' : 'pending',
        next_attempt_at: sql<Date>`clock_timestamp() + make_interval(secs => ${retryInS ?? 0})`,
        last_status: outcome.status,
        last_error: outcome.error,
        last_answer: outcome.answer,
      })
      .where('id', '=', due.id)
      .execute()
    return row?.failing_since ?? null
  })

/** @returns false if it was already disabled. */
export const setDisabled = async (trx: Trx, id: string, reason: string): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('webhooks')
    .set({ disabled_at: sql<Date>`clock_timestamp()`, disabled_reason: reason.slice(0, 300) })
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** The addresses of the administrators. */
export const administratorAddresses = async (db: Db): Promise<string[]> => {
  const rows = await db
    .selectFrom('users')
    .select('email')
    .where('role', 'in', ['admin', 'sysadmin'])
    .where('is_active', '=', true)
    .where('email', 'is not', null)
    .limit(50)
    .execute()
  return rows.flatMap(({ email }) => email ?? [])
}
