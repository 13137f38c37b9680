// The SQL of boards, one question a function.
import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { BoardEvent } from '../../shared/protocol.ts'
import { systemEmail } from '../accounts/users.ts'
import type { Db } from '../database/database.ts'
import type { NewRow, Row, RowChange, Tables } from '../database/tables.ts'
import type { Position } from '../routing/cursor.ts'

type Trx = Transaction<Tables>
export type BoardRow = Row<'boards'> & { owner_name: string }

export const insertBoard = async (trx: Trx, board: NewRow<'boards'>): Promise<string> =>
  (await trx.insertInto('boards').values(board).returning('id').executeTakeFirstOrThrow()).id

export const boardById = (db: Db, boardId: string): Promise<BoardRow | undefined> =>
  db
    .selectFrom('boards as b')
    .innerJoin('users as o', 'o.id', 'b.owner_id')
    .selectAll('b')
    .select('o.name as owner_name')
    .where('b.id', '=', boardId)
    .executeTakeFirst()

/** The board, held until the transaction ends. */
export const lockBoard = (trx: Trx, boardId: string): Promise<Row<'boards'> | undefined> =>
  trx.selectFrom('boards').selectAll().where('id', '=', boardId).forUpdate().executeTakeFirst()

export const setBoard = (trx: Trx, boardId: string, change: RowChange<'boards'>, by: number | null) =>
  trx
    .updateTable('boards')
    .set({ ...change, updated_at: sql<Date>`now()`, updated_by: by })
    .where('id', '=', boardId)
    .execute()

/** Moves a board into the trash, or out of it. @returns whether it was not there yet. */
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

/** Everything of the board goes with it but its trail. @returns whether there was a deleted board. */
export const purgeBoardRow = async (trx: Trx, boardId: string): Promise<boolean> => {
  const { numDeletedRows } = await trx
    .deleteFrom('boards')
    .where('id', '=', boardId)
    .where('deleted_at', 'is not', null)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

/** Whether there is or ever was a board; the trail keeps those that were purged. */
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

export const systemUserId = async (db: Db): Promise<number> =>
  (await db.selectFrom('users').select('id').where('email', '=', systemEmail).executeTakeFirstOrThrow()).id

/** The live links that `from` made become `to`'s, so that handing over a board cuts nobody off. */
export const adoptLinks = (trx: Trx, boardId: string, from: number, to: number) =>
  trx
    .updateTable('share_links')
    .set({ created_by: to })
    .where('board_id', '=', boardId)
    .where('created_by', '=', from)
    .where('revoked_at', 'is', null)
    .execute()

/** Tells every node of something that happened outside the document; with the commit, or not at all. */
export const notifyEvent = (trx: Trx, schema: string, boardId: string, event: BoardEvent) =>
  sql`select pg_notify(${`${schema}_events`}, ${JSON.stringify({ board_id: boardId, event })})`.execute(trx)

export interface BoardQuestion {
  userId: number | null
  guestId: string | null
  scope: 'all' | 'mine' | 'shared' | 'instance'
  /** The trash: one's own, or with `instance` everybody's. */
  deleted: boolean
  q: string | undefined
  sort: 'updated' | 'created' | 'title'
}

const sorts = {
  updated: { key: sql.ref('b.updated_at'), isTime: true },
  created: { key: sql.ref('b.created_at'), isTime: true },
  title: { key: sql`lower(b.title)`, isTime: false },
}

/**
 * Boards in order, `limit` of them from after `after`, each with its sort key as text. Whether a level comes out of
 * it in the end is for access to say: a link may be suspended, say.
 */
export async function listBoardRows(
  db: Db,
  question: BoardQuestion,
  after: Position | null,
  limit: number,
): Promise<(BoardRow & { key: string })[]> {
  const { key, isTime } = sorts[question.sort]
  const asText = isTime ? sql`to_char(${key} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')` : key
  const conditions: RawBuilder<unknown>[] = [
    question.deleted ? sql`b.deleted_at is not null` : sql`b.deleted_at is null`,
    ...(question.scope === 'instance' ? [] : [inScope(question)]),
    ...(question.q === undefined || question.q === ''
      ? []
      : [sql`b.title ilike ${`%${question.q.replace(/[\\%_]/g, '\\$&')}%`}`]),
    ...(after === null
      ? []
      : [
          isTime
            ? sql`(${key}, b.id) < (${after.key}::timestamptz, ${after.id}::uuid)`
            : sql`(${key}, b.id) > (${after.key}, ${after.id}::uuid)`,
        ]),
  ]
  const order = isTime ? sql`${key} desc, b.id desc` : sql`${key}, b.id`
  const { rows } = await sql<BoardRow & { key: string }>`
    select b.*, o.name as owner_name, ${asText} as key
    from ${sql.table('boards')} b join ${sql.table('users')} o on o.id = b.owner_id
    where ${sql.join(conditions, sql` and `)}
    order by ${order} limit ${limit}`.execute(db)
  return rows
}

/** Mine by owner; shared by own row, by a link I came in by, by members_level. The trash has only what is mine. */
function inScope({ userId, guestId, scope, deleted }: BoardQuestion): RawBuilder<unknown> {
  const mine = sql`b.owner_id = ${userId}`
  if (scope === 'mine' || deleted) return scope === 'shared' ? sql`false` : mine
  const shared = sql`b.id in (
    select board_id from ${sql.table('board_permissions')} where user_id = ${userId}
    union
    select l.board_id from ${sql.table('share_link_uses')} use join ${sql.table('share_links')} l on l.id = use.link_id
    where (use.user_id = ${userId} or use.guest_id = ${guestId}::uuid) and use.revoked_at is null and l.revoked_at is null
      and (l.expires_at is null or l.expires_at > now())
    union
    select id from ${sql.table('boards')} where members_level is not null and deleted_at is null and ${userId}::integer is not null)`
  return scope === 'shared'
    ? sql`(${shared} and b.owner_id is distinct from ${userId})`
    : sql`(${mine} or ${shared})`
}
