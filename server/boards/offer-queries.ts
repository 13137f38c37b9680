// The SQL of offers to hand over a board, one function per question.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'

type Trx = Transaction<Tables>

export const upsertOffer = (trx: Trx, boardId: string, userId: number, by: number | null) =>
  trx
    .insertInto('board_offers')
    .values({ board_id: boardId, user_id: userId, offered_by: by })
    .onConflict((conflict) =>
      conflict
        .column('board_id')
        .doUpdateSet({ user_id: userId, offered_by: by, created_at: sql<Date>`now()` }),
    )
    .execute()

export const offersTo = (db: Db, userId: number) =>
  db
    .selectFrom('board_offers as o')
    .innerJoin('boards as b', 'b.id', 'o.board_id')
    .leftJoin('users as u', 'u.id', 'o.offered_by')
    .select(['o.board_id', 'b.title', 'u.name as offered_by_name', 'o.created_at'])
    .where('o.user_id', '=', userId)
    .where('b.deleted_at', 'is', null)
    .orderBy('o.created_at', 'desc')
    .limit(200)
    .execute()

/** Removes the offer. @returns the board's owner; undefined if nothing is offered to this user. */
export const takeOffer = async (
  trx: Trx,
  boardId: string,
  userId: number,
): Promise<{ owner_id: number } | undefined> => {
  const { numDeletedRows } = await trx
    .deleteFrom('board_offers')
    .where('board_id', '=', boardId)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  if (numDeletedRows === 0n) return undefined
  return trx.selectFrom('boards').select('owner_id').where('id', '=', boardId).executeTakeFirst()
}

/** @returns whether there was one. */
export const deleteOffer = async (trx: Trx, boardId: string): Promise<boolean> =>
  ((await trx.deleteFrom('board_offers').where('board_id', '=', boardId).executeTakeFirst()).numDeletedRows ??
    0n) > 0n

export const offeredTo = async (db: Db, boardId: string): Promise<number | null> =>
  (await db.selectFrom('board_offers').select('user_id').where('board_id', '=', boardId).executeTakeFirst())
    ?.user_id ?? null
