// The SQL of threads and comments, one function per question. Principals are `user:7`, `guest:<uuid>`, ….
import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { NewRow, Row, Tables } from '../database/tables.ts'
import type { Position } from '../routing/cursor.ts'

type Trx = Transaction<Tables>

/** A time to the microsecond, as cursors need it. */
const momentOf = (column: RawBuilder<unknown>) =>
  sql<string>`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

export interface ThreadRow extends Row<'threads'> {
  key: string
  comment_count: number
  last_comment_at: Date
  unread_count: number
  is_mine: boolean
}

/** Whether `reader` has not read a comment: by others, after their read mark. For null nothing is unread. */
const isUnread = (reader: string | null) => sql`
  c.deleted_at is null and c.author <> ${reader}::text and c.created_at > coalesce(
    (select r.read_at from ${sql.table('comment_reads')} r where r.thread_id = t.id and r.reader = ${reader}::text), '-infinity')`

const isMine = (reader: string | null) => sql`
  (t.created_by = ${reader}::text or exists (select from ${sql.table('comments')} c where c.thread_id = t.id
    and (c.author = ${reader}::text or exists (select from ${sql.table('comment_mentions')} m
      where m.comment_id = c.id and m.principal = ${reader}::text))))`

const columnsFor = (reader: string | null) => sql`
  t.*, ${momentOf(sql`t.created_at`)} as key,
  (select count(*)::integer from ${sql.table('comments')} c where c.thread_id = t.id and c.deleted_at is null) as comment_count,
  coalesce((select max(c.created_at) from ${sql.table('comments')} c where c.thread_id = t.id), t.created_at) as last_comment_at,
  (select count(*)::integer from ${sql.table('comments')} c where c.thread_id = t.id and ${isUnread(reader)}) as unread_count,
  coalesce(${isMine(reader)}, false) as is_mine`

export interface ThreadQuestion {
  boardId: string
  reader: string | null
  open: boolean | undefined
  unread: boolean
  mine: boolean
}

/**
 * Threads of a board, newest first, up to `limit` after `after`.
 * Served by the indexes threads (board_id, created_at desc, id desc), its partial twin for open ones, and comments
 * (thread_id, created_at).
 */
export const threadsStatement = (
  { boardId, reader, open, unread, mine }: ThreadQuestion,
  after: Position | null,
  limit: number,
): RawBuilder<ThreadRow> => {
  const conditions = [
    sql`t.board_id = ${boardId}::uuid`,
    ...(open === undefined ? [] : [open ? sql`t.resolved_at is null` : sql`t.resolved_at is not null`]),
    ...(unread
      ? [
          sql`exists (select from ${sql.table('comments')} c where c.thread_id = t.id and ${isUnread(reader)})`,
        ]
      : []),
    ...(mine ? [isMine(reader)] : []),
    ...(after === null ? [] : [sql`(t.created_at, t.id) < (${after.key}::timestamptz, ${after.id}::uuid)`]),
  ]
  return sql<ThreadRow>`
    select ${columnsFor(reader)} from ${sql.table('threads')} t
    where ${sql.join(conditions, sql` and `)} order by t.created_at desc, t.id desc limit ${limit}`
}

export const threadById = async (
  db: Db,
  boardId: string,
  threadId: string,
  reader: string | null,
): Promise<ThreadRow | undefined> => {
  const { rows } = await sql<ThreadRow>`
    select ${columnsFor(reader)} from ${sql.table('threads')} t
    where t.id = ${threadId}::uuid and t.board_id = ${boardId}::uuid`.execute(db)
  return rows[0]
}

export interface CommentRow extends Row<'comments'> {
  key: string
  mentions: { id: string; name: string }[]
}

const commentColumns = sql`
  c.*, ${momentOf(sql`c.created_at`)} as key,
  coalesce((select jsonb_agg(jsonb_build_object('id', m.principal, 'name', m.name) order by m.name, m.principal)
    from ${sql.table('comment_mentions')} m where m.comment_id = c.id), '[]') as mentions`

/** The most characters per thread in a list, so that a page of long threads does not fill the memory. */
const mostCharacters = 40_000

/** The first comments of each thread, in order: up to `most` each, as long as the total text is not too long. */
export const firstComments = async (
  db: Db,
  threadIds: readonly string[],
  most: number,
): Promise<CommentRow[]> => {
  const { rows } = await sql<CommentRow>`
    select ${commentColumns} from unnest(${[...threadIds]}::uuid[]) as t (id)
    cross join lateral (
      select f.*, row_number() over first as number, sum(char_length(f.body)) over first as characters
      from ${sql.table('comments')} f where f.thread_id = t.id
      window first as (order by f.created_at, f.id) order by f.created_at, f.id limit ${most}
    ) c
    where c.number = 1 or c.characters <= ${mostCharacters}
    order by c.thread_id, c.created_at, c.id`.execute(db)
  return rows
}

export const commentsOf = async (
  db: Db,
  threadId: string,
  after: Position | null,
  limit: number,
): Promise<CommentRow[]> => {
  const { rows } = await sql<CommentRow>`
    select ${commentColumns} from ${sql.table('comments')} c where c.thread_id = ${threadId}::uuid
    ${after === null ? sql`` : sql`and (c.created_at, c.id) > (${after.key}::timestamptz, ${after.id}::uuid)`}
    order by c.created_at, c.id limit ${limit}`.execute(db)
  return rows
}

export const commentById = async (
  db: Db,
  boardId: string,
  commentId: string,
): Promise<CommentRow | undefined> => {
  const { rows } = await sql<CommentRow>`
    select ${commentColumns} from ${sql.table('comments')} c join ${sql.table('threads')} t on t.id = c.thread_id
    where c.id = ${commentId}::uuid and t.board_id = ${boardId}::uuid`.execute(db)
  return rows[0]
}

/** The thread, locked until the transaction ends, so that its comments are written in order and no read mark skips one. */
export const lockThread = (
  trx: Trx,
  boardId: string,
  threadId: string,
): Promise<Row<'threads'> | undefined> =>
  trx
    .selectFrom('threads')
    .selectAll()
    .where('id', '=', threadId)
    .where('board_id', '=', boardId)
    .forNoKeyUpdate()
    .executeTakeFirst()

/** @returns its id; undefined if its author has already written one with this client id. */
export const insertThread = async (trx: Trx, thread: NewRow<'threads'>): Promise<string | undefined> =>
  (
    await trx
      .insertInto('threads')
      .values(thread)
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst()
  )?.id

/** @returns its id; undefined if its author has already written one with this client id. */
export const insertComment = async (trx: Trx, comment: NewRow<'comments'>): Promise<string | undefined> =>
  (
    await trx
      .insertInto('comments')
      .values(comment)
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst()
  )?.id

export const threadByClient = async (
  db: Db,
  boardId: string,
  author: string,
  clientId: string,
): Promise<string | undefined> =>
  (
    await db
      .selectFrom('threads')
      .select('id')
      .where('board_id', '=', boardId)
      .where('created_by', '=', author)
      .where('client_id', '=', clientId)
      .executeTakeFirst()
  )?.id

export const commentByClient = async (
  db: Db,
  threadId: string,
  author: string,
  clientId: string,
): Promise<string | undefined> =>
  (
    await db
      .selectFrom('comments')
      .select('id')
      .where('thread_id', '=', threadId)
      .where('author', '=', author)
      .where('client_id', '=', clientId)
      .executeTakeFirst()
  )?.id

/** Does not count beyond `most`, because the caller only wants to know whether there are that many. */
export const countThreads = async (db: Db, boardId: string, most: number): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from (
      select from ${sql.table('threads')} where board_id = ${boardId}::uuid limit ${most}) t`.execute(db)
  return rows[0]?.count ?? 0
}

