// The SQL of users, one function per question.
import { type ExpressionBuilder, sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import { prepared } from '../database/prepared.ts'
import type { Row, Tables } from '../database/tables.ts'
import type { Role } from '../principal.ts'

type Trx = Transaction<Tables>

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
  db.selectFrom('users').modifyFront(prepared).select(userColumns).where('id', '=', id).executeTakeFirst()

/** Locked until the transaction ends. */
export const lockUserByEmail = (trx: Trx, email: string): Promise<UserRow | undefined> =>
  trx.selectFrom('users').select(userColumns).where(emailIs(email)).forUpdate().executeTakeFirst()

/** Locked until the transaction ends. */
export const lockUserById = (trx: Trx, id: number): Promise<UserRow | undefined> =>
  trx.selectFrom('users').select(userColumns).where('id', '=', id).forUpdate().executeTakeFirst()

export const userIdByEmail = async (db: Db, email: string): Promise<number | null> =>
  (await db.selectFrom('users').select('id').where(emailIs(email)).executeTakeFirst())?.id ?? null

export const allUsers = (db: Db): Promise<UserRow[]> =>
  db.selectFrom('users').select(userColumns).orderBy('id').execute()

/** @param user.email_verified somebody vouches for the address, so pending board invitations to it apply. */
export const insertUser = (
  trx: Trx,
  user: { email: string; name: string; role: Role; email_verified: boolean },
): Promise<UserRow> => trx.insertInto('users').values(user).returning(userColumns).executeTakeFirstOrThrow()

/** Null if this account signs in without a password. */
export const passwordHashOf = async (db: Db, userId: number): Promise<string | null> =>
  (
    await db
      .selectFrom('accounts')
      .select('password')
      .where('user_id', '=', userId)
      .where('provider_id', '=', 'credential')
      .executeTakeFirst()
  )?.password ?? null

/** @returns false if this account signs in without a password. */
export const setPassword = async (trx: Trx, userId: number, passwordHash: string): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('accounts')
    .set({ password: passwordHash, updated_at: sql`now()` })
    .where('user_id', '=', userId)
    .where('provider_id', '=', 'credential')
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** The row that Better Auth checks passwords against. */
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

/** Nothing if somebody else has just created the same one. */
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

export const setUserActive = async (trx: Trx, id: number, isActive: boolean): Promise<void> => {
  await trx
    .updateTable('users')
    .set({ is_active: isActive, updated_at: sql`now()` })
    .where('id', '=', id)
    .execute()
}

/**
 * The active sysadmins, locked. A transaction that waited for the lock sees the other one's changes, so that if two
 * sysadmins demote each other at the same moment, one remains.
 */
export const lockSysadmins = async (trx: Trx): Promise<number[]> => {
  const rows = await trx
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'sysadmin')
    .where('is_active', '=', true)
    .where('banned', '=', false)
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
    .where('banned', '=', false)
    .limit(1)
    .executeTakeFirst()) !== undefined

/** @returns how many boards changed hands, including deleted ones. */
export const handOverBoards = async (trx: Trx, fromId: number, toId: number): Promise<number> => {
  const result = await trx
    .updateTable('boards')
    .set({ owner_id: toId })
    .where('owner_id', '=', fromId)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Moves the valid links of `fromId` to `toId`, who from then on limits what they grant. @returns how many */
export const adoptLinks = async (trx: Trx, fromId: number, toId: number): Promise<number> => {
  const result = await trx
    .updateTable('share_links')
    .set({ created_by: toId })
    .where('created_by', '=', fromId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Valid links, which end with their creator. */
export const liveLinksOf = (
  db: Db,
  userId: number,
): Promise<{ id: string; board_id: string; label: string | null }[]> =>
  db
    .selectFrom('share_links')
    .select(['id', 'board_id', 'label'])
    .where('created_by', '=', userId)
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
    .orderBy('created_at')
    .execute()

/** The users of those sessions that are alive, for tickets issued from them. */
export const usersOfSessions = async (
  db: Db,
  sessionIds: readonly number[],
): Promise<(UserRow & { session_id: number })[]> =>
  db
    .selectFrom('users')
    .innerJoin('sessions', 'sessions.user_id', 'users.id')
    .modifyFront(prepared)
    .select(['sessions.id as session_id', ...userColumns.map((column) => `users.${column}` as const)])
    .where(sql<boolean>`sessions.id = any (${sessionIds}::integer[])`)
    .where('sessions.expires_at', '>', sql<Date>`now()`)
    .execute()
