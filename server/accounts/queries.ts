// The SQL of accounts, one question a function.
import { type ExpressionBuilder, sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Row, Tables } from '../database/tables.ts'
import type { Role } from './principal.ts'

type Trx = Transaction<Tables>

// Users

const userColumns = [
  'id',
  'email',
  'name',
  'role',
  'is_active',
  'issuer',
  'external_id',
  'created_at',
] as const
export type UserRow = Pick<Row<'users'>, (typeof userColumns)[number]>

const emailIs = (email: string) => (eb: ExpressionBuilder<Tables, 'users'>) =>
  eb(eb.fn<string>('lower', ['email']), '=', email.toLowerCase())

export const userById = (db: Db, id: number): Promise<UserRow | undefined> =>
  db.selectFrom('users').select(userColumns).where('id', '=', id).executeTakeFirst()

/** Locked until the transaction ends. */
export const lockUserByEmail = (trx: Trx, email: string): Promise<UserRow | undefined> =>
  trx.selectFrom('users').select(userColumns).where(emailIs(email)).forUpdate().executeTakeFirst()

export const userIdByEmail = async (db: Db, email: string): Promise<number | null> =>
  (await db.selectFrom('users').select('id').where(emailIs(email)).executeTakeFirst())?.id ?? null

export const allUsers = (db: Db): Promise<UserRow[]> =>
  db.selectFrom('users').select(userColumns).orderBy('id').execute()

export const insertUser = (trx: Trx, user: { email: string; name: string; role: Role }): Promise<UserRow> =>
  trx
    .insertInto('users')
    .values({ ...user, email_verified: false })
    .returning(userColumns)
    .executeTakeFirstOrThrow()

/** The row by which Better Auth checks a password. */
export const insertPassword = async (trx: Trx, userId: number, passwordHash: string): Promise<void> => {
  await trx
    .insertInto('accounts')
    .values({
      user_id: userId,
      account_id: String(userId),
      provider_id: 'credential',
      password: passwordHash,
    })
    .execute()
}

export const foreignUserRow = (db: Db, issuer: string, externalId: string): Promise<UserRow | undefined> =>
  db
    .selectFrom('users')
    .select(userColumns)
    .where('issuer', '=', issuer)
    .where('external_id', '=', externalId)
    .executeTakeFirst()

/** Nothing where somebody else has just made the same one. */
export const insertForeignUser = async (
  trx: Trx,
  user: { issuer: string; external_id: string; name: string },
): Promise<void> => {
  await trx
    .insertInto('users')
    .values(user)
    .onConflict((conflict) => conflict.columns(['issuer', 'external_id']).doNothing())
    .execute()
}

export const setUserName = async (trx: Trx, id: number, name: string): Promise<void> => {
  await trx.updateTable('users').set({ name, updated_at: sql`now()` }).where('id', '=', id).execute()
}

export const setUserRole = async (trx: Trx, id: number, role: Role): Promise<void> => {
  await trx.updateTable('users').set({ role, updated_at: sql`now()` }).where('id', '=', id).execute()
}

export const deactivateUser = async (trx: Trx, id: number): Promise<void> => {
  await trx
    .updateTable('users')
    .set({ is_active: false, updated_at: sql`now()` })
    .where('id', '=', id)
    .execute()
}

/**
 * The active sysadmins, locked. Whoever waited for the lock sees them as the other left them, so that of two
 * sysadmins who demote each other at the same moment one stays.
 */
export const lockSysadmins = async (trx: Trx): Promise<number[]> => {
  const rows = await trx
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'sysadmin')
    .where('is_active', '=', true)
    .orderBy('id')
    .forUpdate()
    .execute()
  return rows.map(({ id }) => id)
}

export const hasSysadmin = async (db: Db): Promise<boolean> =>
  (await db
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'sysadmin')
    .where('is_active', '=', true)
    .limit(1)
    .executeTakeFirst()) !== undefined

