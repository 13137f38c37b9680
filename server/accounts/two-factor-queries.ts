// The SQL of second factors beside Better Auth's own.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'

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

/** @returns false where there was none */
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

/** Of whom a second factor is being asked, by what Better Auth keeps of the sign-in. */
export const userOfChallenge = async (db: Db, identifier: string): Promise<string | null> =>
  (
    await db
      .selectFrom('verifications')
      .select('value')
      .where('identifier', '=', identifier)
      .executeTakeFirst()
  )?.value ?? null
