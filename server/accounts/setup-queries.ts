// The SQL of set-up links.
import { sql, type Transaction } from 'kysely'
import type { Tables } from '../database/tables.ts'

type Trx = Transaction<Tables>

export const insertSetupToken = async (trx: Trx, tokenSha256: Buffer): Promise<void> => {
  await trx.insertInto('setup_tokens').values({ token_sha256: tokenSha256 }).execute()
}

/** Every start creates one; the newest `keep` stay valid, so that each node's link works. */
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

/** The valid ones, locked, so that a transaction that waited no longer finds those that were used meanwhile. */
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
