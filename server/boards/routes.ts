// Boards over HTTP. Each handler checks access, calls the service, and responds.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { BoardCreate, BoardListQuery, BoardResponse, BoardUpdate, listOf, Uuid } from '../../shared/api.ts'
import { requireScopeToGrant } from '../accounts/service-keys/scopes.ts'
import { BoardroomError } from '../errors.ts'
import type { Identity } from '../principal.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import { addStar, removeStar } from './board-queries.ts'
import {
  boardResponse,
  createBoard,
  deleteBoard,
  duplicateBoard,
  listBoards,
  purgeBoard,
  readBoard,
  restoreBoard,
  updateBoard,
} from './boards.ts'
import { requireInstanceConsent } from './consent/consent.ts'
import { consentRoutes } from './consent/routes.ts'
import type { BoardsDeps } from './deps.ts'
import { folderUser, requireFolder } from './folders/folders.ts'
import { folderRoutes } from './folders/routes.ts'
import { libraryRoutes } from './library/routes.ts'
import { LinkPasswords } from './link-password.ts'
import { moderationRoutes } from './moderation-routes.ts'
import { offerRoutes } from './offer-routes.ts'
import { offerBoard } from './offers.ts'
import { peopleRoutes } from './people-routes.ts'
import { granterOf, permissionRoutes } from './permission-routes.ts'
import { recordRoutes } from './records/routes.ts'
import { requireLevel, requireManage } from './require-level.ts'
import { shareLinkRoutes } from './share-link-routes.ts'
import { templateRoutes } from './templates/routes.ts'

export const BoardParams = z.object({ board_id: Uuid })
const tags = ['boards']

/** Everything under `/boards` and `/share-links`. */
export function boardsRoutes(deps: BoardsDeps): OpenAPIHono<HttpEnv> {
  const router = boardRoutes(deps)
  router.route('/', permissionRoutes(deps))
  router.route('/', shareLinkRoutes({ ...deps, passwords: new LinkPasswords() }))
  router.route('/', peopleRoutes(deps))
  router.route('/', offerRoutes(deps))
  router.route('/', folderRoutes(deps))
  router.route('/', libraryRoutes(deps))
  router.route('/', moderationRoutes(deps))
  router.route('/', consentRoutes(deps))
  router.route('/', templateRoutes(deps))
  router.route('/', recordRoutes(deps))
  return router
}

