// The SQL of sessions.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Row, Tables } from '../database/tables.ts'
import type { Role } from '../principal.ts'

type Trx = Transaction<Tables>

/** A session that lives, and its user, who is active. */
export interface SignedIn {
  sessionId: string
  userId: number
  name: string
  role: Role
}

/** @param token as it is in the row, its signature checked. */
export const signedInByToken = (db: Db, token: string): Promise<SignedIn | undefined> =>
  db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select([
      'users.id as userId',
      'users.name',
      'users.role',
      sql<string>`sessions.id::text`.as('sessionId'),
    ])
    .where('sessions.token', '=', token)
    .where('sessions.expires_at', '>', sql<Date>`now()`)
    .where('users.is_active', '=', true)
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

/** @param which.id that one; `except`: all but that one; neither: all. @returns the ids that ended */
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

/** Sessions and guests that ended by the clock. Their share link uses go with the guests. */
export const deleteExpired = async (trx: Trx): Promise<{ sessions: number; guests: number }> => {
  const sessions = await trx
    .deleteFrom('sessions')
    .where('expires_at', '<', sql<Date>`now()`)
    .executeTakeFirst()
  const guests = await trx
    .deleteFrom('guests')
    .where('expires_at', '<', sql<Date>`now() - interval '30 days'`)
    .executeTakeFirst()
  return { sessions: Number(sessions.numDeletedRows), guests: Number(guests.numDeletedRows) }
}
