// The SQL for data past its retention, by category: counting and removing it. Used by both the hourly cleaning and the
// command.
import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import type { RetentionCategory } from '../retention.ts'

interface Stored {
  table: keyof Tables
  /** The condition for rows that are too old. `before`: everything from this time on is kept. */
  old: (before: RawBuilder<Date>) => RawBuilder<boolean>
}

const stored: Record<RetentionCategory, readonly Stored[]> = {
  sessions: [{ table: 'sessions', old: (before) => sql`expires_at < ${before}` }],
  // Their share link uses are deleted with them.
  guests: [{ table: 'guests', old: (before) => sql`expires_at < ${before}` }],
  tokens: [
    {
      table: 'invitations',
      old: (before) => sql`least(expires_at, accepted_at, revoked_at) < ${before}`,
    },
    { table: 'password_resets', old: (before) => sql`least(expires_at, used_at) < ${before}` },
    { table: 'verifications', old: (before) => sql`expires_at < ${before}` },
  ],
  // An event is deleted together with its deliveries, once all of them are done.
  webhooks: [
    {
      table: 'webhook_events',
      old: (before) => sql`created_at < ${before} and not exists (
        select from ${sql.table('webhook_deliveries')} d where d.event_id = webhook_events.id and d.state = 'pending')`,
    },
  ],
  // Rows that are not in the trail yet are kept until they are.
  agent_edits: [{ table: 'agent_edits', old: (before) => sql`created_at < ${before} and in_trail` }],
  versions: [{ table: 'board_versions', old: (before) => sql`created_at < ${before} and reason <> 'named'` }],
  trash: [{ table: 'boards', old: (before) => sql`deleted_at < ${before}` }],
  notifications: [{ table: 'notifications', old: (before) => sql`created_at < ${before}` }],
  access_requests: [{ table: 'access_requests', old: (before) => sql`answered_at < ${before}` }],
}

const before = (days: number) => sql<Date>`now() - make_interval(days => ${days})`

/** How many rows of a category are older than `days`. */
export async function countOld(db: Db, category: RetentionCategory, days: number): Promise<number> {
  let count = 0
  for (const { table, old } of stored[category]) {
    const { rows } = await sql<{ count: string }>`
      select count(*) as count from ${sql.table(table)} where ${old(before(days))}`.execute(db)
    count += Number(rows[0]?.count ?? 0)
  }
  return count
}

/** Removes up to `most` rows of a category older than `days`, skipping those locked by another process. @returns how many */
export async function removeOld(
  trx: Transaction<Tables>,
  category: RetentionCategory,
  days: number,
  most: number,
): Promise<number> {
  let removed = 0
  for (const { table, old } of stored[category]) {
    if (removed >= most) break
    const { numAffectedRows } = await sql`
      delete from ${sql.table(table)} where id in (
        select id from ${sql.table(table)} where ${old(before(days))} limit ${most - removed} for update skip locked)`.execute(
      trx,
    )
    removed += Number(numAffectedRows)
  }
  return removed
}

/** Which rows were committed beside an update; nobody tries a commit again for a day. Serves from: side_rows_written_at. */
export const forgetSideRows = (db: Db) =>
  db.deleteFrom('side_rows_written').where('written_at', '<', sql<Date>`now() - interval '1 day'`).execute()

/** What the provider ended an hour ago: whoever was coming in then is long in, or was given up. */
export const forgetProviderLogouts = (db: Db) =>
  db.deleteFrom('provider_logouts').where('created_at', '<', sql<Date>`now() - interval '1 hour'`).execute()

const record = 'record_retention(text, integer, bigint)'

/** Whether this connection may record removals, which only the owner of the tables may. */
export async function mayRecord(db: Db, schema: string): Promise<boolean> {
  const { rows } = await sql<{ may: boolean }>`
    select has_function_privilege(current_user, ${`"${schema}".${record}`}, 'execute') as may`.execute(db)
  return rows[0]?.may === true
}

/** Writes one row to the trail, with the actor of the transaction. */
export const recordRemoval = (
  trx: Transaction<Tables>,
  schema: string,
  { category, days, rows }: { category: RetentionCategory; days: number; rows: number },
) =>
  sql`select ${sql.id(schema, 'record_retention')}(${category}, ${days}::integer, ${rows}::bigint)`.execute(
    trx,
  )
