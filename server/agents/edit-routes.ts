// An agent's edits over HTTP: list and undo.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { AgentEditQuery, AgentEditResponse, AgentUndo, AgentUndone } from '../../shared/api/agents.ts'
import { listOf, Uuid } from '../../shared/api.ts'
import { subjectOf } from '../boards/access.ts'
import { requireLevel } from '../boards/require-level.ts'
import { BoardroomError } from '../errors.ts'
import { principalKey } from '../principal.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import { keeperOf, visibleAgent } from './agents.ts'
import type { AgentsDeps } from './deps.ts'
import { editsOf, titlesOf } from './journal-queries.ts'
import { undoAgent } from './undo.ts'

const tags = ['agents']

export function agentEditRoutes(deps: AgentsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'get',
      path: '/agents/{agent_id}/edits',
      tags,
      summary: 'List an agent’s edits to elements, newest first',
      description:
        'With the old and new values of what it changed, on boards that the asker may open; kept for 30 days, or what BOARDROOM_RETENTION says.',
      request: { params: z.object({ agent_id: Uuid }), query: AgentEditQuery },
      responses: {
        200: jsonAnswer(
          listOf(AgentEditResponse),
          'One page; it may be shorter than its limit even if there is a next_cursor.',
        ),
        ...errorAnswers(401, 403, 404),
      },
    }),
    async (c) => {
      const identity = c.get('identity')
      keeperOf(identity)
      const { agent_id } = c.req.valid('param')
      const { limit, cursor } = c.req.valid('query')
      await visibleAgent(deps, agent_id)
      await deps.journal.flush()
      const rows = await editsOf(deps.db, agent_id, cursor ?? null, limit + 1)
      const page = rows.slice(0, limit)
      const ids = [...new Set(page.map(({ board_id }) => board_id))]
      const decisions = await deps.access.decide(ids.map((id) => subjectOf(identity, id)))
      const open = ids.filter((_, at) => decisions[at]?.level != null)
      const titles = new Map((await titlesOf(deps.db, open)).map(({ id, title }) => [id, title]))
      const items = page.flatMap((row) => {
        const title = titles.get(row.board_id)
        if (title === undefined) return []
        const { id, board_id, element_id, change, old_values, new_values, created_at, undone_at } = row
        return {
          id,
          board_id,
          board_title: title,
          element_id,
          change,
          old_values,
          new_values,
          created_at: created_at.toISOString(),
          undone_at: undone_at?.toISOString() ?? null,
        }
      })
      return c.json({ items, next_cursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null }, 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/agents/{agent_id}/undo',
      tags,
      summary: 'Undo all edits that an agent made on this board since a given time, in one step',
      description:
        'Everybody sees it live, like any other edit. Properties that somebody else has changed since then are kept and counted.',
      request: { params: z.object({ board_id: Uuid, agent_id: Uuid }), body: jsonBody(AgentUndo) },
      responses: {
        200: jsonAnswer(AgentUndone, 'What was undone.'),
        ...errorAnswers(401, 403, 404, 410, 413, 415, 507),
      },
    }),
    async (c) => {
      const identity = c.get('identity')
      const { board_id: boardId, agent_id: agentId } = c.req.valid('param')
      await requireLevel(deps.access, identity, boardId, 'edit')
      if (identity.principal.kind === 'agent')
        throw new BoardroomError('access_denied', 'agents cannot undo each other; ask a person')
      const since = new Date(c.req.valid('json').since)
      const asked = { boardId, agentId, since }
      return c.json(await undoAgent(deps, c.get('actor'), principalKey(identity.principal), asked), 200)
    },
  )

  return router
}
