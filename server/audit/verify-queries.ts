// The SQL for verifying the trail; most of it is in schema functions.
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { moment, type Place } from './queries.ts'

/** The hashes of some entries. */
export const chainHashes = async (
  { db }: Database,
  seqs: readonly number[],
): Promise<Map<number, string>> => {
  const rows = await db
    .selectFrom('audit_chain')
    .select(['seq', 'hash'])
    .where('seq', '=', sql<string>`any(${seqs}::bigint[])`)
    .execute()
  return new Map(rows.map(({ seq, hash }) => [Number(seq), hash.toString('hex')]))
}

/** The result of `verify_audit_chain` for one section of the chain. */
export interface ChainCheck {
  entries: number
  erased: number
  newest: string | null
  problem: string | null
  problem_seq: number | null
  problem_timestamp: string | null
  problem_id: string | null
}

export const verifyChain = async (
  { db, schema }: Database,
  first: number,
  last: number,
  newestBefore: string | null,
): Promise<ChainCheck> => {
  const { rows } = await sql<ChainCheck>`
    select entries::float8, erased::float8, newest::text, problem, problem_seq::float8, ${moment('problem_timestamp')} as problem_timestamp, problem_id
    from ${sql.id(schema, 'verify_audit_chain')}(${first}, ${last}, ${newestBefore}::timestamptz)
  `.execute(db)
  return rows[0]! // the function returns one row
}

/** The newest row of the entries `first` to `last`, or `before`. (offset 0: not along the index on timestamps, all of it.) */
export const newestSealed = async (
  { db }: Database,
  first: number,
  last: number,
  before: string | null,
): Promise<string | null> => {
  const { rows } = await sql<{ newest: string | null }>`
    select greatest(max(audit_timestamp), ${before}::timestamptz)::text as newest
    from (select audit_timestamp from ${sql.table('audit_chain')} where seq between ${first} and ${last} offset 0) stretch
  `.execute(db)
  return rows[0]?.newest ?? null
}

/** How far `verify_audit_rows` got, and the first unsealed row it found. */
export interface RowsCheck {
  rows: number
  last_timestamp: string | null
  last_id: string | null
  unsealed_timestamp: string | null
  unsealed_id: string | null
}

export const verifyRows = async (
  { db, schema }: Database,
  after: Place | null,
  most: number,
): Promise<RowsCheck> => {
  const { rows } = await sql<RowsCheck>`
    select rows::float8, ${moment('last_timestamp')} as last_timestamp, last_id, ${moment('unsealed_timestamp')} as unsealed_timestamp, unsealed_id
    from ${sql.id(schema, 'verify_audit_rows')}(
      ${after?.timestamp ?? '-infinity'}::timestamptz, ${after?.id ?? '00000000-0000-0000-0000-000000000000'}::uuid, ${most})
  `.execute(db)
  return rows[0]! // the function returns one row
}

/** The first erased row without an `erase` row; null if there is none. */
export const verifyErasures = async ({ db, schema }: Database): Promise<Place | null> => {
  const { rows } = await sql<Place>`
    select ${moment('problem_timestamp')} as timestamp, problem_id as id from ${sql.id(schema, 'verify_audit_erasures')}()
  `.execute(db)
  return rows[0] ?? null
}

/** The first erased row that nevertheless contains personal values, which no hash covers any more. */
export const refilledErasure = async ({ db, schema }: Database): Promise<Place | null> => {
  const keys = sql`${sql.id(schema, 'audit_personal_keys')}()`
  const { rows } = await sql<Place>`
    select ${moment('timestamp')} as timestamp, id from ${sql.table('audit_logs')}
    where erased_by is not null
      and (actor_name is not null or ip_address is not null or user_agent is not null
        or old_values ?| ${keys} or new_values ?| ${keys} or details ?| ${keys})
    order by audit_logs.timestamp, id limit 1
  `.execute(db)
  return rows[0] ?? null
}
