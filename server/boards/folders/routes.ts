// Folders over HTTP, for accounts.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  FolderCreate,
  FolderPermissionResponse,
  FolderResponse,
  FolderUpdate,
} from '../../../shared/api/folders.ts'
import { BoardPermissionCreate, listOf, PageQuery, Uuid } from '../../../shared/api.ts'
import { requireScopeToGrant } from '../../accounts/service-keys/scopes.ts'
import { BoardroomError } from '../../errors.ts'
import type { HttpEnv } from '../../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../../routing/router.ts'
import type { BoardsDeps } from '../deps.ts'
import { granterOf } from '../permission-routes.ts'
import { granteeOf } from '../permissions.ts'
import {
  createFolder,
  deleteFolder,
  folderUser,
  grantFolderPermission,
  listFolderPermissions,
  listFolders,
  readFolder,
  requireFolder,
  revokeFolderPermission,
  updateFolder,
} from './folders.ts'

const params = z.object({ folder_id: Uuid })
const permissionParams = params.extend({ permission_id: z.coerce.number().int().min(1).max(2_147_483_647) })
const tags = ['folders']

export function folderRoutes(deps: BoardsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'get',
      path: '/folders',
      tags,
      summary: 'List folders',
      description:
        'All folders that you own, have a permission on, or reach through a parent folder, by name.',
      request: {
        query: z.strictObject({ scope: z.enum(['all', 'instance']).default('all') }),
      },
      responses: {
        200: jsonAnswer(listOf(FolderResponse), 'All at once, because a tree is shown as a whole.'),
        ...errorAnswers(401, 403),
      },
    }),
    async (c) => {
      const asker = folderUser(c.get('identity'))
      return c.json(await listFolders(deps, asker, c.req.valid('query').scope === 'instance'), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/folders',
      tags,
      summary: 'Create a folder',
      request: { body: jsonBody(FolderCreate) },
      responses: {
        201: jsonAnswer(FolderResponse, 'The new folder; you own it.'),
        ...errorAnswers(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const asker = folderUser(c.get('identity'))
      const body = c.req.valid('json')
      requireScopeToGrant(c.get('identity'), body, c.req.method)
      const id = await createFolder(deps, c.get('actor'), asker, body)
      return c.json(await readFolder(deps, asker, id), 201)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/folders/{folder_id}',
      tags,
      summary: 'Get a folder',
      request: { params },
      responses: {
        200: jsonAnswer(FolderResponse, 'The folder, and what you may do.'),
        ...errorAnswers(401, 403, 404),
      },
    }),
    async (c) => {
      const asker = folderUser(c.get('identity'))
      return c.json(await readFolder(deps, asker, c.req.valid('param').folder_id), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'patch',
      path: '/folders/{folder_id}',
      tags,
      summary: 'Rename, move or hand over a folder',
      description: 'For the owner and administrators; only administrators can hand it over.',
      request: { params, body: jsonBody(FolderUpdate) },
      responses: {
        200: jsonAnswer(FolderResponse, 'The updated folder.'),
        ...errorAnswers(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const asker = folderUser(c.get('identity'))
      const { folder_id } = c.req.valid('param')
      const body = c.req.valid('json')
      requireScopeToGrant(c.get('identity'), body, c.req.method)
      await updateFolder(deps, c.get('actor'), asker, folder_id, body)
      return c.json(await readFolder(deps, asker, folder_id), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/folders/{folder_id}',
      tags,
      summary: 'Delete a folder',
      description: 'The boards and folders in it move to the parent folder; no board is deleted.',
      request: { params },
      responses: { 204: { description: 'Done.' }, ...errorAnswers(401, 403, 404) },
    }),
    async (c) => {
      const asker = folderUser(c.get('identity'))
      await deleteFolder(deps, c.get('actor'), asker, c.req.valid('param').folder_id)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/folders/{folder_id}/permissions',
      tags,
      summary: 'List the permissions on a folder',
      request: { params, query: PageQuery },
      responses: {
        200: jsonAnswer(listOf(FolderPermissionResponse), 'One page.'),
        ...errorAnswers(401, 403, 404),
      },
    }),
    async (c) => {
      const { folder_id } = c.req.valid('param')
      await requireFolder(deps.db, folderUser(c.get('identity')), folder_id, 'manage')
      return c.json(await listFolderPermissions(deps, folder_id, c.req.valid('query')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/folders/{folder_id}/permissions',
      tags,
      summary: 'Grant a level on all boards in a folder, or change it',
      description:
        'To one of user_id, email, external_id; everyone requires an explicit `"user_id": null`. Open boards are updated at once.',
      request: { params, body: jsonBody(BoardPermissionCreate) },
      responses: {
        200: jsonAnswer(FolderPermissionResponse, 'The level was changed.'),
        201: jsonAnswer(FolderPermissionResponse, 'The level was granted.'),
        ...errorAnswers(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const { folder_id } = c.req.valid('param')
      const body = c.req.valid('json')
      await requireFolder(deps.db, folderUser(c.get('identity')), folder_id, 'manage')
      const userId = await granteeOf(deps, granterOf(c.get('identity')), body)
      if (userId === null && body.user_id !== null)
        throw new BoardroomError(
          'not_found',
          'email: nobody here has this address; invite them to a board in the folder instead',
        )
      const { permission, isNew } = await grantFolderPermission(deps, c.get('actor'), folder_id, {
        userId,
        level: body.level,
      })
      return c.json(permission, isNew ? 201 : 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/folders/{folder_id}/permissions/{permission_id}',
      tags,
      summary: 'Revoke a permission on a folder',
      request: { params: permissionParams },
      responses: {
        204: { description: 'Revoked; open connections are updated at once.' },
        ...errorAnswers(401, 403, 404),
      },
    }),
    async (c) => {
      const { folder_id, permission_id } = c.req.valid('param')
      await requireFolder(deps.db, folderUser(c.get('identity')), folder_id, 'manage')
      await revokeFolderPermission(deps, c.get('actor'), folder_id, permission_id)
      return c.body(null, 204)
    },
  )

  return router
}
