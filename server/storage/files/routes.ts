// The routes of files and thumbnails. No upload is ever executed by a browser as a page of this server.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { FileResponse, Uuid } from '../../../shared/api.ts'
import { principalKey } from '../../principal.ts'
import type { HttpEnv } from '../../routing/context.ts'
import { errorAnswers, jsonAnswer, newRouter } from '../../routing/router.ts'
import type { BodyBudget } from '../bodies.ts'
import type { StorageDeps } from '../deps.ts'
import { getFile, getThumbnail, maxThumbnailBytes, putFile, putThumbnail, type StoredFile } from './files.ts'

const tags = ['files']
const BoardParams = z.object({ board_id: Uuid })
const FileParams = z.object({
  board_id: Uuid,
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected the sha-256 of the content in lower-case hex'),
})
const anyBody = {
  required: true,
  content: { 'application/octet-stream': { schema: z.any().openapi({ type: 'string', format: 'binary' }) } },
}
const imageAnswer = {
  description: 'The image, under its own media type.',
  content: { 'image/*': { schema: z.any().openapi({ type: 'string', format: 'binary' }) } },
}

/** SVG may contain scripts: they never run in an <img>, and opened as a page it is sandboxed and downloaded. */
function sendFile(c: Context<HttpEnv>, file: StoredFile, etag: string): Response {
  c.header('etag', etag)
  // Browsers may cache it but must revalidate each time, because access may have been revoked.
  c.header('cache-control', 'private, no-cache')
  c.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox")
  c.header('x-content-type-options', 'nosniff')
  c.header(
    'content-disposition',
    file.mime === 'image/svg+xml' ? 'attachment; filename="image.svg"' : 'inline',
  )
  if (c.req.header('if-none-match') === etag) return c.body(null, 304)
  c.header('content-type', file.mime)
  return c.body(new Uint8Array(file.data))
}

export function fileRoutes(deps: StorageDeps, bodies: BodyBudget): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'put',
      path: '/boards/{board_id}/files/{sha256}',
      tags,
      summary: 'Store an image under the SHA-256 of its content; storing it again is no error',
      request: { params: FileParams, body: anyBody },
      responses: { 200: jsonAnswer(FileResponse, 'Stored.'), ...errorAnswers(401, 403, 404, 410, 413, 415) },
    }),
    async (c) => {
      const { board_id: boardId, sha256: id } = c.req.valid('param')
      const identity = c.get('identity')
      await deps.requireLevel(identity, boardId, 'edit')
      const author = principalKey(identity.principal)
      const file = await bodies.with(c, deps.config.maxFileBytes, (data) =>
        putFile(deps, { boardId, id, data, author }),
      )
      return c.json(file, 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/files/{sha256}',
      tags,
      summary: 'An image of the board',
      request: { params: FileParams },
      responses: { 200: imageAnswer, ...errorAnswers(401, 403, 404, 410) },
    }),
    async (c) => {
      const { board_id: boardId, sha256: id } = c.req.valid('param')
      const { level } = await deps.requireLevel(c.get('identity'), boardId, 'view')
      const file = await getFile(deps, boardId, id)
      await deps.trail.recordRead(c.get('actor'), boardId, 'file', level)
      return sendFile(c, file, `"${id}"`)
    },
  )

  router.openapi(
    createRoute({
      method: 'put',
      path: '/boards/{board_id}/thumbnail',
      tags,
      summary: `The board's thumbnail: WebP or PNG, at most ${maxThumbnailBytes / 1024} KiB`,
      request: { params: BoardParams, body: anyBody },
      responses: { 200: jsonAnswer(FileResponse, 'Stored.'), ...errorAnswers(401, 403, 404, 410, 413, 415) },
    }),
    async (c) => {
      const { board_id: boardId } = c.req.valid('param')
      const identity = c.get('identity')
      await deps.requireLevel(identity, boardId, 'edit')
      const author = principalKey(identity.principal)
      return c.json(
        await bodies.with(c, maxThumbnailBytes, (data) => putThumbnail(deps, { boardId, data, author })),
        200,
      )
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/thumbnail',
      tags,
      summary: 'The thumbnail',
      description: 'For a board in the trash, only for people who may restore it.',
      request: { params: BoardParams },
      responses: {
        200: imageAnswer,
        204: { description: 'There is none yet, as on every new board.' },
        ...errorAnswers(401, 403, 404, 410),
      },
    }),
    async (c) => {
      const { board_id: boardId } = c.req.valid('param')
      const { level } = await deps.requireLevel(c.get('identity'), boardId, 'view', { deleted: true })
      const file = await getThumbnail(deps, boardId)
      if (file === null) return c.body(null, 204)
      await deps.trail.recordRead(c.get('actor'), boardId, 'thumbnail', level)
      return sendFile(c, file, `"${file.size}-${file.createdAt.getTime()}"`)
    },
  )

  return router
}
