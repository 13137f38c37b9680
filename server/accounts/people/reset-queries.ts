// The SQL of password-reset links.
import { sql, type Transaction } from 'kysely'
import type { Tables } from '../../database/tables.ts'

type Trx = Transaction<Tables>

/** A user's only valid link: a new one replaces the old. */
export const insertReset = async (
  trx: Trx,
  row: { user_id: number; token_sha256: Buffer; created_by: number | null; expires_at: Date },
): Promise<void> => {
  await trx
    .updateTable('password_resets')
    .set({ expires_at: sql<Date>`now()` })
    .where('user_id', '=', row.user_id)
    .where('used_at', 'is', null)
    .where('expires_at', '>', sql<Date>`now()`)
    .execute()
  await trx.insertInto('password_resets').values(row).execute()
}

/** Whose link a secret belongs to, and its creator: null if it was requested by mail. */
export const peopleOfReset = (trx: Trx, sha256: Buffer) =>
  trx
    .selectFrom('password_resets')
    .select(['user_id', 'created_by'])
    .where('token_sha256', '=', sha256)
    .executeTakeFirst()

/** The valid link of a secret and its user; locked, so that it is used only once. */
export const lockGoodReset = (trx: Trx, sha256: Buffer) =>
  trx
    .selectFrom('password_resets')
    .innerJoin('users', 'users.id', 'password_resets.user_id')
    .select(['password_resets.id', 'users.id as user_id', 'users.email', 'users.name'])
    .where('password_resets.token_sha256', '=', sha256)
    .where('password_resets.used_at', 'is', null)
    .where('password_resets.expires_at', '>', sql<Date>`now()`)
    .where('users.is_active', '=', true)
    .where('users.issuer', 'is', null)
    .forUpdate('password_resets')
    .executeTakeFirst()

export const spendReset = async (trx: Trx, id: string): Promise<void> => {
  await trx.updateTable('password_resets').set({ used_at: sql<Date>`now()` }).where('id', '=', id).execute()
}
