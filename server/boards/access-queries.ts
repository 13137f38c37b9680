// The one question behind every join and every request: all that can give these subjects access, in one statement.
import { sql } from 'kysely'
import type { Level } from '../../shared/levels.ts'
import type { Db } from '../database/database.ts'

/** What is asked about, ids checked for their form: a malformed one would fail the whole batch. */
export interface AsQuestion {
  boardId: string | null
  userId: number | null
  guestId: string | null
  agentId: string | null
  sessionId: number | null
}

/** Everything that decides, of one subject; several rows for an agent: itself, and each user who granted it. */
export interface AccessFacts {
  /** Position of the subject, from 0. */
  subject: number
  board: 'live' | 'deleted' | 'missing'
  is_owner: boolean
  /** Role of an active user; null for anybody else. */
  role: 'sysadmin' | 'admin' | 'user' | null
  guest_expires_at: Date | null
  agent_active: boolean | null
  session_expires_at: Date | null
  own_level: Level | null
  members_level: Level | null
  /** The public row's level, or `view` where the board is published. */
  public_level: Level | null
  link_level: Level | null
  link_id: string | null
  link_label: string | null
  link_expires_at: Date | null
  /** Set on the rows of users who granted an agent: what they let it do, and until when. */
  grant_level: Level | null
  grant_expires_at: Date | null
}

/**
 * One indexed statement for any number of subjects. Expired sessions, guests, links and grants come back as absent.
 * Serves from: boards, users, guests, sessions and agents by primary key; board_permissions (board_id, user_id);
 * share_link_uses (user_id or guest_id, link_id); share_links by primary key.
 */
export async function accessFactsOf(db: Db, questions: readonly AsQuestion[]): Promise<AccessFacts[]> {
  const column = <Key extends keyof AsQuestion>(key: Key) => questions.map((question) => question[key])
  const { rows } = await sql<AccessFacts>`
    with subject as materialized (
      select (ordinality - 1)::integer as ord, board_id, user_id, guest_id, agent_id, session_id
      from unnest(${column('boardId')}::uuid[], ${column('userId')}::integer[], ${column('guestId')}::uuid[],
        ${column('agentId')}::uuid[], ${column('sessionId')}::integer[])
        with ordinality as s (board_id, user_id, guest_id, agent_id, session_id, ordinality)
    ), asker as (
      select ord, board_id, user_id, guest_id, agent_id, session_id,
        null::text as grant_level, null::timestamptz as grant_expires_at
      from subject
      union all
      select s.ord, s.board_id, g.user_id, null, s.agent_id, null,
        case when g.can_update then 'edit' else 'view' end, g.expires_at
      from subject s
      join ${sql.table('agents')} a on a.id = s.agent_id and a.is_active
      join ${sql.table('user_agent_permissions')} g on g.agent_name = a.name
        and (g.board_id = s.board_id or g.board_id is null)
      where (g.can_read or g.can_update) and (g.expires_at is null or g.expires_at > now())
    )
    select s.ord as subject,
      case when b.id is null then 'missing' when b.deleted_at is not null then 'deleted' else 'live' end as board,
      coalesce(b.owner_id = s.user_id, false) as is_owner,
      u.role,
      guest.expires_at as guest_expires_at,
      agent.is_active as agent_active,
      session.expires_at as session_expires_at,
      own.level as own_level,
      b.members_level,
      coalesce(everyone.level, case when b.is_public then 'view' end) as public_level,
      link.level as link_level, link.id as link_id, link.label as link_label, link.expires_at as link_expires_at,
      s.grant_level, s.grant_expires_at
    from asker s
    left join ${sql.table('boards')} b on b.id = s.board_id
    left join ${sql.table('users')} u on u.id = s.user_id and u.is_active
    left join ${sql.table('guests')} guest on guest.id = s.guest_id and guest.expires_at > now()
    left join ${sql.table('agents')} agent on agent.id = s.agent_id
    left join ${sql.table('sessions')} session on session.id = s.session_id and session.expires_at > now()
      and (s.user_id is null or session.user_id = s.user_id)
    left join ${sql.table('board_permissions')} own on own.board_id = b.id and own.user_id = s.user_id
    left join ${sql.table('board_permissions')} everyone on everyone.board_id = b.id and everyone.user_id is null
    left join lateral (
      select l.level, l.id, l.label, l.expires_at
      from (
        select link_id from ${sql.table('share_link_uses')} where user_id = s.user_id and revoked_at is null
        union all
        select link_id from ${sql.table('share_link_uses')} where guest_id = s.guest_id and revoked_at is null
      ) held
      join ${sql.table('share_links')} l on l.id = held.link_id
      join ${sql.table('users')} creator on creator.id = l.created_by and creator.is_active
        and (creator.id = b.owner_id or creator.role in ('admin', 'sysadmin'))
      where l.board_id = b.id and l.revoked_at is null and (l.expires_at is null or l.expires_at > now())
      order by case l.level when 'edit' then 3 when 'comment' then 2 else 1 end desc,
        l.expires_at desc nulls first, l.id
      limit 1
    ) link on s.user_id is not null or s.guest_id is not null`.execute(db)
  return rows
}
