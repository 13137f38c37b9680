// The SQL of agents and their grants, one function per question.
import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { AgentGrantCreate } from '../../shared/api/agents.ts'
import type { Db } from '../database/database.ts'
import type { Row, Tables } from '../database/tables.ts'
import type { Position } from '../routing/cursor.ts'

type Trx = Transaction<Tables>

export interface AgentRow
  extends Pick<
    Row<'agents'>,
    'id' | 'name' | 'description' | 'owner_id' | 'is_active' | 'created_at' | 'last_used_at'
  > {
  owner_name: string
  owner_active: boolean
}

const agents = (condition: RawBuilder<unknown>) => sql<AgentRow>`
  select a.id, a.name, a.description, a.owner_id, a.is_active, a.created_at, a.last_used_at,
    o.name as owner_name, o.is_active as owner_active
  from ${sql.table('agents')} a join ${sql.table('users')} o on o.id = a.owner_id
  where ${condition}`

export const agentRow = async (db: Db, agentId: string): Promise<AgentRow | undefined> =>
  (await agents(sql`a.id = ${agentId}::uuid`).execute(db)).rows[0]

/** @param userId those that this user owns or has given a grant; null: all. By name, up to `limit` after `after`. */
export async function agentRows(
  db: Db,
  userId: number | null,
  after: Position | null,
  limit: number,
): Promise<AgentRow[]> {
  const mine =
    userId === null
      ? sql`true`
      : sql`a.id in (
          select id from ${sql.table('agents')} where owner_id = ${userId}
          union select granted.id from ${sql.table('user_agent_permissions')} g
            cross join lateral (select id from ${sql.table('agents')} where name = g.agent_name limit 1) granted
          where g.user_id = ${userId})`
  const { rows } = await agents(
    sql`${mine} and (a.name, a.id) > (${after?.key ?? ''}, ${after?.id ?? '00000000-0000-0000-0000-000000000000'}::uuid)
      order by a.name, a.id limit ${limit}`,
  ).execute(db)
  return rows
}

/** Whether somebody owns that many; does not count further. */
export const ownsAgents = async (trx: Trx, userId: number, count: number): Promise<boolean> => {
  const rows = await trx
    .selectFrom('agents')
    .select('id')
    .where('owner_id', '=', userId)
    .limit(count)
    .execute()
  return rows.length >= count
}

/** Case-insensitive, because names that differ only in case would be confused. */
export const nameIsTaken = async (trx: Trx, name: string): Promise<boolean> =>
  (await trx.selectFrom('agents').select('id').where(sql`lower(name)`, '=', name.toLowerCase()).execute())
    .length > 0

/** Deletes grants inserted by hand for a non-existent agent, so that a new agent does not inherit them. */
export const deleteGrantsOfName = (trx: Trx, name: string) =>
  trx.deleteFrom('user_agent_permissions').where('agent_name', '=', name).execute()

export const insertAgent = async (
  trx: Trx,
  agent: { name: string; description: string; ownerId: number; tokenSha256: Buffer },
): Promise<string> => {
  const { name, description, ownerId, tokenSha256 } = agent
  const values = { name, description, owner_id: ownerId, created_by: ownerId, token_sha256: tokenSha256 }
  return (await trx.insertInto('agents').values(values).returning('id').executeTakeFirstOrThrow()).id
}

export const setAgent = (trx: Trx, agentId: string, change: { is_active?: boolean; description?: string }) =>
  trx.updateTable('agents').set(change).where('id', '=', agentId).execute()

export const deleteAgentRow = async (trx: Trx, agentId: string): Promise<boolean> =>
  (await trx.deleteFrom('agents').where('id', '=', agentId).executeTakeFirst()).numDeletedRows > 0n

export interface GrantRow extends Row<'user_agent_permissions'> {
  agent_id: string
  user_name: string
  board_title: string | null
  is_expired: boolean
}

