// The SQL of share links and their uses, one function per question.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { NewRow, Row, RowChange, Tables } from '../database/tables.ts'
import type { Position } from '../routing/cursor.ts'

type Trx = Transaction<Tables>

export interface ShareLinkRow extends Omit<Row<'share_links'>, 'token_sha256'> {
  board_is_public: boolean
  board_deleted_at: Date | null
  /** Whether its creator may currently grant access to the board. */
  creator_may: boolean
  is_expired: boolean
}

const links = (db: Db) =>
  db
    .selectFrom('share_links as l')
    .innerJoin('boards as b', 'b.id', 'l.board_id')
    .leftJoin('users as c', 'c.id', 'l.created_by')
    .select([
      'l.id',
      'l.board_id',
      'l.level',
      'l.label',
      'l.password_hash',
      'l.expires_at',
      'l.max_uses',
      'l.uses',
      'l.revoked_at',
      'l.created_by',
      'l.created_at',
      'l.last_used_at',
      'b.is_public as board_is_public',
      'b.deleted_at as board_deleted_at',
      sql<boolean>`coalesce(l.expires_at <= now(), false)`.as('is_expired'),
      // As in the access decision: owner or administrator, and active.
      sql<boolean>`coalesce(c.is_active and (c.id = b.owner_id or c.role in ('admin', 'sysadmin')), false)`.as(
        'creator_may',
      ),
    ])

export const linkByToken = (db: Db, tokenSha256: Buffer): Promise<ShareLinkRow | undefined> =>
  links(db).where('l.token_sha256', '=', tokenSha256).executeTakeFirst()

export const linkById = (db: Db, boardId: string, linkId: string): Promise<ShareLinkRow | undefined> =>
  links(db).where('l.board_id', '=', boardId).where('l.id', '=', linkId).executeTakeFirst()

/** Newest first. */
export const linksOf = (
  db: Db,
  boardId: string,
  after: Position | null,
  limit: number,
): Promise<(ShareLinkRow & { key: string })[]> =>
  links(db)
    .select(sql<string>`to_char(l.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`.as('key'))
    .where('l.board_id', '=', boardId)
    .$if(after !== null, (query) =>
      query.where(sql<boolean>`(l.created_at, l.id) < (${after?.key}::timestamptz, ${after?.id}::uuid)`),
    )
    .orderBy('l.created_at', 'desc')
    .orderBy('l.id', 'desc')
    .limit(limit)
    .execute()

export const insertLink = async (trx: Trx, link: NewRow<'share_links'>): Promise<string> =>
  (await trx.insertInto('share_links').values(link).returning('id').executeTakeFirstOrThrow()).id

/** @returns whether it existed and was not revoked. */
export const setLink = async (
  trx: Trx,
  boardId: string,
  linkId: string,
  change: RowChange<'share_links'>,
): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('share_links')
    .set(change)
    .where('id', '=', linkId)
    .where('board_id', '=', boardId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

type Person = { userId: number } | { guestId: string }

export const heldUse = (db: Db, linkId: string, person: Person) =>
  db
    .selectFrom('share_link_uses')
    .select(['id', 'revoked_at'])
    .where('link_id', '=', linkId)
    .$if('userId' in person, (query) =>
      query.where('user_id', '=', 'userId' in person ? person.userId : null),
    )
    .$if('guestId' in person, (query) =>
      query.where('guest_id', '=', 'guestId' in person ? person.guestId : null),
    )
    .executeTakeFirst()

/** @returns whether this is the person's first use of the link; waits for a concurrent first use. */
export const insertUse = async (trx: Trx, linkId: string, person: Person, name: string): Promise<boolean> => {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('share_link_uses')
    .values({
      link_id: linkId,
      user_id: 'userId' in person ? person.userId : null,
      guest_id: 'guestId' in person ? person.guestId : null,
      name,
    })
    .onConflict((conflict) => conflict.constraint('share_link_uses_once').doNothing())
    .executeTakeFirst()
  return (numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** Counts one use if the link still allows it, in one atomic statement. @returns whether it did. */
export const countUse = async (trx: Trx, linkId: string): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('share_links')
    .set({ uses: sql`uses + 1`, last_used_at: sql<Date>`now()` })
    .where('id', '=', linkId)
    .where('revoked_at', 'is', null)
    .where(sql<boolean>`(expires_at is null or expires_at > now())`)
    .where(sql<boolean>`(max_uses is null or uses < max_uses)`)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Revokes one person's access through the links of a board. @returns for how many links. */
export const revokeUses = async (trx: Trx, boardId: string, person: Person): Promise<number> => {
  const { numUpdatedRows } = await trx
    .updateTable('share_link_uses')
    .set({ revoked_at: sql<Date>`now()` })
    .where('link_id', 'in', trx.selectFrom('share_links').select('id').where('board_id', '=', boardId))
    .where('revoked_at', 'is', null)
    .$if('userId' in person, (query) =>
      query.where('user_id', '=', 'userId' in person ? person.userId : null),
    )
    .$if('guestId' in person, (query) =>
      query.where('guest_id', '=', 'guestId' in person ? person.guestId : null),
    )
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Whether a link has created that many guests; does not count further. */
export const hasGuests = async (trx: Trx, linkId: string, count: number): Promise<boolean> => {
  const { rows } = await sql<{ made: string }>`
    select count(*) as made from (
      select from ${sql.table('share_link_uses')} where link_id = ${linkId} and guest_id is not null limit ${count}) counted`.execute(
    trx,
  )
  return Number(rows[0]?.made) >= count
}
