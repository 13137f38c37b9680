// The SQL of second factors in addition to Better Auth's own.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { lockUserById } from './queries.ts'

export const hasPassword = async (db: Db, userId: number): Promise<boolean> =>
  (await db
    .selectFrom('accounts')
    .select('id')
    .where('user_id', '=', userId)
    .where('provider_id', '=', 'credential')
    .executeTakeFirst()) !== undefined

export const hasTwoFactor = async (db: Db, userId: number): Promise<boolean> =>
  (await db.selectFrom('users').select('two_factor_enabled').where('id', '=', userId).executeTakeFirst())
    ?.two_factor_enabled === true

/** @returns false if there was none */
export const removeTwoFactor = async (trx: Transaction<Tables>, userId: number): Promise<boolean> => {
  await trx.deleteFrom('two_factors').where('user_id', '=', userId).execute()
  const { numUpdatedRows } = await trx
    .updateTable('users')
    .set({ two_factor_enabled: false, updated_at: sql<Date>`now()` })
    .where('id', '=', userId)
    .where('two_factor_enabled', '=', true)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Who is being asked for a second factor, according to Better Auth's record of the sign-in. */
export const userOfChallenge = async (db: Db, identifier: string): Promise<string | null> =>
  (
    await db
      .selectFrom('verifications')
      .select('value')
      .where('identifier', '=', identifier)
      .executeTakeFirst()
  )?.value ?? null

/** Longer than a code is accepted: the previous, the current and the next one, 30 s each. */
const codeIsKeptFor = sql<Date>`now() + interval '3 minutes'`

/**
 * Remembers a correct code. The person's row is locked, so that if one code is used twice at once, only one use succeeds.
 * @returns false if it was used before
 */
export const spendCode = async (trx: Transaction<Tables>, userId: number, code: string): Promise<boolean> => {
  await lockUserById(trx, userId)
  const identifier = `2fa-spent-${userId}-${code}`
  const spent = await trx
    .selectFrom('verifications')
    .select('id')
    .where('identifier', '=', identifier)
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirst()
  if (spent !== undefined) return false
  await trx
    .insertInto('verifications')
    .values({ identifier, value: String(userId), expires_at: codeIsKeptFor })
    .execute()
  return true
}
