// Creating, stopping and deleting agents. Database triggers record and announce every change.
import { z } from 'zod'
import type {
  AgentCreate,
  AgentCreated,
  AgentListQuery,
  AgentResponse,
  AgentUpdate,
} from '../../shared/api/agents.ts'
import { newAgentToken } from '../accounts/agent-tokens.ts'
import { transactionAs } from '../audit/actor.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor, Identity, Role } from '../principal.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import type { AgentsDeps } from './deps.ts'
import {
  type AgentRow,
  agentRow,
  agentRows,
  deleteAgentRow,
  deleteGrantsOfName,
  insertAgent,
  nameIsTaken,
  ownsAgents,
  setAgent,
} from './queries.ts'

const mostAgentsOfAnOwner = 100

/** A signed-in user with an account: tickets are only for boards, and agents cannot create agents. */
export interface Keeper {
  userId: number
  role: Role
}

/** @throws BoardroomError not_signed_in | access_denied */
export function keeperOf({ principal, boardId }: Identity): Keeper {
  if (principal.kind === 'anonymous') throw new BoardroomError('not_signed_in', 'sign in to manage agents')
  if (principal.kind !== 'user' || boardId !== null)
    throw new BoardroomError('access_denied', 'only signed-in people with an account can manage agents')
  return { userId: principal.userId, role: principal.role }
}

const administers = ({ role }: Keeper): boolean => role !== 'user'

/** @throws BoardroomError conflict (the name is taken, or too many) */
export async function createAgent(
  deps: AgentsDeps,
  keeper: Keeper,
  actor: Actor,
  body: AgentCreate,
): Promise<AgentCreated> {
  const { secret: token, sha256 } = newAgentToken()
  const id = await transactionAs(deps.db, actor, async (trx) => {
    if (await ownsAgents(trx, keeper.userId, mostAgentsOfAnOwner))
      throw new BoardroomError(
        'conflict',
        `one account may own ${mostAgentsOfAnOwner} agents; delete some first`,
      )
    if (await nameIsTaken(trx, body.name))
      throw new BoardroomError('conflict', 'name: there is already an agent with this name; choose another')
    await deleteGrantsOfName(trx, body.name)
    const { name, description = '' } = body
    return insertAgent(trx, {
      name,
      description,
      ownerId: keeper.userId,
      tokenSha256: sha256,
    })
  })
  return { ...(await readAgent(deps, keeper, id)), token }
}

/** @throws BoardroomError access_denied (scope) | invalid_request (cursor) */
export async function listAgents(
  deps: AgentsDeps,
  keeper: Keeper,
  { scope, limit, cursor }: AgentListQuery,
): Promise<{ items: AgentResponse[]; next_cursor: string | null }> {
  if (scope === 'instance' && !administers(keeper))
    throw new BoardroomError('access_denied', 'scope: only administrators can list everybody’s agents')
  const question = ['agents', scope, keeper.userId]
  const after = positionOf(question, cursor, { key: z.string().max(100), id: z.uuid() })
  const rows = await agentRows(deps.db, scope === 'instance' ? null : keeper.userId, after, limit + 1)
  const page = pageOf(question, rows, limit, ({ name, id }) => ({ key: name, id }))
  return { items: page.rows.map((row) => responseOf(row, keeper)), next_cursor: page.next_cursor }
}

/** @throws BoardroomError not_found */
export async function readAgent(deps: AgentsDeps, keeper: Keeper, agentId: string): Promise<AgentResponse> {
  return responseOf(await visibleAgent(deps, agentId), keeper)
}

/** Everybody who knows the id, which the owner has shared with them, may see the agent and grant it rights. */
export async function visibleAgent(deps: AgentsDeps, agentId: string): Promise<AgentRow> {
  const agent = await agentRow(deps.db, agentId)
  if (agent === undefined) throw new BoardroomError('not_found', 'there is no such agent')
  return agent
}

/** @throws BoardroomError not_found | access_denied */
async function keptAgent(deps: AgentsDeps, keeper: Keeper, agentId: string): Promise<AgentRow> {
  const agent = await visibleAgent(deps, agentId)
  if (!keeps(keeper, agent))
    throw new BoardroomError('access_denied', 'only the owner of this agent or an administrator may do this')
  return agent
}

export const keeps = (keeper: Keeper, agent: AgentRow): boolean =>
  agent.owner_id === keeper.userId || administers(keeper)

/** @throws BoardroomError not_found | access_denied */
export async function updateAgent(
  deps: AgentsDeps,
  keeper: Keeper,
  actor: Actor,
  asked: { agentId: string; change: AgentUpdate },
): Promise<AgentResponse> {
  const { agentId, change } = asked
  await keptAgent(deps, keeper, agentId)
  const { is_active, description } = change
  await transactionAs(deps.db, actor, (trx) =>
    setAgent(trx, agentId, {
      ...(is_active === undefined ? {} : { is_active }),
      ...(description === undefined ? {} : { description }),
    }),
  )
  return readAgent(deps, keeper, agentId)
}

/** Its grants are deleted too, and its connections end. @throws BoardroomError not_found | access_denied */
export async function deleteAgent(
  deps: AgentsDeps,
  keeper: Keeper,
  actor: Actor,
  agentId: string,
): Promise<void> {
  await keptAgent(deps, keeper, agentId)
  await transactionAs(deps.db, actor, (trx) => deleteAgentRow(trx, agentId))
}

const responseOf = (row: AgentRow, keeper: Keeper): AgentResponse => ({
  id: row.id,
  name: row.name,
  description: row.description,
  owner_id: row.owner_id,
  owner_name: row.owner_name,
  is_active: row.is_active,
  is_working: row.is_active && row.owner_active,
  created_at: row.created_at.toISOString(),
  last_used_at: row.last_used_at?.toISOString() ?? null,
  may_manage: keeps(keeper, row),
})
