// The SQL of access requests, one function per question.
import { sql, type Transaction } from 'kysely'
import type { Level } from '../../shared/levels.ts'
import type { Db } from '../database/database.ts'
import type { Row, Tables } from '../database/tables.ts'

type Trx = Transaction<Tables>
export type AccessRequestRow = Row<'access_requests'> & { name: string }

export interface Asker {
  userId: number | null
  guestId: string | null
}

/** A second request by the same person replaces the first one while it is open. @returns its id; null if there is no such board. */
export async function upsertRequest(
  trx: Trx,
  boardId: string,
  { userId, guestId }: Asker,
  request: { level: Level; message: string | null },
): Promise<number | null> {
  const { rows } = await sql<{ id: number }>`
    insert into ${sql.table('access_requests')} (board_id, user_id, guest_id, level, message)
    select b.id, ${userId}::integer, ${guestId}::uuid, ${request.level}, ${request.message}
    from ${sql.table('boards')} b where b.id = ${boardId} and b.deleted_at is null
    on conflict (board_id, user_id, guest_id) where answered_at is null
      do update set level = excluded.level, message = excluded.message, created_at = now()
    returning id`.execute(trx)
  return rows[0]?.id ?? null
}

export const openRequestsBy = async (db: Db, { userId, guestId }: Asker): Promise<number> => {
  const row = await db
    .selectFrom('access_requests')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where(userId === null ? 'guest_id' : 'user_id', '=', userId === null ? guestId : userId)
    .where('answered_at', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

const requests = (db: Db) =>
  db
    .selectFrom('access_requests as r')
    .leftJoin('users as u', 'u.id', 'r.user_id')
    .leftJoin('guests as g', 'g.id', 'r.guest_id')
    .selectAll('r')
    .select(sql<string>`coalesce(u.name, g.name, '')`.as('name'))

/** Open ones, oldest first; with `answered`, the answered ones. */
export const requestsOf = (
  db: Db,
  boardId: string,
  answered: boolean,
  afterId: number,
  limit: number,
): Promise<AccessRequestRow[]> =>
  requests(db)
    .where('r.board_id', '=', boardId)
    .where('r.answered_at', answered ? 'is not' : 'is', null)
    .where('r.id', '>', afterId)
    .orderBy('r.id')
    .limit(limit)
    .execute()

export const requestById = (db: Db, boardId: string, id: number): Promise<AccessRequestRow | undefined> =>
  requests(db).where('r.board_id', '=', boardId).where('r.id', '=', id).executeTakeFirst()

/** The last request of one person. */
export const lastRequestBy = (
  db: Db,
  boardId: string,
  { userId, guestId }: Asker,
): Promise<Pick<Row<'access_requests'>, 'answered_at' | 'answer_level'> | undefined> =>
  db
    .selectFrom('access_requests')
    .select(['answered_at', 'answer_level'])
    .where('board_id', '=', boardId)
    .where(userId === null ? 'guest_id' : 'user_id', '=', userId === null ? guestId : userId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()

/** The open request, locked until the transaction ends. */
export const lockRequest = (
  trx: Trx,
  boardId: string,
  id: number,
): Promise<Row<'access_requests'> | undefined> =>
  trx
    .selectFrom('access_requests')
    .selectAll()
    .where('board_id', '=', boardId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()

export const setAnswer = (trx: Trx, id: number, level: Level | null, by: number | null) =>
  trx
    .updateTable('access_requests')
    .set({ answered_at: sql<Date>`now()`, answered_by: by, answer_level: level })
    .where('id', '=', id)
    .execute()

export const guestNameOf = async (trx: Trx, guestId: string): Promise<string> =>
  (await trx.selectFrom('guests').select('name').where('id', '=', guestId).executeTakeFirstOrThrow()).name
