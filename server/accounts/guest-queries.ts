// The SQL of guests.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'

type Trx = Transaction<Tables>

export interface GuestRow {
  id: string
  name: string
  expires_at: Date
  /** When the guest's last valid link expires: Infinity if one never does, null if none is valid. */
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

/** Never moves it to an earlier time. */
export const setGuestExpiry = async (trx: Trx, id: string, expiresAt: Date): Promise<void> => {
  await trx
    .updateTable('guests')
    .set({ expires_at: expiresAt })
    .where('id', '=', id)
    .where('expires_at', '<', expiresAt)
    .execute()
}

export const setGuestName = (trx: Trx, id: string, name: string) =>
  trx.updateTable('guests').set({ name }).where('id', '=', id).execute()

export const endGuest = (trx: Trx, id: string) =>
  trx.updateTable('guests').set({ expires_at: sql<Date>`now()` }).where('id', '=', id).execute()
