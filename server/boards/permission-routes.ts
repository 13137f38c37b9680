// Permissions over HTTP, for managers of the board.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { BoardPermissionCreate, BoardPermissionResponse, listOf, PageQuery, Uuid } from '../../shared/api.ts'
import type { Identity } from '../principal.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import type { BoardsDeps } from './deps.ts'
import { type Granter, grantPermission, listPermissions, revokePermission } from './permissions.ts'
import { requireManage } from './require-level.ts'

const params = z.object({ board_id: Uuid })
const permissionParams = params.extend({ permission_id: z.coerce.number().int().min(1).max(2_147_483_647) })
const tags = ['permissions']

/** Whom the asker may refer to by id, and whose addresses they may see. */
export const granterOf = ({ principal, via, issuer }: Identity): Granter => ({
  userId: principal.kind === 'user' ? principal.userId : null,
  knowsEverybody: principal.kind === 'user' && principal.role !== 'user',
  knowsExternalIds: via === 'embedder' || via === 'jwt' || via === 'key',
  namesAnybody: via === 'key',
  ...(issuer === undefined ? {} : { issuer }),
})

export function permissionRoutes(deps: BoardsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/permissions',
      tags,
      summary: 'List permissions',
      request: { params, query: PageQuery },
      responses: {
        200: jsonAnswer(listOf(BoardPermissionResponse), 'One page.'),
        ...errorAnswers(401, 403, 404, 410),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      const page = await listPermissions(deps, granterOf(c.get('identity')), board_id, c.req.valid('query'))
      return c.json(page, 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/permissions',
      tags,
      summary: 'Grant a level, or change it',
      description:
        'To one of user_id, email, external_id; everyone requires an explicit `"user_id": null`. An address creates an invitation, with the same response whether there is an account or not. Ids can be used by administrators, and for people who share a board with you.',
      request: { params, body: jsonBody(BoardPermissionCreate) },
      responses: {
        200: jsonAnswer(BoardPermissionResponse, 'The level was changed.'),
        201: jsonAnswer(BoardPermissionResponse, 'The level was granted.'),
        ...errorAnswers(401, 403, 404, 409, 410, 413, 415),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      const { permission, isNew } = await grantPermission(
        deps,
        c.get('actor'),
        granterOf(c.get('identity')),
        board_id,
        c.req.valid('json'),
      )
      return c.json(permission, isNew ? 201 : 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/boards/{board_id}/permissions/{permission_id}',
      tags,
      summary: 'Revoke a permission',
      request: { params: permissionParams },
      responses: {
        204: { description: 'Revoked; open connections are updated at once.' },
        ...errorAnswers(401, 403, 404, 410),
      },
    }),
    async (c) => {
      const { board_id, permission_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      await revokePermission(deps, c.get('actor'), board_id, permission_id)
      return c.body(null, 204)
    },
  )

  return router
}