/** @returns how many boards changed hands, the deleted ones too. */
export const handOverBoards = async (trx: Trx, fromId: number, toId: number): Promise<number> => {
  const result = await trx
    .updateTable('boards')
    .set({ owner_id: toId })
    .where('owner_id', '=', fromId)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Live links of `fromId` become `toId`'s, and give from here on what `toId` may give. @returns how many */
export const adoptLinks = async (trx: Trx, fromId: number, toId: number): Promise<number> => {
  const result = await trx
    .updateTable('share_links')
    .set({ created_by: toId })
    .where('created_by', '=', fromId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Links that still open something and end with their creator. */
export const liveLinksOf = (
  trx: Trx,
  userId: number,
): Promise<{ id: string; board_id: string; label: string | null }[]> =>
  trx
    .selectFrom('share_links')
    .select(['id', 'board_id', 'label'])
    .where('created_by', '=', userId)
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
    .orderBy('created_at')
    .execute()

// Sessions

/** The user behind a session that lives, for tickets made from it. */
export const userOfSession = (db: Db, userId: number, sessionId: number): Promise<UserRow | undefined> =>
  db
    .selectFrom('users')
    .innerJoin('sessions', 'sessions.user_id', 'users.id')
    .select(userColumns.map((column) => `users.${column}` as const))
    .where('users.id', '=', userId)
    .where('sessions.id', '=', sessionId)
    .where('sessions.expires_at', '>', sql<Date>`now()`)
    .executeTakeFirst()

/** A session that lives, and its user, who is active. */
export interface SignedIn {
  sessionId: string
  userId: number
  name: string
  role: Role
}

/** @param token as it stands in the row, its signature checked. */
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

// Guests

export interface GuestRow {
  id: string
  name: string
  expires_at: Date
  /** When the last living link that it holds ends: Infinity where one never does, null where none lives. */
  links_end_at: Date | number | null
}

export const insertGuest = async (
  trx: Trx,
  guest: { name: string; token_sha256: Buffer; expires_at: Date },
): Promise<string> =>
  (await trx.insertInto('guests').values(guest).returning('id').executeTakeFirstOrThrow()).id

export const guestByToken = (db: Db, tokenSha256: Buffer): Promise<GuestRow | undefined> =>
  livingGuests(db).where('token_sha256', '=', tokenSha256).executeTakeFirst()

export const guestById = (db: Db, id: string): Promise<GuestRow | undefined> =>
  livingGuests(db).where('id', '=', id).executeTakeFirst()

const livingGuests = (db: Db) =>
  db
    .selectFrom('guests')
    .select(['id', 'name', 'expires_at'])
    .select((eb) =>
      eb
        .selectFrom('share_link_uses')
        .innerJoin('share_links', 'share_links.id', 'share_link_uses.link_id')
        .whereRef('share_link_uses.guest_id', '=', 'guests.id')
        .where('share_link_uses.revoked_at', 'is', null)
        .where('share_links.revoked_at', 'is', null)
        .select(sql<Date | number | null>`max(coalesce(share_links.expires_at, 'infinity'))`.as('ends_at'))
        .as('links_end_at'),
    )
    .where('guests.expires_at', '>', sql<Date>`now()`)

/** Never to earlier. */
export const setGuestExpiry = async (trx: Trx, id: string, expiresAt: Date): Promise<void> => {
  await trx
    .updateTable('guests')
    .set({ expires_at: expiresAt })
    .where('id', '=', id)
    .where('expires_at', '<', expiresAt)
    .execute()
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

// Set-up

export const insertSetupToken = async (trx: Trx, tokenSha256: Buffer): Promise<void> => {
  await trx.insertInto('setup_tokens').values({ token_sha256: tokenSha256 }).execute()
}

/** Every start leaves one; the newest `keep` stay good, so that each node's link works. */
export const forgetOldSetupTokens = async (trx: Trx, keep: number): Promise<void> => {
  await trx
    .deleteFrom('setup_tokens')
    .where('used_at', 'is', null)
    .where('id', 'not in', (eb) =>
      eb
        .selectFrom('setup_tokens')
        .select('id')
        .where('used_at', 'is', null)
        .orderBy('created_at', 'desc')
        .limit(keep),
    )
    .execute()
}

/** Those that are good, locked: whoever waited for the lock finds those gone that were used meanwhile. */
export const lockSetupTokens = (trx: Trx): Promise<{ id: string; token_sha256: Buffer }[]> =>
  trx
    .selectFrom('setup_tokens')
    .select(['id', 'token_sha256'])
    .where('used_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute()

export const useUpSetupTokens = async (trx: Trx, userId: number): Promise<void> => {
  await trx
    .updateTable('setup_tokens')
    .set({ used_at: sql`now()`, used_by: userId })
    .where('used_at', 'is', null)
    .execute()
}
