// Copying and exporting all comments of a board, and removing one person's name from comments.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'

type Trx = Transaction<Tables>

/** Every thread with all its comments, oldest first, as one JSON text from the database; null if there are none. */
export async function threadsJson(db: Db, boardId: string): Promise<string | null> {
  const { rows } = await sql<{ json: string | null }>`
    select json_agg(json_build_object(
      'id', t.id, 'anchor', t.anchor,
      'place', case when t.place_x is not null then json_build_object('x', t.place_x, 'y', t.place_y) end,
      'created_by', t.created_by, 'created_by_name', t.created_by_name, 'created_at', t.created_at,
      'resolved_at', t.resolved_at, 'resolved_by', t.resolved_by, 'resolved_by_name', t.resolved_by_name,
      'comments', (select coalesce(json_agg(json_build_object(
        'id', c.id, 'author', c.author, 'author_name', c.author_name, 'body', c.body, 'created_at', c.created_at,
        'edited_at', c.edited_at, 'deleted_at', c.deleted_at, 'deleted_by', c.deleted_by, 'deleted_by_name', c.deleted_by_name)
        order by c.created_at, c.id), '[]') from ${sql.table('comments')} c where c.thread_id = t.id)
      ) order by t.created_at, t.id)::text as json
    from ${sql.table('threads')} t where t.board_id = ${boardId}::uuid`.execute(db)
  return rows[0]?.json ?? null
}

/** Copies all comments of a board with authors and times, but without read marks and notifications. */
export async function copyThreads(trx: Trx, fromBoardId: string, toBoardId: string): Promise<void> {
  await sql`select set_config('boardroom.copying', 'on', true)`.execute(trx)
  await sql`
    with old as materialized (
      select t.*, gen_random_uuid() as copy from ${sql.table('threads')} t where t.board_id = ${fromBoardId}::uuid
    ), copied as (
      insert into ${sql.table('threads')} (id, board_id, anchor, place_x, place_y, created_by, created_by_name, created_at,
        resolved_at, resolved_by, resolved_by_name)
      select copy, ${toBoardId}::uuid, anchor, place_x, place_y, created_by, created_by_name, created_at,
        resolved_at, resolved_by, resolved_by_name from old
    )
    insert into ${sql.table('comments')} (thread_id, author, author_name, author_label, body, created_at, edited_at,
      deleted_at, deleted_by, deleted_by_name)
    select old.copy, c.author, c.author_name, c.author_label, c.body, c.created_at, c.edited_at,
      c.deleted_at, c.deleted_by, c.deleted_by_name
    from old join ${sql.table('comments')} c on c.thread_id = old.id`.execute(trx)
  await sql`select set_config('boardroom.copying', 'off', true)`.execute(trx)
}

/** Removes a person's name from threads and comments. What they wrote stays. */
export async function eraseNames(trx: Trx, principal: string): Promise<void> {
  const erased = 'Erased person'
  await trx
    .updateTable('threads')
    .set({ created_by_name: erased })
    .where('created_by', '=', principal)
    .execute()
  await trx
    .updateTable('threads')
    .set({ resolved_by_name: erased })
    .where('resolved_by', '=', principal)
    .execute()
  await trx
    .updateTable('comments')
    .set({ author_name: erased, author_label: null })
    .where('author', '=', principal)
    .execute()
  await trx
    .updateTable('comments')
    .set({ deleted_by_name: erased })
    .where('deleted_by', '=', principal)
    .execute()
  await trx.deleteFrom('comment_mentions').where('principal', '=', principal).execute()
  await trx.deleteFrom('notifications').where('recipient', '=', principal).execute()
}
