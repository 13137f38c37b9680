// The SQL for identifying agents.
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Row } from '../database/tables.ts'
import { isAgentToken } from './agent-tokens.ts'
import { sha256Of } from './secret.ts'

export type WorkingAgent = Pick<Row<'agents'>, 'id' | 'name'>

/** The agent that a token belongs to, if it is switched on and its owner is active. */
export async function agentByToken(db: Db, token: string): Promise<WorkingAgent | undefined> {
  if (!isAgentToken(token)) return undefined
  const agent = await workingAgent(db, sql`a.token_sha256 = ${sha256Of(token)}`)
  if (agent === undefined) return undefined
  // Only once a minute, so that a busy agent does not cause constant writes.
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
