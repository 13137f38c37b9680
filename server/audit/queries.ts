// The SQL of the trail, one function per question.
import { sql } from 'kysely'
import type { AuditResponse } from '../../shared/api.ts'
import type { Database, Db } from '../database/database.ts'
import { prepared } from '../database/prepared.ts'
import type { AuditAction, AuditCategory } from '../database/tables.ts'
import { jsonbOf } from './event.ts'

/** As a record of Postgres: the columns of a row as `rowOf` makes it. */
export const eventRecord = `action text, category text, actor_kind text, actor_name text, user_id integer, guest_id uuid, agent_id text,
      board_id uuid, link_id uuid, resource_type text, resource_id text, permission_level text,
      old_values jsonb, new_values jsonb, details jsonb, ip_address text, user_agent text, session_id text`
export const eventColumns = eventRecord.split(',').map((column) => column.trim().split(' ')[0])

/** Writes rows from `rowOf` in one statement; the database sets id, timestamp and salt. */
export const insertEvents = async (db: Db, rows: readonly Record<string, unknown>[]): Promise<void> => {
  const columns = sql.raw(eventColumns.join())
  await sql`
    ${prepared} insert into ${sql.table('audit_logs')} (${columns})
    select ${columns} from jsonb_to_recordset(${jsonbOf(rows)}::jsonb) as event (${sql.raw(eventRecord)})
  `.execute(db)
}

/** The filters of the trail. Times are ISO 8601 and compared by the database, to the microsecond. */
export interface AuditFilter {
  action?: string | undefined
  category?: string | undefined
  /** The actor. */
  user_id?: number | undefined
  board_id?: string | undefined
  /** A share link: what was done through it and to it. */
  link_id?: string | undefined
  /** From this time on. */
  from?: string | undefined
  /** Before this time. */
  to?: string | undefined
}

/** The position of a row: its time to the microsecond, which a Date would round, and its id. */
export interface Place {
  timestamp: string
  id: string
}