export const countComments = async (db: Db, threadId: string): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from ${sql.table('comments')} where thread_id = ${threadId}::uuid`.execute(
    db,
  )
  return rows[0]?.count ?? 0
}

/** @returns whether it changed. */
export const setResolved = async (
  trx: Trx,
  threadId: string,
  by: { principal: string; name: string } | null,
): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('threads')
    .set({
      resolved_at: by === null ? null : sql<Date>`clock_timestamp()`,
      resolved_by: by?.principal ?? null,
      resolved_by_name: by?.name ?? null,
    })
    .where('id', '=', threadId)
    .where('resolved_at', by === null ? 'is not' : 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** @returns false if it is deleted. */
export const setBody = async (trx: Trx, commentId: string, body: string): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('comments')
    .set({ body, edited_at: sql<Date>`clock_timestamp()` })
    .where('id', '=', commentId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Removes the text, and keeps who deleted it. @returns false if it was already deleted. */
export const setDeleted = async (
  trx: Trx,
  commentId: string,
  by: { principal: string; name: string },
): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('comments')
    .set({
      body: '',
      deleted_at: sql<Date>`clock_timestamp()`,
      deleted_by: by.principal,
      deleted_by_name: by.name,
    })
    .where('id', '=', commentId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  await trx.deleteFrom('comment_mentions').where('comment_id', '=', commentId).execute()
  return numUpdatedRows > 0n
}

/** Marks the thread as read by `reader` up to now; read marks never move back. */
export async function markRead(trx: Trx, threadId: string, reader: string): Promise<void> {
  await sql`
    insert into ${sql.table('comment_reads')} (thread_id, reader, read_at)
    select ${threadId}::uuid, ${reader}, max(created_at) from ${sql.table('comments')}
    where thread_id = ${threadId}::uuid having count(*) > 0
    on conflict (thread_id, reader) do update set read_at = greatest(comment_reads.read_at, excluded.read_at)`.execute(
    trx,
  )
  await sql`
    update ${sql.table('notifications')} set read_at = clock_timestamp()
    where thread_id = ${threadId}::uuid and recipient = ${reader} and read_at is null`.execute(trx)
}
