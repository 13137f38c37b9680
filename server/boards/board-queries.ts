// The SQL of boards, one function per question.
import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { BoardEvent } from '../../shared/protocol.ts'
import { searchKeyOf } from '../../shared/search-key.ts'
import { serviceIssuer, systemEmail } from '../accounts/users.ts'
import type { Db } from '../database/database.ts'
import type { NewRow, Row, RowChange, Tables } from '../database/tables.ts'
import type { Position } from '../routing/cursor.ts'

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

// `has_record` is no `exists`: for many boards Postgres would read all records first.
const columnsFor = (
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

/** The collation of a language, if the database has it; each is looked up once. */
export async function collationFor(db: Db, language: string): Promise<string | null> {
  const { rows } = await sql<{ name: string }>`
    select collname as name from pg_collation
    where collprovider = 'i' and collname in (${`${language}-x-icu`}, 'und-x-icu') order by collname = 'und-x-icu' limit 1`.execute(
    db,
  )
  return rows[0]?.name ?? null
}

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

/** Whether a user owns that many boards, including deleted ones; does not count further. Served by the index boards (owner_id, …). */
/** The account of a service key owns the boards of a whole application, so the limit does not apply. */
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

export interface BoardQuestion {
  userId: number | null
  guestId: string | null
  scope: 'all' | 'mine' | 'shared' | 'instance'
  /** The trash: the user's own or, with `instance`, everybody's. */
  deleted: boolean
  q: string | undefined
  sort: 'updated' | 'created' | 'title' | 'opened'
  folder?: string | undefined
  starred?: boolean
}

/** @param collation for sorting titles in the reader's language; null: the database has none. */
const sortOf = (sort: BoardQuestion['sort'], collation: string | null) => {
  switch (sort) {
    case 'updated':
      return { key: sql.ref('b.updated_at'), isTime: true }
    case 'created':
      return { key: sql.ref('b.created_at'), isTime: true }
    case 'opened':
      return { key: sql.ref('visit.opened_at'), isTime: true }
    case 'title':
      return {
        key:
          collation === null ? sql`lower(b.title)` : sql`b.title collate ${sql.id('pg_catalog', collation)}`,
        isTime: false,
      }
  }
}

/**
 * Boards in order, up to `limit` after `after`, each with its sort key as text. Access decides whether the user really
 * has a level: a link may be suspended, for example.
 */
export async function listBoardRows(
  db: Db,
  question: BoardQuestion,
  after: Position | null,
  limit: number,
  collation: string | null = null,
): Promise<(BoardRow & { key: string })[]> {
  const { key, isTime } = sortOf(question.sort, collation)
  const asText = isTime ? sql`to_char(${key} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')` : key
  const conditions: RawBuilder<unknown>[] = [
    question.deleted ? sql`b.deleted_at is not null` : sql`b.deleted_at is null`,
    ...(question.scope === 'instance' ? [] : [inScope(question)]),
    ...(question.q === undefined || searchKeyOf(question.q) === '' ? [] : [matching(question.q)]),
    ...(question.folder === undefined
      ? []
      : [
          question.folder === 'none' ? sql`b.folder_id is null` : sql`b.folder_id = ${question.folder}::uuid`,
        ]),
    ...(question.starred === true
      ? [sql`b.id in (select board_id from ${sql.table('board_stars')} where user_id = ${question.userId})`]
      : []),
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
    select ${columnsFor(question.userId, readerOf(question))}, ${asText} as key
    from ${sql.table('boards')} b join ${sql.table('users')} o on o.id = b.owner_id
    left join ${sql.table('board_search')} found on found.board_id = b.id
    ${question.sort === 'opened' ? visits(question.userId) : sql``}
    where ${sql.join(conditions, sql` and `)}
    order by ${order} limit ${limit}`.execute(db)
  return rows
}

const readerOf = ({ userId, guestId }: BoardQuestion): string | null =>
  userId !== null ? `user:${userId}` : guestId === null ? null : `guest:${guestId}`

/** A title that was changed by hand has no up-to-date key. */
const matching = (q: string): RawBuilder<unknown> => {
  const pattern = `%${searchKeyOf(q).replace(/[\\%_]/g, '\\$&')}%`
  return sql`(case when found.title = b.title then found.title_key else ${sql.table('search_key')}(b.title) end like ${pattern}
    or found.text_key like ${pattern})`
}

/** Read from the trail, which records who opened what, so nothing extra is written. */
const visits = (userId: number | null): RawBuilder<unknown> => sql`
  join (
    select board_id, max(timestamp) as opened_at from ${sql.table('audit_logs')}
    where user_id = ${userId} and action = 'access' and timestamp > now() - interval '90 days' group by board_id
  ) visit on visit.board_id = b.id`

/** Owned boards, and boards shared by permission, folder, share link or members_level. The trash has only owned ones. */
function inScope({
  userId,
  guestId,
  scope,
  deleted,
}: Pick<BoardQuestion, 'userId' | 'guestId' | 'scope' | 'deleted'>): RawBuilder<unknown> {
  const mine = sql`b.owner_id = ${userId}`
  if (scope === 'mine' || deleted) return scope === 'shared' ? sql`false` : mine
  const reached = { userId, guestId }
  // All in one list, and not one or the other: for that every board would be read.
  return scope === 'shared'
    ? sql`(b.id in (${sharedWith(reached)}) and b.owner_id is distinct from ${userId})`
    : sql`b.id in (${reachedBy(reached)})`
}

/** Ids of the boards that a user may have access to: their own, and those shared with them. */
export const withinReach = (userId: number): RawBuilder<unknown> => reachedBy({ userId, guestId: null })

const reachedBy = (reached: Pick<BoardQuestion, 'userId' | 'guestId'>): RawBuilder<unknown> => sql`
    select id from ${sql.table('boards')} where owner_id = ${reached.userId}
    union ${sharedWith(reached)}`

const sharedWith = ({
  userId,
  guestId,
}: Pick<BoardQuestion, 'userId' | 'guestId'>): RawBuilder<unknown> => sql`
    select board_id from ${sql.table('board_permissions')} where user_id = ${userId}
    union
    select i.board_id from ${sql.table('users')} u join ${sql.table('board_invitations')} i on i.email = lower(u.email)
      and (u.email_verified or u.created_at <= i.created_at) where u.id = ${userId}
    union
    select inside.id from ${sql.table('folders')} f join ${sql.table('boards')} inside on inside.folder_id = f.id
    where f.path && (select coalesce(array_agg(top.id), '{}') from (
      select id from ${sql.table('folders')} where owner_id = ${userId}
      union select folder_id from ${sql.table('folder_permissions')} where user_id = ${userId}) top)
    union
    select l.board_id from ${sql.table('share_link_uses')} use join ${sql.table('share_links')} l on l.id = use.link_id
    where (use.user_id = ${userId} or use.guest_id = ${guestId}::uuid) and use.revoked_at is null and l.revoked_at is null
      and (l.expires_at is null or l.expires_at > now())
    union
    select id from ${sql.table('boards')} where members_level is not null and deleted_at is null and ${userId}::integer is not null`
