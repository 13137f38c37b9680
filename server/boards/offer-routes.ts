// Offers to hand over a board, over HTTP.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { BoardOfferAnswer, BoardOfferResponse, listOf, Uuid } from '../../shared/api.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import type { BoardsDeps } from './deps.ts'
import { folderUser } from './folders/folders.ts'
import { answerOffer, listOffers, withdrawOffer } from './offers.ts'
import { requireManage } from './require-level.ts'

const params = z.object({ board_id: Uuid })
const tags = ['boards']

export function offerRoutes(deps: BoardsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'get',
      path: '/board-offers',
      tags,
      summary: 'Boards that somebody wants to hand over to you',
      responses: { 200: jsonAnswer(listOf(BoardOfferResponse), 'Newest first.'), ...errorAnswers(401, 403) },
    }),
    async (c) => c.json(await listOffers(deps.db, folderUser(c.get('identity')).userId), 200),
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/board-offers/{board_id}/answer',
      tags,
      summary: 'Accept or decline an offered board',
      request: { params, body: jsonBody(BoardOfferAnswer) },
      responses: { 204: { description: 'Done.' }, ...errorAnswers(401, 403, 404, 410, 413, 415) },
    }),
    async (c) => {
      const { userId } = folderUser(c.get('identity'))
      const { board_id } = c.req.valid('param')
      await answerOffer(deps, c.get('actor'), board_id, userId, c.req.valid('json').accept)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/boards/{board_id}/offer',
      tags,
      summary: 'Withdraw the offer to hand over a board',
      request: { params },
      responses: { 204: { description: 'Taken back.' }, ...errorAnswers(401, 403, 404, 410) },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      await withdrawOffer(deps, c.get('actor'), board_id)
      return c.body(null, 204)
    },
  )

  return router
}