function boardRoutes(deps: BoardsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  const userOf = ({ principal }: Identity): number | null =>
    principal.kind === 'user' ? principal.userId : null
  /** A new or changed board, as its manager sees it. */
  const managed = async (identity: Identity, boardId: string) =>
    boardResponse(await readBoard(deps, boardId, userOf(identity)), { level: 'edit', mayManage: true })

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards',
      tags,
      summary: 'Create a board',
      request: { body: jsonBody(BoardCreate) },
      responses: {
        201: jsonAnswer(BoardResponse, 'The new board; you own it.'),
        ...errorAnswers(401, 403, 404, 409, 410, 413, 415),
      },
    }),
    async (c) => {
      const body = c.req.valid('json')
      const identity = c.get('identity')
      requireScopeToGrant(identity, body, c.req.method)
      await requireInstanceConsent(deps, identity)
      if (body.folder_id !== undefined)
        await requireFolder(deps.db, folderUser(identity), body.folder_id, 'edit')
      return c.json(await managed(identity, await createBoard(deps, c.get('actor'), body)), 201)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards',
      tags,
      summary: 'List boards',
      description:
        'Boards that you own or have access to, most recently changed first by default. A page may be shorter than its limit and still have a next_cursor.',
      request: { query: BoardListQuery },
      responses: { 200: jsonAnswer(listOf(BoardResponse), 'One page.'), ...errorAnswers(401, 403) },
    }),
    async (c) => {
      // Browsers list the preferred language first.
      const language =
        /^\s*([a-z]{2,3})\b/i.exec(c.req.header('accept-language') ?? '')?.[1]?.toLowerCase() ?? 'und'
      return c.json(await listBoards(deps, c.get('identity'), c.req.valid('query'), language), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}',
      tags,
      summary: 'Get a board',
      request: { params: BoardParams },
      responses: {
        200: jsonAnswer(BoardResponse, 'The board, and what you may do.'),
        ...errorAnswers(401, 404, 410),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      const decision = await requireLevel(deps.access, c.get('identity'), board_id, 'view')
      return c.json(boardResponse(await readBoard(deps, board_id, userOf(c.get('identity'))), decision), 200)
    },
  )

  for (const [method, summary, set] of [
    ['put', 'Star a board', addStar],
    ['delete', 'Unstar a board', removeStar],
  ] as const) {
    router.openapi(
      createRoute({
        method,
        path: '/boards/{board_id}/star',
        tags,
        summary,
        request: { params: BoardParams },
        responses: {
          204: { description: 'Done; stars are personal.' },
          ...errorAnswers(401, 403, 404, 410),
        },
      }),
      async (c) => {
        const { board_id } = c.req.valid('param')
        const { userId } = folderUser(c.get('identity'))
        await requireLevel(deps.access, c.get('identity'), board_id, 'view')
        await set(deps.db, board_id, userId)
        return c.body(null, 204)
      },
    )
  }

  router.openapi(
    createRoute({
      method: 'patch',
      path: '/boards/{board_id}',
      tags,
      summary: 'Change a board: rename, publish, open to members, move, hand over',
      description:
        'For the owner and administrators; `background` for everybody with level edit. Moving into a folder requires edit on it. `owner_id` hands over the board with its share links: at once if done by an administrator, otherwise when the new owner accepts.',
      request: { params: BoardParams, body: jsonBody(BoardUpdate) },
      responses: {
        200: jsonAnswer(BoardResponse, 'The updated board, and what you may do.'),
        ...errorAnswers(401, 403, 404, 410, 413, 415),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      const identity = c.get('identity')
      const body = c.req.valid('json')
      requireScopeToGrant(identity, body, c.req.method)
      // The background is part of the drawing; only the owner may change the rest.
      if (Object.keys(body).every((key) => key === 'background'))
        await requireLevel(deps.access, identity, board_id, 'edit')
      else await requireManage(deps.access, identity, board_id)
      if (body.folder_id != null) await requireFolder(deps.db, folderUser(identity), body.folder_id, 'edit')
      const { owner_id: newOwner, ...change } = body
      const granter = granterOf(identity)
      if (newOwner !== undefined && !granter.knowsEverybody)
        await offerBoard(deps, c.get('actor'), granter, board_id, newOwner)
      else if (newOwner !== undefined)
        await updateBoard(deps, c.get('actor'), board_id, { owner_id: newOwner })
      if (Object.keys(change).length > 0) await updateBoard(deps, c.get('actor'), board_id, change)
      const decision = await requireLevel(deps.access, identity, board_id, 'view')
      return c.json(boardResponse(await readBoard(deps, board_id, userOf(identity)), decision), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/boards/{board_id}',
      tags,
      summary: 'Delete a board, or purge a deleted one',
      description:
        'Moves it to the trash; once there, `purge=true` removes its content for good and keeps its trail.',
      request: {
        params: BoardParams,
        query: z.strictObject({ purge: z.enum(['true', 'false']).default('false') }),
      },
      responses: { 204: { description: 'Done.' }, ...errorAnswers(401, 403, 404, 409, 410) },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      const purge = c.req.valid('query').purge === 'true'
      await requireManage(deps.access, c.get('identity'), board_id, { deleted: purge })
      if (purge) await purgeBoard(deps, c.get('actor'), board_id)
      else await deleteBoard(deps, c.get('actor'), board_id)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/restore',
      tags,
      summary: 'Restore a board from the trash',
      request: { params: BoardParams },
      responses: { 200: jsonAnswer(BoardResponse, 'The board.'), ...errorAnswers(401, 403, 404, 410) },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id, { deleted: true })
      await restoreBoard(deps, c.get('actor'), board_id)
      return c.json(await managed(c.get('identity'), board_id), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/duplicate',
      tags,
      summary: 'Duplicate a board',
      request: { params: BoardParams },
      responses: { 201: jsonAnswer(BoardResponse, 'The new board.'), ...errorAnswers(401, 403, 404, 410) },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      const { level } = await requireLevel(deps.access, c.get('identity'), board_id, 'view')
      if (c.get('identity').via === 'ticket')
        throw new BoardroomError(
          'access_denied',
          'a ticket is only for its own board and cannot create others',
        )
      await deps.audit.recordRead(c.get('actor'), board_id, 'duplicate', level)
      return c.json(
        await managed(c.get('identity'), await duplicateBoard(deps, c.get('actor'), board_id)),
        201,
      )
    },
  )

  return router
}
