// The SQL of service keys, one function per question.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../../database/database.ts'
import type { NewRow, Row, Tables } from '../../database/tables.ts'

type Trx = Transaction<Tables>
export type ServiceKeyRow = Row<'service_keys'>

/** Valid now: neither revoked nor expired. */
const lives = sql<boolean>`revoked_at is null and (expires_at is null or expires_at > now())`

/** The key with this secret, or with this previous secret during the overlap after a rotation. Also invalid keys. */
export const keyBySecret = (
  db: Db,
  sha256: Buffer,
): Promise<(ServiceKeyRow & { lives: boolean }) | undefined> =>
  db
    .selectFrom('service_keys')
    .selectAll()
    .select(lives.as('lives'))
    .where((eb) =>
      eb.or([
        eb('token_sha256', '=', sha256),
        eb.and([eb('former_sha256', '=', sha256), eb('former_until', '>', sql<Date>`now()`)]),
      ]),
    )
    .executeTakeFirst()

export const keyLives = async (db: Db, id: string): Promise<boolean> =>
  (await db.selectFrom('service_keys').select('id').where('id', '=', id).where(lives).executeTakeFirst()) !==
  undefined

export const allKeys = (db: Db): Promise<ServiceKeyRow[]> =>
  db.selectFrom('service_keys').selectAll().orderBy('created_at', 'desc').orderBy('id').limit(1000).execute()

export const insertKey = (trx: Trx, key: NewRow<'service_keys'>): Promise<ServiceKeyRow> =>
  trx.insertInto('service_keys').values(key).returningAll().executeTakeFirstOrThrow()

/** Gives the key a new secret; the previous one stays valid for `overlapS` seconds. Nothing if the key is invalid, or has a previous one already. */
export const rotateKey = (
  trx: Trx,
  id: string,
  change: { sha256: Buffer; hint: string; overlapS: number; expiresAt?: Date | null | undefined },
): Promise<ServiceKeyRow | undefined> =>
  trx
    .updateTable('service_keys')
    .set((eb) => ({
      former_sha256: change.overlapS === 0 ? null : eb.ref('token_sha256'),
      former_until:
        change.overlapS === 0 ? null : sql<Date>`now() + make_interval(secs => ${change.overlapS})`,
      token_sha256: change.sha256,
      hint: change.hint,
      rotated_at: sql<Date>`now()`,
      ...(change.expiresAt === undefined ? {} : { expires_at: change.expiresAt }),
    }))
    .where('id', '=', id)
    .where(lives)
    // The key in use would end at once, in the place of the one from a moment ago that nobody uses yet.
    .$if(change.overlapS > 0, (query) =>
      query.where(sql<boolean>`(former_until is null or former_until <= now())`),
    )
    .returningAll()
    .executeTakeFirst()

/** @returns false if there is none. An already revoked key is left unchanged. */
export const revokeKey = async (trx: Trx, id: string): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('service_keys')
    .set({ revoked_at: sql<Date>`coalesce(revoked_at, now())`, former_sha256: null, former_until: null })
    .where('id', '=', id)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** @returns nothing if there is no such key */
export const keyState = (
  db: Db,
  id: string,
): Promise<{ lives: boolean; former_until: Date | null } | undefined> =>
  db
    .selectFrom('service_keys')
    .select(['former_until', lives.as('lives')])
    .where('id', '=', id)
    .executeTakeFirst()

/** At most once a minute, so that frequent requests cause few writes. */
export const touchKey = async (db: Db, id: string): Promise<void> => {
  await db
    .updateTable('service_keys')
    .set({ last_used_at: sql<Date>`now()` })
    .where('id', '=', id)
    .where((eb) =>
      eb.or([
        eb('last_used_at', 'is', null),
        eb('last_used_at', '<', sql<Date>`now() - interval '1 minute'`),
      ]),
    )
    .execute()
}
