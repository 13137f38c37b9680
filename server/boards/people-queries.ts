// The SQL of the list of people who may open a board, for all reasons.
import { sql } from 'kysely'
import type { AccessReason } from '../../shared/api.ts'
import type { Level } from '../../shared/levels.ts'
import type { Db } from '../database/database.ts'
import type { Position } from '../routing/cursor.ts'

export interface PersonRow {
  kind: 'user' | 'guest' | 'agent' | 'members' | 'everyone'
  /** The sort key: digits are padded. */
  key: string
  /** `everyone` 0, `members` 1, `user` 2, `agent` 3, `guest` 4: their order in the list. */
  rank: number
  user_id: number | null
  guest_id: string | null
  agent_id: string | null
  name: string
  email: string | null
  reasons: { reason: AccessReason; level: Level; permission_id: number | null; link_id: string | null }[]
}

/** People, members and everyone, each once with all reasons, up to `limit` after `after`. */
export async function peopleOf(
  db: Db,
  boardId: string,
  after: Position | null,
  limit: number,
): Promise<PersonRow[]> {
  const { rows } = await sql<PersonRow>`
    with board as (
      select b.id, b.owner_id, b.members_level, b.is_public, coalesce(f.path, '{}') as folders
      from ${sql.table('boards')} b left join ${sql.table('folders')} f on f.id = b.folder_id where b.id = ${boardId}
    ), source (rank, kind, user_id, guest_id, agent_id, reason, level, permission_id, link_id) as (
      select 0, 'everyone', null::integer, null::uuid, null::uuid, 'public', p.level, p.id, null::uuid
        from board b join ${sql.table('board_permissions')} p on p.board_id = b.id and p.user_id is null
      union all
      select 0, 'everyone', null, null, null, 'public', 'view', null, null from board where is_public
      union all
      select case when p.user_id is null then 0 else 2 end, case when p.user_id is null then 'everyone' else 'user' end,
        p.user_id, null, null, 'folder', p.level, null, null
        from board b join ${sql.table('folder_permissions')} p on p.folder_id = any (b.folders)
      union all
      select 2, 'user', f.owner_id, null, null, 'folder', 'edit', null, null
        from board b join ${sql.table('folders')} f on f.id = any (b.folders)
      union all
      select 1, 'members', null, null, null, 'members', members_level, null, null from board where members_level is not null
      union all
      select 2, 'user', owner_id, null, null, 'owner', 'edit', null, null from board
      union all
      select 2, 'user', u.id, null, null, 'administrator', 'edit', null, null
        from board cross join ${sql.table('users')} u where u.role <> 'user' and u.is_active
      union all
      select 2, 'user', p.user_id, null, null, 'permission', p.level, p.id, null
        from board b join ${sql.table('board_permissions')} p on p.board_id = b.id and p.user_id is not null
      union all
      select case when use.user_id is null then 4 else 2 end, case when use.user_id is null then 'guest' else 'user' end,
        use.user_id, use.guest_id, null, 'link', l.level, null, l.id
        from board b
        join ${sql.table('share_links')} l on l.board_id = b.id and l.revoked_at is null
          and (l.expires_at is null or l.expires_at > now())
        join ${sql.table('users')} c on c.id = l.created_by and c.is_active and (c.id = b.owner_id or c.role in ('admin', 'sysadmin'))
        join ${sql.table('share_link_uses')} use on use.link_id = l.id and use.revoked_at is null
      union all
      select 3, 'agent', null, null, a.id, 'agent', case when g.can_create or g.can_update or g.can_delete then 'edit' else 'view' end, null, null
        from board b
        cross join lateral (
          select * from ${sql.table('user_agent_permissions')} where board_id = b.id
          union all
          select own.* from ${sql.table('user_agent_permissions')} own where own.board_id is null and own.user_id in (
            select b.owner_id union
            select o.user_id from ${sql.table('board_permissions')} o where o.board_id = b.id)) g
        join ${sql.table('agents')} a on a.name = g.agent_name and a.is_active
        where (g.can_create or g.can_read or g.can_update or g.can_delete) and (g.expires_at is null or g.expires_at > now())
    ), person as (
      select rank, kind, user_id, guest_id, agent_id,
        coalesce(lpad(user_id::text, 10, '0'), guest_id::text, agent_id::text, '') as key,
        jsonb_agg(jsonb_build_object('reason', reason, 'level', level, 'permission_id', permission_id, 'link_id', link_id)) as reasons
      from source group by rank, kind, user_id, guest_id, agent_id
    )
    select p.*, coalesce(u.name, g.name, a.name, '') as name, u.email
    from person p
    left join ${sql.table('users')} u on u.id = p.user_id
    left join ${sql.table('guests')} g on g.id = p.guest_id
    left join ${sql.table('agents')} a on a.id = p.agent_id
    where (p.rank, p.key) > (${after === null ? -1 : Number(after.key)}, ${after?.id ?? ''})
    order by p.rank, p.key limit ${limit}`.execute(db)
  return rows
}