const grants = (condition: RawBuilder<unknown>) => sql<GrantRow>`
  select g.*, a.id as agent_id, u.name as user_name, b.title as board_title,
    coalesce(g.expires_at <= now(), false) as is_expired
  from ${sql.table('user_agent_permissions')} g
  join ${sql.table('agents')} a on a.name = g.agent_name
  join ${sql.table('users')} u on u.id = g.user_id
  left join ${sql.table('boards')} b on b.id = g.board_id
  where ${condition}`

/** Grants of an agent, including expired ones, oldest first. @param userId only this user's; null: everybody's. */
export async function grantRows(
  db: Db,
  agentId: string,
  userId: number | null,
  after: number,
  limit: number,
): Promise<GrantRow[]> {
  const { rows } = await grants(sql`
    a.id = ${agentId}::uuid and g.id > ${after} and (${userId}::integer is null or g.user_id = ${userId}::integer)
    order by g.id limit ${limit}`).execute(db)
  return rows
}

export const grantRow = async (db: Db, agentId: string, grantId: number): Promise<GrantRow | undefined> =>
  (await grants(sql`a.id = ${agentId}::uuid and g.id = ${grantId}`).execute(db)).rows[0]

/** Creates or changes a grant. @returns its id, and whether it is new. */
export async function upsertGrant(
  trx: Trx,
  userId: number,
  agentName: string,
  grant: AgentGrantCreate,
): Promise<{ id: number; isNew: boolean }> {
  const { board_id, can_create, can_read, can_update, can_delete, expires_at = null } = grant
  const { rows } = await sql<{ id: number; isNew: boolean }>`
    insert into ${sql.table('user_agent_permissions')} as g
      (user_id, agent_name, board_id, can_create, can_read, can_update, can_delete, granted_by, expires_at)
    values (${userId}, ${agentName}, ${board_id}::uuid, ${can_create}, ${can_read}, ${can_update}, ${can_delete},
      ${userId}, ${expires_at}::timestamptz)
    on conflict on constraint user_agent_permissions_one_row do update set
      can_create = excluded.can_create, can_read = excluded.can_read, can_update = excluded.can_update,
      can_delete = excluded.can_delete, granted_by = excluded.granted_by, expires_at = excluded.expires_at
    returning g.id, xmax = 0 as "isNew"`.execute(trx)
  const [row] = rows
  if (row === undefined) throw new Error('an upsert returned no row')
  return row
}

export const deleteGrant = async (trx: Trx, grantId: number): Promise<boolean> =>
  (await trx.deleteFrom('user_agent_permissions').where('id', '=', grantId).executeTakeFirst())
    .numDeletedRows > 0n

/** Boards that the agent may have access to, most recently changed first; access decides. */
export async function boardsOfAgent(
  db: Db,
  agentId: string,
  limit: number,
): Promise<{ id: string; title: string }[]> {
  const { rows } = await sql<{ id: string; title: string }>`
    with granted as (
      select g.user_id, g.board_id from ${sql.table('user_agent_permissions')} g
      join ${sql.table('agents')} a on a.name = g.agent_name
      where a.id = ${agentId}::uuid and (g.expires_at is null or g.expires_at > now())
    ), reached as (
      select board_id from granted where board_id is not null
      union select b.id from granted g join ${sql.table('boards')} b on b.owner_id = g.user_id where g.board_id is null
      union select p.board_id from granted g join ${sql.table('board_permissions')} p on p.user_id = g.user_id
        where g.board_id is null
      union select l.board_id from granted g join ${sql.table('share_link_uses')} u on u.user_id = g.user_id
        join ${sql.table('share_links')} l on l.id = u.link_id where g.board_id is null and u.revoked_at is null
      union select b.id from granted g
        join ${sql.table('folder_permissions')} p on p.user_id = g.user_id
        join ${sql.table('folders')} f on p.folder_id = any (f.path)
        join ${sql.table('boards')} b on b.folder_id = f.id where g.board_id is null
      union select id from ${sql.table('boards')} where members_level is not null and deleted_at is null and exists (select from granted where board_id is null)
    )
    select b.id, b.title from reached
    cross join lateral (select * from ${sql.table('boards')} where id = reached.board_id limit 1) b
    where b.deleted_at is null order by b.updated_at desc, b.id limit ${limit}`.execute(db)
  return rows
}
