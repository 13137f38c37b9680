// The SQL of sessions.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import { prepared } from '../database/prepared.ts'
import type { Row, Tables } from '../database/tables.ts'
import type { Role } from '../principal.ts'

type Trx = Transaction<Tables>

/** A live session and its active user. */
export interface SignedIn {
  sessionId: string
  userId: number
  name: string
  role: Role
  twoFactorEnabled: boolean
}

/** @param token as in the row; its signature has been checked. */
export const signedInByToken = (db: Db, token: string): Promise<SignedIn | undefined> =>
  db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .modifyFront(prepared)
    .select([
      'users.id as userId',
      'users.name',
      'users.role',
      'users.two_factor_enabled as twoFactorEnabled',
      sql<string>`sessions.id::text`.as('sessionId'),
    ])
    .where('sessions.token', '=', token)
    .where('sessions.expires_at', '>', sql<Date>`now()`)
    .where('users.is_active', '=', true)
    .where('users.banned', '=', false)
    .executeTakeFirst()

export const sessionsOf = (
  db: Db,
  userId: number,
): Promise<Pick<Row<'sessions'>, 'id' | 'created_at' | 'expires_at' | 'ip_address' | 'user_agent'>[]> =>
  db
    .selectFrom('sessions')
    .select(['id', 'created_at', 'expires_at', 'ip_address', 'user_agent'])
    .where('user_id', '=', userId)
    .where('expires_at', '>', sql<Date>`now()`)
    .orderBy('id', 'desc')
    .execute()

/** @param which.id only that one; `except`: all but that one; neither: all. @returns the ids of the ended sessions */
export const deleteSessions = async (
  trx: Trx,
  userId: number,
  which: { id?: number; except?: number } = {},
): Promise<number[]> => {
  let query = trx.deleteFrom('sessions').where('user_id', '=', userId)
  if (which.id !== undefined) query = query.where('id', '=', which.id)
  if (which.except !== undefined) query = query.where('id', '!=', which.except)
  return (await query.returning('id').execute()).map(({ id }) => id)
}

/**
 * Continues the session `toId` under the token of `fromId`, whose row is removed.
 * @returns false, without changing anything, if they are not sessions of the same person
 */
export const moveToken = async (trx: Trx, fromId: number, toId: number): Promise<boolean> => {
  const rows = await trx
    .selectFrom('sessions')
    .select(['id', 'user_id', 'token', 'expires_at'])
    .where('id', 'in', [fromId, toId])
    .forUpdate()
    .execute()
  const from = rows.find(({ id }) => id === fromId)
  const to = rows.find(({ id }) => id === toId)
  if (from === undefined || to === undefined || from.user_id !== to.user_id) return false
  await trx.deleteFrom('sessions').where('id', '=', fromId).execute()
  const renewed = { token: from.token, expires_at: from.expires_at, updated_at: sql<Date>`now()` }
  await trx.updateTable('sessions').set(renewed).where('id', '=', toId).execute()
  return true
}

/**
 * Ends the session that a provider names, or all of a person's sessions that had begun by then.
 * @returns the ended sessions
 */
export const deleteSessionsOfProvider = (
  trx: Trx,
  which: { providerSession: string; userId: number | null } | { begunBefore: Date; userId: number },
): Promise<{ id: number; user_id: number }[]> => {
  const all = trx.deleteFrom('sessions')
  const theirs = which.userId === null ? all : all.where('user_id', '=', which.userId)
  const chosen =
    'providerSession' in which
      ? theirs.where('provider_session', '=', which.providerSession)
      : theirs.where('created_at', '<', which.begunBefore)
  return chosen.returning(['id', 'user_id']).execute()
}

export const dropSessions = async (trx: Trx, ids: number[]): Promise<void> => {
  if (ids.length > 0) await trx.deleteFrom('sessions').where('id', 'in', ids).execute()
}

/** Throws if a statement of the transaction has failed, even if the error was swallowed. */
export const failIfBroken = async (trx: Trx): Promise<void> => {
  await sql`select`.execute(trx)
}
