// Consent over HTTP. `/consent` is for whoever is signed in or a guest; `/boards/{id}/consent` is the same for whoever
// has a ticket, which is nobody anywhere else.
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
const ForBoard = strict({ board_id: Uuid.optional().describe('of this board; left out: of the instance') })

export function consentRoutes(deps: ConsentDeps & { access: Access }): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  /** Somebody without a right on a board is not told that it is there. */
  const mayKnow = async (identity: Identity, boardId: string | undefined): Promise<string | null> => {
    if (boardId === undefined) return null
    await requireRight(deps.access, identity, boardId)
    return boardId
  }
  /** Also on a board that was lost meanwhile; where nothing stands, only who may know of the board is told so. */
  const withdraw = async (identity: Identity, actor: Actor, boardId: string | undefined): Promise<void> => {
    const count = await withdrawConsent(deps, identity, actor, boardId ?? null)
    if (count === 0) await mayKnow(identity, boardId)
  }
  const statuses = errorAnswers(401, 403, 404, 409, 410, 413, 415)
  const given = {
    201: jsonAnswer(ConsentRecord, 'The record.'),
    200: jsonAnswer(ConsentRecord, 'It is on record already.'),
    ...statuses,
  }
  const withdrawn = { 204: { description: 'Withdrawn; open sockets are closed.' }, ...statuses }

  router.openapi(
    createRoute({
      method: 'get',
      path: '/consent',
      tags,
      summary: 'What I am asked to accept, and what I have accepted',
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
        'Exactly the versions that are asked, with every required category. Sent again, nothing changes; with other categories, a new record takes the place of the one before, which is withdrawn.',
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
      summary: 'Take consent back',
      description: 'Open sockets of the asker close with 4451 at once, on every device.',
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
      summary: 'What this board and its instance ask of me; also with a ticket',
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
      summary: 'Take back what I accepted for this board',
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
      summary: 'What this board asks for itself',
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
      summary: 'Ask for consent on this board, beside what the instance asks',
      description:
        'For those who manage it. Everybody who has not accepted is disconnected at once, the asker too. A version keeps its text for ever.',
      request: { params: BoardParams, body: jsonBody(ConsentTextCreate) },
      responses: { 200: jsonAnswer(ConsentTextResponse, 'Asked from now on.'), ...statuses },
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
      responses: { 204: { description: 'The board asks nothing of its own.' }, ...statuses },
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
