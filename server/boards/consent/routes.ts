// Consent over HTTP. `/consent` is for users and guests; `/boards/{id}/consent` is the same for holders of a ticket, who
// are anonymous on other routes.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  ConsentCreate,
  ConsentRecord,
  ConsentResponse,
  ConsentTextCreate,
  ConsentTextResponse,
} from '../../../shared/api/consent.ts'
import { strict } from '../../../shared/api/fields.ts'
import { Uuid } from '../../../shared/api.ts'
import type { Actor, Identity } from '../../principal.ts'
import type { Access } from '../../rooms/ports.ts'
import type { HttpEnv } from '../../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../../routing/router.ts'
import { requireManage, requireRight } from '../require-level.ts'
import {
  askNoMore,
  askOnBoard,
  type ConsentDeps,
  giveConsent,
  readBoardText,
  readConsent,
  withdrawConsent,
} from './consent.ts'

const tags = ['consent']
const BoardParams = z.object({ board_id: Uuid })
const ForBoard = strict({ board_id: Uuid.optional().describe('the board; default: the instance') })

export function consentRoutes(deps: ConsentDeps & { access: Access }): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  /** People without any right on a board must not learn that it exists. */
  const mayKnow = async (identity: Identity, boardId: string | undefined): Promise<string | null> => {
    if (boardId === undefined) return null
    await requireRight(deps.access, identity, boardId)
    return boardId
  }
  /** Also for a board that the asker can no longer open; if there is no record, only those who may see the board are told so. */
  const withdraw = async (identity: Identity, actor: Actor, boardId: string | undefined): Promise<void> => {
    const count = await withdrawConsent(deps, identity, actor, boardId ?? null)
    if (count === 0) await mayKnow(identity, boardId)
  }
  const statuses = errorAnswers(401, 403, 404, 409, 410, 413, 415)
  const given = {
    201: jsonAnswer(ConsentRecord, 'The record.'),
    200: jsonAnswer(ConsentRecord, 'It was already on record.'),
    ...statuses,
  }
  const withdrawn = { 204: { description: 'Withdrawn; open sockets are closed.' }, ...statuses }

  router.openapi(
    createRoute({
      method: 'get',
      path: '/consent',
      tags,
      summary: 'List what you are asked to accept, and what you have accepted',
      request: { query: ForBoard },
      responses: { 200: jsonAnswer(ConsentResponse, 'Both.'), ...statuses },
    }),
    async (c) => {
      const identity = c.get('identity')
      const boardId = await mayKnow(identity, c.req.valid('query').board_id)
      return c.json(await readConsent(deps, identity, boardId), 200)
    },
  )
  router.openapi(
    createRoute({
      method: 'post',
      path: '/consent',
      tags,
      summary: 'Accept',
      description:
        'Name exactly the current versions, with every required category. Repeating the request changes nothing; with other categories, a new record replaces the previous one, which is withdrawn.',
      request: { body: jsonBody(ConsentCreate) },
      responses: given,
    }),
    async (c) => {
      const identity = c.get('identity')
      const body = c.req.valid('json')
      await mayKnow(identity, body.board_id)
      const { record, isNew } = await giveConsent(deps, identity, c.get('actor'), body)
      return c.json(record, isNew ? 201 : 200)
    },
  )
  router.openapi(
    createRoute({
      method: 'delete',
      path: '/consent',
      tags,
      summary: 'Withdraw consent',
      description: 'Your open sockets close with 4451 at once, on every device.',
      request: { query: ForBoard },
      responses: withdrawn,
    }),
    async (c) => {
      await withdraw(c.get('identity'), c.get('actor'), c.req.valid('query').board_id)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/consent',
      tags,
      summary: 'What this board and its instance ask you to accept; also with a ticket',
      request: { params: BoardParams },
      responses: { 200: jsonAnswer(ConsentResponse, 'Both.'), ...statuses },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await mayKnow(c.get('identity'), board_id)
      return c.json(await readConsent(deps, c.get('identity'), board_id), 200)
    },
  )
  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/consent',
      tags,
      summary: 'Accept, also with a ticket',
      description: 'A body without `board_id` accepts the instance’s text.',
      request: { params: BoardParams, body: jsonBody(ConsentCreate) },
      responses: given,
    }),
    async (c) => {
      await mayKnow(c.get('identity'), c.req.valid('param').board_id)
      const body = c.req.valid('json')
      await mayKnow(c.get('identity'), body.board_id)
      const { record, isNew } = await giveConsent(deps, c.get('identity'), c.get('actor'), body)
      return c.json(record, isNew ? 201 : 200)
    },
  )
  router.openapi(
    createRoute({
      method: 'delete',
      path: '/boards/{board_id}/consent',
      tags,
      summary: 'Withdraw your consent for this board',
      request: { params: BoardParams },
      responses: withdrawn,
    }),
    async (c) => {
      await withdraw(c.get('identity'), c.get('actor'), c.req.valid('param').board_id)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/consent-text',
      tags,
      summary: 'The text that this board requires',
      request: { params: BoardParams },
      responses: { 200: jsonAnswer(ConsentTextResponse, 'The text.'), ...statuses },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireRight(deps.access, c.get('identity'), board_id)
      return c.json(await readBoardText(deps, board_id), 200)
    },
  )
  router.openapi(
    createRoute({
      method: 'put',
      path: '/boards/{board_id}/consent-text',
      tags,
      summary: 'Require consent on this board, in addition to that of the instance',
      description:
        'For managers of the board. Everybody who has not accepted is disconnected at once, including you. The text of a version can never change.',
      request: { params: BoardParams, body: jsonBody(ConsentTextCreate) },
      responses: { 200: jsonAnswer(ConsentTextResponse, 'Required from now on.'), ...statuses },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id, { withoutConsent: true })
      return c.json(await askOnBoard(deps, c.get('actor'), board_id, c.req.valid('json')), 200)
    },
  )
  router.openapi(
    createRoute({
      method: 'delete',
      path: '/boards/{board_id}/consent-text',
      tags,
      summary: 'Ask no more',
      request: { params: BoardParams },
      responses: { 204: { description: 'The board no longer requires consent of its own.' }, ...statuses },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id, { withoutConsent: true })
      await askNoMore(deps, c.get('actor'), board_id)
      return c.body(null, 204)
    },
  )
  return router
}
