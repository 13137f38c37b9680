// The SQL of accounts that use a provider.
import { sql, type Transaction } from 'kysely'
import type { Tables } from '../../database/tables.ts'

/** Better Auth's id for our only provider, in its tables and in the callback address. */
export const providerId = 'oidc'

export const userIdBySubject = async (trx: Transaction<Tables>, accountId: string): Promise<number | null> =>
  (
    await trx
      .selectFrom('accounts')
      .select('user_id')
      .where('provider_id', '=', providerId)
      .where('account_id', '=', accountId)
      .executeTakeFirst()
  )?.user_id ?? null

/**
 * Records a sign-out at the provider. Sign-ins by the provider wait until the transaction ends, and those that it covers
 * are refused.
 * @param schema of the tables @see migrations/0041-sign-ins.ts
 */
export async function noteLogout(
  trx: Transaction<Tables>,
  schema: string,
  logout: { session: string | null; accountId: string | null; signedBefore: Date },
): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${schema}.provider_logouts`}, 0))`.execute(trx)
  await trx
    .insertInto('provider_logouts')
    .values({
      provider_session: logout.session,
      account_id: logout.accountId,
      signed_before: logout.signedBefore,
    })
    .execute()
}

/** The facts that decide whether a person from the provider may use this account. */
export const linkable = async (
  trx: Transaction<Tables>,
  userId: number,
): Promise<{ email_verified: boolean; has_provider: boolean }> => {
  const row = await trx
    .selectFrom('users')
    .select((eb) => [
      'email_verified',
      eb
        .exists(
          eb
            .selectFrom('accounts')
            .select('accounts.id')
            .whereRef('accounts.user_id', '=', 'users.id')
            .where('provider_id', '=', providerId),
        )
        .as('has_provider'),
    ])
    .where('id', '=', userId)
    .executeTakeFirstOrThrow()
  return { email_verified: row.email_verified, has_provider: row.has_provider === true }
}

export const insertSubject = async (
  trx: Transaction<Tables>,
  userId: number,
  accountId: string,
): Promise<void> => {
  await trx
    .insertInto('accounts')
    .values({ user_id: userId, account_id: accountId, provider_id: providerId })
    .execute()
}
