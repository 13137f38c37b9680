// The SQL of the list of authors of a board.
import { sql } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Position } from '../routing/cursor.ts'

export interface AuthorRow {
  kind: 'user' | 'guest' | 'agent' | 'system' | 'anonymous'
  /** `user:7`, `guest:<uuid>`, …; all anonymous people together are `anonymous`. */
  principal: string
  /** null: no row contains the name any more. */
  name: string | null
  client_ids: number[]
  first_written_at: Date
  latest_client_at: Date
  /** The sort key: `latest_client_at` as text. */
  key: string
}

/** Each person once, with all client ids, most recent first; up to `limit` after `after`. */
export async function authorsOf(
  db: Db,
  boardId: string,
  after: Position | null,
  limit: number,
): Promise<AuthorRow[]> {
  const { rows } = await sql<AuthorRow>`
    with author as (
      select case when principal like 'anonymous:%' then 'anonymous' else principal end as principal,
        array_agg(client_id::float8 order by first_seen, client_id) as client_ids,
        min(first_seen) as first_written_at, max(first_seen) as latest_client_at
      from ${sql.table('board_authors')} where board_id = ${boardId} and principal <> 'retired' group by 1
    ), page as (
      select *, split_part(principal, ':', 1) as kind, split_part(principal, ':', 2) as id from author
      where ${after === null ? sql`true` : sql`(latest_client_at, principal) < (${after.key}::timestamptz, ${after.id})`}
      order by latest_client_at desc, principal desc limit ${limit}
    )
    select page.kind, page.principal, coalesce(u.name, g.name, a.name) as name,
      page.client_ids, page.first_written_at, page.latest_client_at,
      to_char(page.latest_client_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as key
    from page
    left join ${sql.table('users')} u on page.kind = 'user' and u.id::text = page.id
    left join ${sql.table('guests')} g on page.kind = 'guest' and g.id::text = page.id
    left join ${sql.table('agents')} a on page.kind = 'agent' and a.id::text = page.id
    order by page.latest_client_at desc, page.principal desc`.execute(db)
  return rows
}

/** The names of removed guests, if the board's trail still has them. */
export async function formerNamesOf(
  db: Db,
  boardId: string,
  guestIds: readonly string[],
): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('audit_logs')
    .distinctOn('guest_id')
    .select(['guest_id', 'actor_name'])
    .where('board_id', '=', boardId)
    .where('guest_id', 'in', guestIds)
    .where('actor_name', 'is not', null)
    .orderBy('guest_id')
    .orderBy('timestamp', 'desc')
    .execute()
  return new Map(rows.map(({ guest_id, actor_name }) => [`guest:${guest_id}`, actor_name ?? '']))
}
