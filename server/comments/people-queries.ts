// The SQL behind mentions: people known on a board.
import { sql } from 'kysely'
import type { Db } from '../database/database.ts'

export interface Candidate {
  /** `user:7` or `guest:<uuid>` */
  id: string
  name: string
}

/**
 * The owner, people with a permission on the board or its folders, people who used a link, and people who wrote here;
 * with `withMembers` also every account, if the board is open to members. By name. Access decides whether each may
 * still open it.
 */
export async function candidates(
  db: Db,
  boardId: string,
  { withMembers, ids, limit }: { withMembers: boolean; ids: string[] | null; limit: number },
): Promise<Candidate[]> {
  const { rows } = await sql<Candidate>`
    with board as (
      select b.id, b.owner_id, b.members_level, coalesce(f.path, '{}') as folders
      from ${sql.table('boards')} b left join ${sql.table('folders')} f on f.id = b.folder_id where b.id = ${boardId}::uuid
    ), wrote as (
      select distinct c.author from ${sql.table('threads')} t join ${sql.table('comments')} c on c.thread_id = t.id
      where t.board_id = ${boardId}::uuid and c.author ~ '^(user:\\d{1,9}|guest:[0-9a-f-]{36})$'
    ), used as (
      select use.user_id, use.guest_id from ${sql.table('share_links')} l
      join ${sql.table('share_link_uses')} use on use.link_id = l.id and use.revoked_at is null
      where l.board_id = ${boardId}::uuid and l.revoked_at is null and (l.expires_at is null or l.expires_at > now())
    ), person as (
      select 'user:' || u.id as id, u.name from ${sql.table('users')} u
      where u.is_active and u.email is distinct from 'system@boardroom.invalid' and (u.id in (
        select owner_id from board
        union select p.user_id from ${sql.table('board_permissions')} p where p.board_id = ${boardId}::uuid and p.user_id is not null
        union select a.owner_id from board b join ${sql.table('folders')} a on a.id = any (b.folders)
        union select p.user_id from board b join ${sql.table('folder_permissions')} p on p.folder_id = any (b.folders) where p.user_id is not null
        union select user_id from used where user_id is not null
        union select substr(author, 6)::integer from wrote where author like 'user:%'
      ) or (${withMembers} and exists (select from board where members_level is not null)))
      union all
      select 'guest:' || g.id, g.name from ${sql.table('guests')} g
      where g.expires_at > now() and g.id in (
        select guest_id from used where guest_id is not null
        union select substr(author, 7)::uuid from wrote where author like 'guest:%')
    )
    select id, name from person ${ids === null ? sql`` : sql`where id = any (${ids}::text[])`}
    order by lower(name), id limit ${limit}`.execute(db)
  return rows
}
