// Share links over HTTP: for managers of the board, and for people who open one.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  listOf,
  PageQuery,
  ShareLinkCreate,
  ShareLinkExchange,
  ShareLinkExchangeResponse,
  ShareLinkPreview,
  ShareLinkPreviewResponse,
  ShareLinkResponse,
  ShareLinkUpdate,
  Uuid,
} from '../../shared/api.ts'
import { addressKey } from '../routing/addresses.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import type { BoardsDeps } from './deps.ts'
import { exchangeShareLink, previewShareLink } from './exchange.ts'
import type { LinkPasswords } from './link-password.ts'
import { requireManage } from './require-level.ts'
import {
  createShareLink,
  listShareLinks,
  revokeShareLink,
  shareLinkUrl,
  updateShareLink,
} from './share-links.ts'

const params = z.object({ board_id: Uuid })
const linkParams = params.extend({ link_id: Uuid })
const tags = ['share links']

export function shareLinkRoutes(deps: BoardsDeps & { passwords: LinkPasswords }): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/share-links',
      tags,
      summary: 'List the share links of a board',
      request: { params, query: PageQuery },
      responses: {
        200: jsonAnswer(listOf(ShareLinkResponse), 'One page, newest first.'),
        ...errorAnswers(401, 403, 404, 410),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      return c.json(await listShareLinks(deps, board_id, c.req.valid('query')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/share-links',
      tags,
      summary: 'Create a share link',
      description: 'The response contains the only copy of its secret, in the fragment of `url`.',
      request: { params, body: jsonBody(ShareLinkCreate) },
      responses: {
        201: jsonAnswer(ShareLinkResponse, 'The link.'),
        ...errorAnswers(401, 403, 404, 410, 413, 415),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      const { link, token } = await createShareLink(deps, c.get('actor'), board_id, c.req.valid('json'))
      const page = deps.boardUrl(link.board_id, c.req.header('host') ?? null)
      return c.json({ ...link, url: shareLinkUrl(page, token) }, 201)
    },
  )

  router.openapi(
    createRoute({
      method: 'patch',
      path: '/boards/{board_id}/share-links/{link_id}',
      tags,
      summary: 'Change a share link',
      request: { params: linkParams, body: jsonBody(ShareLinkUpdate) },
      responses: {
        200: jsonAnswer(ShareLinkResponse, 'The updated link.'),
        ...errorAnswers(401, 403, 404, 409, 410, 413, 415),
      },
    }),
    async (c) => {
      const { board_id, link_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      return c.json(await updateShareLink(deps, c.get('actor'), board_id, link_id, c.req.valid('json')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/boards/{board_id}/share-links/{link_id}',
      tags,
      summary: 'Revoke a share link',
      request: { params: linkParams },
      responses: {
        204: { description: 'Revoked; everybody who came in through it is disconnected at once.' },
        ...errorAnswers(401, 403, 404, 410),
      },
    }),
    async (c) => {
      const { board_id, link_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      await revokeShareLink(deps, c.get('actor'), board_id, link_id)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/share-links/preview',
      tags,
      summary: 'Check whether a share link lets you in',
      description: 'This does not count as a use. 404 link_not_valid if the link lets nobody in.',
      request: { body: jsonBody(ShareLinkPreview) },
      responses: {
        200: jsonAnswer(ShareLinkPreviewResponse, 'The board, and what an exchange will require.'),
        ...errorAnswers(403, 404, 413, 415),
      },
    }),
    async (c) => {
      const actor = c.get('actor')
      const { token } = c.req.valid('json')
      const address = addressKey(actor.ip)
      return c.json(await previewShareLink(deps, c.get('identity'), actor, address, token), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/share-links/exchange',
      tags,
      summary: 'Open a share link',
      description:
        'People who are not signed in become guests, with a cookie. 404 link_not_valid if the link lets nobody in; 403 link_password_needed if it requires a password.',
      request: { body: jsonBody(ShareLinkExchange) },
      responses: {
        200: jsonAnswer(ShareLinkExchangeResponse, 'The board, your level, and a ticket.'),
        ...errorAnswers(401, 403, 404, 413, 415),
      },
    }),
    async (c) => {
      const actor = c.get('actor')
      const { answer, cookie } = await exchangeShareLink(
        deps,
        c.get('identity'),
        actor,
        addressKey(actor.ip),
        c.req.valid('json'),
      )
      if (cookie !== null) c.header('set-cookie', cookie)
      return c.json(answer, 200)
    },
  )

  return router
}