/** To the microsecond, which a Date would round. */
export const moment = (column: string) =>
  sql<string>`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

const selectRows = ({ db }: Database, filter: AuditFilter) => {
  let query = db
    .selectFrom('audit_logs')
    .select(moment('audit_logs.timestamp').as('timestamp'))
    .select([
      'audit_logs.id',
      'action',
      'category',
      'actor_kind',
      'actor_name',
      'user_id',
      'guest_id',
      'agent_id',
      'board_id',
      'link_id',
      'resource_type',
      'resource_id',
      'permission_level',
      'old_values',
      'new_values',
      'details',
      'ip_address',
      'user_agent',
      'session_id',
    ])
  if (filter.action !== undefined) query = query.where('action', '=', filter.action as AuditAction) // any text can be compared
  if (filter.category !== undefined) query = query.where('category', '=', filter.category as AuditCategory) // the same
  if (filter.user_id !== undefined) query = query.where('user_id', '=', filter.user_id)
  if (filter.board_id !== undefined) query = query.where('board_id', '=', filter.board_id)
  if (filter.link_id !== undefined) query = query.where('link_id', '=', filter.link_id)
  if (filter.from !== undefined)
    query = query.where('timestamp', '>=', sql<Date>`${filter.from}::timestamptz`)
  if (filter.to !== undefined) query = query.where('timestamp', '<', sql<Date>`${filter.to}::timestamptz`)
  return query
}

/** Rows that match `filter`, beyond `after`. Served by the index on the filtered column and the time. */
export const auditRows = (
  database: Database,
  filter: AuditFilter,
  page: { order: 'newest' | 'oldest'; after: Place | null; limit: number },
): Promise<AuditResponse[]> => {
  let query = selectRows(database, filter)
  const { after } = page
  const sign = sql.raw(page.order === 'newest' ? '<' : '>')
  if (after !== null) {
    // The second condition implies the first, which an index on (…, timestamp) can use.
    query = query
      .where(sql<boolean>`timestamp ${sign}= ${after.timestamp}::timestamptz`)
      .where(sql<boolean>`(timestamp, id) ${sign} (${after.timestamp}::timestamptz, ${after.id}::uuid)`)
  }
  const direction = page.order === 'newest' ? 'desc' : 'asc'
  return query
    .orderBy('audit_logs.timestamp', direction)
    .orderBy('audit_logs.id', direction)
    .limit(page.limit)
    .execute()
}

/** The newest entry of the chain; null while it is empty. */
export const chainHead = async ({ db }: Database): Promise<{ seq: number; hash: string } | null> => {
  const head = await db
    .selectFrom('audit_chain')
    .select(['seq', 'hash'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return head === undefined ? null : { seq: Number(head.seq), hash: head.hash.toString('hex') }
}

/** The last of the next `most` entries after `seq`; null if there is none yet. */
export const chainStep = async ({ db }: Database, seq: number, most: number): Promise<number | null> => {
  const { last } = await db
    .selectFrom((next) =>
      next
        .selectFrom('audit_chain')
        .select('seq')
        .where('seq', '>', `${seq}`)
        .orderBy('seq')
        .limit(most)
        .as('part'),
    )
    .select((eb) => eb.fn.max('part.seq').as('last'))
    .executeTakeFirstOrThrow()
  return last === null ? null : Number(last)
}

/** Rows sealed as `after` < seq <= `upTo` that match `filter`, in the order of sealing. */
export const sealedRows = async (
  database: Database,
  filter: AuditFilter,
  after: number,
  upTo: number,
): Promise<{ seq: number; row: AuditResponse }[]> => {
  const rows = await selectRows(database, filter)
    .innerJoin('audit_chain', (join) =>
      join
        .onRef('audit_chain.audit_id', '=', 'audit_logs.id')
        .onRef('audit_chain.audit_timestamp', '=', 'audit_logs.timestamp'),
    )
    .select('audit_chain.seq')
    .where('audit_chain.seq', '>', `${after}`)
    .where('audit_chain.seq', '<=', `${upTo}`)
    .orderBy('audit_chain.seq')
    .execute()
  return rows.map(({ seq, ...row }) => ({ seq: Number(seq), row }))
}

/** Appends pending rows to the chain. @returns how many; null if another process is doing it. */
export const sealAudit = async ({ db, schema }: Database, most: number): Promise<number | null> => {
  const { rows } = await sql<{
    sealed: number | null
  }>`select ${prepared} ${sql.id(schema, 'seal_audit')}(${most}) as sealed`.execute(db)
  return rows[0]?.sealed ?? null
}

/** Creates the partitions of the next months. @returns the rows in the default partition: more than 0 is an alarm. */
export const makePartitions = async ({ db, schema }: Database): Promise<number> => {
  await sql`select ${sql.id(schema, 'make_audit_partitions')}()`.execute(db)
  const { rows } = await sql<{ default_rows: number }>`
    select default_rows::float8 from ${sql.id(schema, 'report_audit_partitions')}()
  `.execute(db)
  return rows[0]?.default_rows ?? 0
}

/** Whether a user may (still) read the whole trail: an active administrator whose session, if any, lives. */
export const isAdministrator = async (
  { db }: Database,
  userId: number,
  sessionId: string | null,
): Promise<boolean> => {
  let query = db
    .selectFrom('users')
    .select('users.id')
    .where('users.id', '=', userId)
    .where('users.role', 'in', ['sysadmin', 'admin'])
    .where('users.is_active', '=', true)
  if (sessionId !== null) {
    query = query
      .innerJoin('sessions', 'sessions.user_id', 'users.id')
      .where(sql<boolean>`sessions.id::text = ${sessionId}`)
      .where('sessions.expires_at', '>', sql<Date>`now()`)
  }
  return (await query.executeTakeFirst()) !== undefined
}

/** Registers a process that holds connections. */
export const insertServer = async (
  { db }: Database,
  server: { id: string; host: string; pid: number },
): Promise<void> => {
  await db.insertInto('servers').values(server).execute()
}

/**
 * Servers that did not deregister, except for one, and whether their locks are held.
 * @param prefix what the name of a lock begins with.
 */
export async function othersAlive(
  { db }: Database,
  but: string,
  prefix: string,
): Promise<{ id: string; is_alive: boolean }[]> {
  const { rows } = await sql<{ id: string; is_alive: boolean }>`
    select id, exists (
        select from pg_locks l where l.locktype = 'advisory' and l.granted and l.objsubid = 1
          and l.database = (select oid from pg_database where datname = current_database())
          and l.classid::bigint = (key >> 32) & 4294967295 and l.objid::bigint = key & 4294967295) as is_alive
    from (select id, hashtextextended(${prefix} || id::text, 0) as key from ${sql.table('servers')}
          where ended_at is null and id <> ${but}) as others`.execute(db)
  return rows
}

/** Re-registers a server that was declared lost but is alive. */
export const reviveServer = async ({ db }: Database, id: string): Promise<void> => {
  await db
    .updateTable('servers')
    .set({ ended_at: null })
    .where('id', '=', id)
    .where('ended_at', 'is not', null)
    .execute()
}

/** Servers that did not deregister, except for one. */
export const unendedServers = ({ db }: Database, but: string): Promise<{ id: string }[]> =>
  db.selectFrom('servers').select('id').where('ended_at', 'is', null).where('id', '<>', but).execute()

export const endServer = async ({ db }: Database, id: string): Promise<void> => {
  await db
    .updateTable('servers')
    .set({ ended_at: sql<Date>`clock_timestamp()` })
    .where('id', '=', id)
    .execute()
}

/**
 * Writes a `leave` for every `access` of a server that lacks one: for all its connections, or those with `ids`.
 * @returns how many.
 */
export const insertMissingLeaves = async (
  { db, schema }: Database,
  { serverId, reason, ids }: { serverId: string; reason: string; ids?: readonly string[] },
): Promise<number> => {
  const logs = sql.id(schema, 'audit_logs')
  const copied = sql.raw(
    'category, actor_kind, actor_name, user_id, guest_id, agent_id, board_id, link_id, resource_type, resource_id, permission_level, ip_address, user_agent, session_id',
  )
  const isMeant = ids === undefined ? sql`true` : sql`came.details ->> 'connection_id' = any (${ids}::text[])`
  const result = await sql`
    insert into ${logs} (action, details, ${copied})
    select 'leave', jsonb_build_object('connection_id', came.details -> 'connection_id', 'server_id', ${serverId}::text, 'reason', ${reason}::text, 'joined_at', came.timestamp), ${copied}
    from ${logs} came
    where came.action = 'access' and came.details ->> 'server_id' = ${serverId} and ${isMeant}
      and came.timestamp >= (select started_at - interval '1 minute' from ${sql.id(schema, 'servers')} where id = ${serverId}::uuid)
      and not exists (
        select from ${logs} gone
        where gone.action = 'leave' and gone.timestamp >= came.timestamp and gone.details ->> 'server_id' = ${serverId}
          and gone.details ->> 'connection_id' = came.details ->> 'connection_id')
    order by came.timestamp
  `.execute(db)
  return Number(result.numAffectedRows ?? 0)
}
