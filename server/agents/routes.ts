// Agents over HTTP, for their owners and for the people they act for.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  AgentCreate,
  AgentCreated,
  AgentGrantCreate,
  AgentGrantResponse,
  AgentListQuery,
  AgentResponse,
  AgentUpdate,
} from '../../shared/api/agents.ts'
import { listOf, PageQuery, Uuid } from '../../shared/api.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import { createAgent, deleteAgent, keeperOf, listAgents, readAgent, updateAgent } from './agents.ts'
import type { AgentsDeps } from './deps.ts'
import { agentEditRoutes } from './edit-routes.ts'
import { grantAgent, listGrants, revokeGrant } from './grants.ts'

const params = z.object({ agent_id: Uuid })
const grantParams = params.extend({ grant_id: z.coerce.number().int().min(1).max(2_147_483_647) })
const tags = ['agents']

/** `/agents` and what is under it. */
export function agentRoutes(deps: AgentsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'post',
      path: '/agents',
      tags,
      summary: 'Create an agent',
      description: 'It belongs to you, and may do nothing until somebody grants it rights.',
      request: { body: jsonBody(AgentCreate) },
      responses: {
        201: jsonAnswer(AgentCreated, 'The new agent; `token` is shown only once.'),
        ...errorAnswers(401, 403, 409, 413, 415),
      },
    }),
    async (c) => {
      const keeper = keeperOf(c.get('identity'))
      return c.json(await createAgent(deps, keeper, c.get('actor'), c.req.valid('json')), 201)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/agents',
      tags,
      summary: 'List agents, by name',
      request: { query: AgentListQuery },
      responses: { 200: jsonAnswer(listOf(AgentResponse), 'One page.'), ...errorAnswers(401, 403) },
    }),
    async (c) => c.json(await listAgents(deps, keeperOf(c.get('identity')), c.req.valid('query')), 200),
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/agents/{agent_id}',
      tags,
      summary: 'Get an agent',
      request: { params },
      responses: { 200: jsonAnswer(AgentResponse, 'The agent.'), ...errorAnswers(401, 403, 404) },
    }),
    async (c) =>
      c.json(await readAgent(deps, keeperOf(c.get('identity')), c.req.valid('param').agent_id), 200),
  )

  router.openapi(
    createRoute({
      method: 'patch',
      path: '/agents/{agent_id}',
      tags,
      summary: 'Stop or restart an agent',
      description: 'A stopped agent is disconnected everywhere at once; its grants stay.',
      request: { params, body: jsonBody(AgentUpdate) },
      responses: {
        200: jsonAnswer(AgentResponse, 'The agent.'),
        ...errorAnswers(401, 403, 404, 413, 415),
      },
    }),
    async (c) => {
      const asked = { agentId: c.req.valid('param').agent_id, change: c.req.valid('json') }
      return c.json(await updateAgent(deps, keeperOf(c.get('identity')), c.get('actor'), asked), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/agents/{agent_id}',
      tags,
      summary: 'Delete an agent and its grants',
      request: { params },
      responses: { 204: { description: 'Gone.' }, ...errorAnswers(401, 403, 404) },
    }),
    async (c) => {
      await deleteAgent(deps, keeperOf(c.get('identity')), c.get('actor'), c.req.valid('param').agent_id)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/agents/{agent_id}/grants',
      tags,
      summary: 'Let an agent act for you',
      description:
        'On one board or, with `"board_id": null`, on all boards that you may open (except those that you can open only as an administrator). It can never do more than you may do at that time. Replaces your earlier grant.',
      request: { params, body: jsonBody(AgentGrantCreate) },
      responses: {
        200: jsonAnswer(AgentGrantResponse, 'The grant was changed.'),
        201: jsonAnswer(AgentGrantResponse, 'The grant was created.'),
        ...errorAnswers(401, 403, 404, 409, 410, 413, 415),
      },
    }),
    async (c) => {
      const asked = { agentId: c.req.valid('param').agent_id, grant: c.req.valid('json') }
      const { grant, isNew } = await grantAgent(deps, keeperOf(c.get('identity')), c.get('actor'), asked)
      return c.json(grant, isNew ? 201 : 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/agents/{agent_id}/grants',
      tags,
      summary: 'List an agent’s grants',
      description: 'Its owner and administrators see all grants, others only their own.',
      request: { params, query: PageQuery },
      responses: {
        200: jsonAnswer(listOf(AgentGrantResponse), 'One page, including expired ones, oldest first.'),
        ...errorAnswers(401, 403, 404),
      },
    }),
    async (c) => {
      const { agent_id } = c.req.valid('param')
      return c.json(await listGrants(deps, keeperOf(c.get('identity')), agent_id, c.req.valid('query')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/agents/{agent_id}/grants/{grant_id}',
      tags,
      summary: 'Revoke a grant',
      description:
        'For the person who gave it, the agent’s owner, managers of its board, and administrators. The agent’s connections end at once.',
      request: { params: grantParams },
      responses: { 204: { description: 'Taken back.' }, ...errorAnswers(401, 403, 404) },
    }),
    async (c) => {
      const { agent_id: agentId, grant_id: grantId } = c.req.valid('param')
      await revokeGrant(deps, keeperOf(c.get('identity')), c.get('actor'), { agentId, grantId })
      return c.body(null, 204)
    },
  )

  router.route('/', agentEditRoutes(deps))
  return router
}
