// The routes of versions: list, create, read and restore.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { listOf, Uuid, VersionCreate, VersionResponse } from '../../../shared/api.ts'
import type { HttpEnv } from '../../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../../routing/router.ts'
import type { StorageDeps } from '../deps.ts'
import { documentAnswer, sendDocument } from '../document-routes.ts'
import { formatFor, renderedAs } from '../documents.ts'
import { withImages } from '../files/files.ts'
import { createVersion, restoreVersion, versionState, versionsOf } from './versions.ts'

const tags = ['versions']
const BoardParams = z.object({ board_id: Uuid })
const VersionParams = z.object({ board_id: Uuid, version_id: Uuid })
const ListQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
})

export function versionRoutes(deps: StorageDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/versions',
      tags,
      summary: 'Versions, newest first: named ones, and automatic ones (name null)',
      request: { params: BoardParams, query: ListQuery },
      responses: {
        200: jsonAnswer(listOf(VersionResponse), 'One page.'),
        ...errorAnswers(401, 403, 404, 410),
      },
    }),
    async (c) => {
      const { board_id: boardId } = c.req.valid('param')
      const { level } = await deps.requireLevel(c.get('identity'), boardId, 'view')
      // What they want to restore may have been removed just now, and be only in the log.
      if (level === 'edit') await deps.catchUp(boardId)
      return c.json(await versionsOf(deps, boardId, c.req.valid('query')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/versions',
      tags,
      summary: 'Save the current board as a named version',
      request: { params: BoardParams, body: jsonBody(VersionCreate) },
      responses: {
        201: jsonAnswer(VersionResponse, 'The new version.'),
        ...errorAnswers(401, 403, 404, 409, 410, 413, 415),
      },
    }),
    async (c) => {
      const { board_id: boardId } = c.req.valid('param')
      await deps.requireLevel(c.get('identity'), boardId, 'edit')
      const { name } = c.req.valid('json')
      return c.json(await createVersion(deps, { actor: c.get('actor'), boardId, name }), 201)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/versions/{version_id}',
      tags,
      summary: 'The document of a version, in the same formats as the current document',
      request: { params: VersionParams },
      responses: { 200: documentAnswer, ...errorAnswers(401, 403, 404, 410, 415) },
    }),
    async (c) => {
      const { board_id: boardId, version_id: versionId } = c.req.valid('param')
      const { level } = await deps.requireLevel(c.get('identity'), boardId, 'view')
      const format = formatFor(c.req.header('accept'))
      const rendered = await renderedAs(deps, await versionState(deps, boardId, versionId), format)
      const body =
        format === 'application/vnd.excalidraw+json'
          ? await withImages(deps.database, boardId, rendered, await deps.backgrounds.read(boardId))
          : rendered
      await deps.trail.recordRead(c.get('actor'), boardId, 'version', level)
      return sendDocument(c, body, format, 'version')
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/versions/{version_id}/restore',
      tags,
      summary: 'Restore a version with a new edit that collaborators see live',
      request: { params: VersionParams },
      responses: {
        200: jsonAnswer(
          z.object({
            changed: z.boolean(),
            former_version_id: Uuid.nullable().describe('the version with the content that was replaced'),
          }),
          'Committed. Nothing changes if the content is the same.',
        ),
        ...errorAnswers(401, 403, 404, 410, 507),
      },
    }),
    async (c) => {
      const { board_id: boardId, version_id: versionId } = c.req.valid('param')
      const identity = c.get('identity')
      await deps.requireLevel(identity, boardId, 'edit')
      const who = { actor: c.get('actor'), principal: identity.principal }
      return c.json(await restoreVersion(deps, { ...who, boardId, versionId }), 200)
    },
  )

  return router
}
