// Agents, as far as finding out who asks goes: the SQL.
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Row } from '../database/tables.ts'
import { isAgentToken } from './agent-tokens.ts'
import { sha256Of } from './secret.ts'

export type WorkingAgent = Pick<Row<'agents'>, 'id' | 'name'>

/** The agent behind a token, where it works: it is on, and whoever owns it is active. */
export async function agentByToken(db: Db, token: string): Promise<WorkingAgent | undefined> {
  if (!isAgentToken(token)) return undefined
  const agent = await workingAgent(db, sql`a.token_sha256 = ${sha256Of(token)}`)
  if (agent === undefined) return undefined
  // To the minute, so that a busy agent is not a busy row.
  if (agent.isStale)
    await db
      .updateTable('agents')
      .set({ last_used_at: sql<Date>`now()` })
      .where('id', '=', agent.id)
      .execute()
  return { id: agent.id, name: agent.name }
}

export const agentById = (db: Db, agentId: string): Promise<WorkingAgent | undefined> =>
  workingAgent(db, sql`a.id = ${agentId}::uuid`)

async function workingAgent(db: Db, condition: RawBuilder<unknown>) {
  const { rows } = await sql<WorkingAgent & { isStale: boolean }>`
    select a.id, a.name, coalesce(a.last_used_at < now() - interval '1 minute', true) as "isStale"
    from ${sql.table('agents')} a join ${sql.table('users')} o on o.id = a.owner_id
    where ${condition} and a.is_active and o.is_active`.execute(db)
  return rows[0]
}
