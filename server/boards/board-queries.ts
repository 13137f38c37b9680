// The SQL of boards, one function per question. Lists: board-list-queries.ts.
import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { BoardEvent } from '../../shared/protocol.ts'
import { searchKeyOf } from '../../shared/search-key.ts'
import { serviceIssuer, systemEmail } from '../accounts/users.ts'
import type { Db } from '../database/database.ts'
import type { NewRow, Row, RowChange, Tables } from '../database/tables.ts'

type Trx = Transaction<Tables>
/** A board as somebody sees it: fields that depend on the asker are false or null if there is none. */
export type BoardRow = Row<'boards'> & {
  owner_name: string
  starred: boolean
  offered_to: number | null
  /** Whether the asker may see its folder. */
  sees_folder: boolean
  /** Threads with comments by others that the asker has not read; 100 means 100 or more. */
  unread_threads: number
  /** Whether it was created from a template and has a record. */
  has_record: boolean
}

/** The columns of a `BoardRow`. `has_record` is no `exists`: for many boards Postgres would read all records first. */
export const columnsFor = (
  userId: number | null,
  reader = userId === null ? null : `user:${userId}`,
): RawBuilder<unknown> => sql`
  b.*, o.name as owner_name,
  (select offer.user_id from ${sql.table('board_offers')} offer where offer.board_id = b.id) as offered_to,
  coalesce((select true from ${sql.table('board_records')} r where r.board_id = b.id and r.deleted_at is null limit 1), false) as has_record,
  exists (select from ${sql.table('board_stars')} star where star.user_id = ${userId}::integer and star.board_id = b.id) as starred,
  b.folder_id is not null and ${userId}::integer is not null and exists (
    select from ${sql.table('folders')} f where f.id = b.folder_id and (
      exists (select from ${sql.table('users')} u where u.id = ${userId}::integer and u.role <> 'user')
      or exists (select from ${sql.table('folders')} a where a.id = any (f.path) and a.owner_id = ${userId}::integer)
      or exists (select from ${sql.table('folder_permissions')} p
        where p.folder_id = any (f.path) and (p.user_id = ${userId}::integer or p.user_id is null)))) as sees_folder,
  (select count(*)::integer from (
    select from ${sql.table('threads')} t
    left join ${sql.table('comment_reads')} r on r.thread_id = t.id and r.reader = ${reader}::text
    where t.board_id = b.id and ${reader}::text is not null and exists (
      select from ${sql.table('comments')} c where c.thread_id = t.id and c.created_at > coalesce(r.read_at, '-infinity')
        and c.author <> ${reader}::text and c.deleted_at is null)
    limit 100) unread) as unread_threads`

export const insertBoard = async (trx: Trx, board: NewRow<'boards'>): Promise<string> =>
  (await trx.insertInto('boards').values(board).returning('id').executeTakeFirstOrThrow()).id

export async function boardById(
  db: Db,
  boardId: string,
  userId: number | null = null,
): Promise<BoardRow | undefined> {
  const { rows } = await sql<BoardRow>`
    select ${columnsFor(userId)}
    from ${sql.table('boards')} b join ${sql.table('users')} o on o.id = b.owner_id
    where b.id = ${boardId}`.execute(db)
  return rows[0]
}

/** The search key of a title, written together with it. */
export const setTitleKey = (trx: Trx, boardId: string, title: string) =>
  trx
    .insertInto('board_search')
    .values({ board_id: boardId, title, title_key: searchKeyOf(title) })
    .onConflict((conflict) =>
      conflict
        .column('board_id')
        .doUpdateSet({ title, title_key: searchKeyOf(title), updated_at: sql<Date>`now()` }),
    )
    .execute()

export const addStar = async (db: Db, boardId: string, userId: number): Promise<void> => {
  await db
    .insertInto('board_stars')
    .values({ board_id: boardId, user_id: userId })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export const removeStar = (db: Db, boardId: string, userId: number) =>
  db.deleteFrom('board_stars').where('board_id', '=', boardId).where('user_id', '=', userId).execute()

/** The board, locked until the transaction ends. */
export const lockBoard = (trx: Trx, boardId: string): Promise<Row<'boards'> | undefined> =>
  trx.selectFrom('boards').selectAll().where('id', '=', boardId).forUpdate().executeTakeFirst()

export const setBoard = (trx: Trx, boardId: string, change: RowChange<'boards'>, by: number | null) =>
  trx
    .updateTable('boards')
    .set({ ...change, updated_at: sql<Date>`now()`, updated_by: by })
    .where('id', '=', boardId)
    .execute()

export const boardBackground = async (db: Db, boardId: string): Promise<string | null> =>
  (await db.selectFrom('boards').select('background').where('id', '=', boardId).executeTakeFirst())
    ?.background ?? null

/** @returns whether it changed. */
export const setBackground = async (trx: Trx, boardId: string, background: string): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('boards')
    .set({ background })
    .where('id', '=', boardId)
    .where(sql<boolean>`background is distinct from ${background}::text`)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Moves a board to or from the trash. @returns whether it changed. */
export const setDeleted = async (
  trx: Trx,
  boardId: string,
  deleted: boolean,
  by: number | null,
): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('boards')
    .set({ deleted_at: deleted ? sql<Date>`now()` : null, updated_by: by })
    .where('id', '=', boardId)
    .where('deleted_at', deleted ? 'is' : 'is not', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Removes the board and everything on it except its trail. @returns whether there was a deleted board. */
export const purgeBoardRow = async (trx: Trx, boardId: string): Promise<boolean> => {
  const { numDeletedRows } = await trx
    .deleteFrom('boards')
    .where('id', '=', boardId)
    .where('deleted_at', 'is not', null)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

/** Whether a board exists or ever existed; the trail remembers purged ones. */
export const hadBoards = async (db: Db): Promise<boolean> => {
  const now = await db.selectFrom('boards').select('id').limit(1).execute()
  if (now.length > 0) return true
  const made = db
    .selectFrom('audit_logs')
    .select('id')
    .where('action', '=', 'create')
    .where('category', '=', 'board')
  return (await made.limit(1).execute()).length > 0
}

/**
 * Whether a user owns that many boards, including deleted ones; does not count further. Served by the index boards
 * (owner_id, …). Not for the account of a service key: it owns the boards of a whole application.
 */
export const ownsAtLeast = async (trx: Trx, userId: number, count: number): Promise<boolean> => {
  const { rows } = await sql<{ owned: string }>`
    select count(*) as owned from (select from ${sql.table('boards')} where owner_id = ${userId} and not exists (
      select from ${sql.table('users')} where id = ${userId} and issuer = ${serviceIssuer}) limit ${count}) counted`.execute(
    trx,
  )
  return Number(rows[0]?.owned) >= count
}

export const systemUserId = async (db: Db): Promise<number> =>
  (await db.selectFrom('users').select('id').where('email', '=', systemEmail).executeTakeFirstOrThrow()).id

/** Moves the valid links that `from` created to `to`, so that handing over a board disconnects nobody. */
export const adoptLinks = (trx: Trx, boardId: string, from: number, to: number) =>
  trx
    .updateTable('share_links')
    .set({ created_by: to })
    .where('board_id', '=', boardId)
    .where('created_by', '=', from)
    .where('revoked_at', 'is', null)
    .execute()

/** Notifies every node about something outside the document; only if the transaction commits. */
export const notifyEvent = (trx: Trx, schema: string, boardId: string, event: BoardEvent) =>
  sql`select pg_notify(${`${schema}_events`}, ${JSON.stringify({ board_id: boardId, event })})`.execute(trx)
