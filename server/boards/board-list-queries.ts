// The SQL of lists of boards: which ones somebody may see, in which order.
import { type RawBuilder, sql } from 'kysely'
import { searchKeyOf } from '../../shared/search-key.ts'
import type { Db } from '../database/database.ts'
import type { Position } from '../routing/cursor.ts'
import { type BoardRow, columnsFor } from './board-queries.ts'

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

/** The collation of a language, if the database has it; each is looked up once. */
export async function collationFor(db: Db, language: string): Promise<string | null> {
  const { rows } = await sql<{ name: string }>`
    select collname as name from pg_collation
    where collprovider = 'i' and collname in (${`${language}-x-icu`}, 'und-x-icu') order by collname = 'und-x-icu' limit 1`.execute(
    db,
  )
  return rows[0]?.name ?? null
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

/** If a title was changed directly in the database, its key is out of date. */
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
