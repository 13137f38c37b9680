// Grants: what an agent may do for somebody. Only that person can give one; they, the agent's owner, managers of the
// board and administrators can revoke it.
import { z } from 'zod'
import type { AgentGrantCreate, AgentGrantResponse } from '../../shared/api/agents.ts'
import type { PageQuery } from '../../shared/api.ts'
import { transactionAs } from '../audit/actor.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import type { AccessSubject } from '../rooms/ports.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import { type Keeper, keeps, visibleAgent } from './agents.ts'
import type { AgentsDeps } from './deps.ts'
import { deleteGrant, type GrantRow, grantRow, grantRows, upsertGrant } from './queries.ts'

const subjectOf = ({ userId }: Keeper, boardId: string): AccessSubject => ({
  boardId,
  userId,
  guestId: null,
  agentId: null,
  sessionId: null,
  maxLevel: null,
})

/**
 * Lets an agent act for the asker on one board, or on all boards they may open; replaces an earlier grant.
 * @throws BoardroomError not_found (agent, or board) | board_deleted | invalid_request (expires_at) |
 *   conflict (the agent is not active)
 */
export async function grantAgent(
  deps: AgentsDeps,
  keeper: Keeper,
  actor: Actor,
  asked: { agentId: string; grant: AgentGrantCreate },
): Promise<{ grant: AgentGrantResponse; isNew: boolean }> {
  const { agentId, grant } = asked
  const agent = await visibleAgent(deps, agentId)
  if (!agent.is_active || !agent.owner_active)
    throw new BoardroomError('conflict', 'this agent is stopped or its owner is deactivated; start it first')
  if (grant.expires_at != null && Date.parse(grant.expires_at) <= Date.now())
    throw new BoardroomError('invalid_request', 'expires_at: expected a time in the future', {
      details: { in: 'json', issues: [{ path: 'expires_at', message: 'is in the past' }] },
    })
  if (grant.board_id !== null) {
    const decision = await deps.access.decideOne(subjectOf(keeper, grant.board_id))
    if (decision.board === 'deleted') throw new BoardroomError('board_deleted', 'this board is deleted')
    if (decision.level === null) throw new BoardroomError('not_found', 'there is no such board')
  }
  const { id, isNew } = await transactionAs(deps.db, actor, (trx) =>
    upsertGrant(trx, keeper.userId, agent.name, grant),
  )
  const row = await grantRow(deps.db, agentId, id)
  if (row === undefined) throw new BoardroomError('conflict', 'the grant was revoked at the same moment')
  return { grant: responseOf(row, true), isNew }
}

/** All grants for the agent's owner and administrators; for others only their own. @throws BoardroomError not_found */
export async function listGrants(
  deps: AgentsDeps,
  keeper: Keeper,
  agentId: string,
  { limit, cursor }: PageQuery,
): Promise<{ items: AgentGrantResponse[]; next_cursor: string | null }> {
  const agent = await visibleAgent(deps, agentId)
  const question = ['agent grants', agentId, keeper.userId]
  const after = positionOf(question, cursor, { key: z.literal(''), id: z.string().regex(/^\d{1,10}$/) })
  const onlyOf = keeps(keeper, agent) ? null : keeper.userId
  const rows = await grantRows(deps.db, agentId, onlyOf, Number(after?.id ?? 0), limit + 1)
  const page = pageOf(question, rows, limit, ({ id }) => ({ key: '', id: String(id) }))
  // The owner of an agent learns whom it acts for, but not the titles of that person's boards.
  const named = page.rows.filter(({ board_id }) => board_id !== null)
  const decisions = await deps.access.decide(named.map(({ board_id }) => subjectOf(keeper, board_id ?? '')))
  const seen = new Set(named.filter((_, at) => decisions[at]?.level != null).map(({ id }) => id))
  return { items: page.rows.map((row) => responseOf(row, seen.has(row.id))), next_cursor: page.next_cursor }
}

/** @throws BoardroomError not_found */
export async function revokeGrant(
  deps: AgentsDeps,
  keeper: Keeper,
  actor: Actor,
  asked: { agentId: string; grantId: number },
): Promise<void> {
  const agent = await visibleAgent(deps, asked.agentId)
  const row = await grantRow(deps.db, asked.agentId, asked.grantId)
  const may =
    row !== undefined &&
    (row.user_id === keeper.userId || keeps(keeper, agent) || (await manages(deps, keeper, row.board_id)))
  if (!may) throw new BoardroomError('not_found', 'this agent has no such grant that you could revoke')
  await transactionAs(deps.db, actor, (trx) => deleteGrant(trx, asked.grantId))
}

const manages = async (deps: AgentsDeps, keeper: Keeper, boardId: string | null): Promise<boolean> =>
  boardId !== null && (await deps.access.decideOne(subjectOf(keeper, boardId))).mayManage

const responseOf = (row: GrantRow, seesBoard: boolean): AgentGrantResponse => ({
  id: row.id,
  agent_id: row.agent_id,
  agent_name: row.agent_name,
  user_id: row.user_id,
  user_name: row.user_name,
  board_id: row.board_id,
  board_title: seesBoard ? row.board_title : null,
  can_create: row.can_create,
  can_read: row.can_read,
  can_update: row.can_update,
  can_delete: row.can_delete,
  granted_by: row.granted_by,
  created_at: row.created_at.toISOString(),
  expires_at: row.expires_at?.toISOString() ?? null,
  is_expired: row.is_expired,
})
