// Moderation, bringing everybody to a place, and access requests, over HTTP.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  AccessRequestAnswer,
  AccessRequestCreate,
  AccessRequestResponse,
  Moderation,
  ModerationResponse,
  OwnAccessRequest,
  Summon,
} from '../../shared/api/folders.ts'
import { listOf, PageQuery, Uuid } from '../../shared/api.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import { answerRequest, listRequests, ownRequest, requestAccess } from './access-requests.ts'
import type { BoardsDeps } from './deps.ts'
import { moderate, readModeration, summon } from './moderation.ts'
import { requireLevel, requireManage } from './require-level.ts'

const params = z.object({ board_id: Uuid })
const requestParams = params.extend({ request_id: z.coerce.number().int().min(1).max(2_147_483_647) })

export function moderationRoutes(deps: BoardsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/moderation',
      tags: ['moderation'],
      summary: 'Whether the board is view only, and who may write',
      request: { params },
      responses: {
        200: jsonAnswer(ModerationResponse, 'The current state.'),
        ...errorAnswers(401, 404, 410),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireLevel(deps.access, c.get('identity'), board_id, 'view')
      return c.json(await readModeration(deps, board_id), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/moderation',
      tags: ['moderation'],
      summary: 'Make the board view only, and choose who may write',
      description:
        'For the owner and administrators, who can still write. `open` gives everybody their levels back. Name speakers by one of their connections; the list replaces the previous one.',
      request: { params, body: jsonBody(Moderation) },
      responses: {
        200: jsonAnswer(ModerationResponse, 'The current state; open connections are updated at once.'),
        ...errorAnswers(401, 403, 404, 409, 410, 413, 415),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      return c.json(await moderate(deps, c.get('actor'), board_id, c.req.valid('json')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/summon',
      tags: ['moderation'],
      summary: 'Bring everybody to a place on the board',
      request: { params, body: jsonBody(Summon) },
      responses: {
        204: { description: 'Sent to everybody on the board.' },
        ...errorAnswers(401, 403, 404, 410, 413, 415),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      await summon(deps, c.get('actor'), board_id, c.req.valid('json'))
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/access-requests',
      tags: ['access requests'],
      summary: 'Request access, or a higher level',
      description:
        'For people who are signed in, and guests of the board. The response is the same for a board that does not exist.',
      request: { params, body: jsonBody(AccessRequestCreate) },
      responses: {
        202: { description: 'Passed on to the people who manage the board.' },
        ...errorAnswers(401, 403, 409, 413, 415),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requestAccess(deps, c.get('identity'), c.get('actor'), board_id, c.req.valid('json'))
      return c.body(null, 202)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/access-requests',
      tags: ['access requests'],
      summary: 'List access requests',
      request: {
        params,
        query: PageQuery.extend({ answered: z.enum(['true', 'false']).default('false') }),
      },
      responses: {
        200: jsonAnswer(listOf(AccessRequestResponse), 'One page, oldest first.'),
        ...errorAnswers(401, 403, 404, 410),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      const { answered, ...page } = c.req.valid('query')
      return c.json(await listRequests(deps, board_id, { ...page, answered: answered === 'true' }), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/access-requests/own',
      tags: ['access requests'],
      summary: 'Whether your own request was answered',
      description: 'For the requester. The response is the same for a board that does not exist.',
      request: { params },
      responses: { 200: jsonAnswer(OwnAccessRequest, 'As it is now.'), ...errorAnswers(401) },
    }),
    async (c) => c.json(await ownRequest(deps, c.get('identity'), c.req.valid('param').board_id), 200),
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/access-requests/{request_id}/answer',
      tags: ['access requests'],
      summary: 'Grant a level, or decline',
      request: { params: requestParams, body: jsonBody(AccessRequestAnswer) },
      responses: {
        200: jsonAnswer(AccessRequestResponse, 'The request with its answer.'),
        ...errorAnswers(401, 403, 404, 409, 410, 413, 415),
      },
    }),
    async (c) => {
      const { board_id, request_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      return c.json(await answerRequest(deps, c.get('actor'), board_id, request_id, c.req.valid('json')), 200)
    },
  )

  return router
}
