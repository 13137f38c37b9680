// GET …/document and POST …/import.
import { isUtf8 } from 'node:buffer'
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Uuid } from '../../shared/api.ts'
import { imageTypeOf } from '../../shared/image-type.ts'
import { BoardroomError } from '../errors.ts'
import { principalKey } from '../principal.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, newRouter } from '../routing/router.ts'
import type { BodyBudget } from './bodies.ts'
import type { StorageDeps } from './deps.ts'
import {
  type Format,
  formatFor,
  formatOf,
  formats,
  importDocument,
  renderedAs,
  withThreads,
} from './documents.ts'
import { withImages } from './files/files.ts'
import { asBuffer } from './log/queries.ts'

const tags = ['documents']
const extensions: Record<Format, string> = {
  'application/json': 'json',
  'application/octet-stream': 'yjs',
  'application/vnd.excalidraw+json': 'excalidraw',
}

const inAnyFormat = Object.fromEntries(
  formats.map((format) => [format, { schema: z.any().openapi({ type: 'string', format: 'binary' }) }]),
)

/** The three formats as an entry of `responses`. */
export const documentAnswer = {
  description: 'The document, in the format that Accept asks for.',
  content: inAnyFormat,
}

/** A document as a download: whatever is in it, no browser shows it as a page. */
export const sendDocument = (
  c: Context<HttpEnv>,
  body: Uint8Array,
  format: Format,
  name: string,
): Response => {
  c.header('content-type', format)
  c.header('content-disposition', `attachment; filename="${name}.${extensions[format]}"`)
  c.header('vary', 'accept', { append: true })
  return c.body(new Uint8Array(asBuffer(body)))
}

/** What belongs to the document and lies beside it: the images of a drawing, the board's comments. */
const withRest = async (
  deps: StorageDeps,
  boardId: string,
  format: Format,
  rendered: Uint8Array,
): Promise<Uint8Array> => {
  switch (format) {
    case 'application/json':
      return withThreads(rendered, await deps.threadsJson(boardId))
    case 'application/vnd.excalidraw+json':
      return withImages(deps.database, boardId, rendered, await deps.backgrounds.read(boardId))
    case 'application/octet-stream':
      return rendered
  }
}

export function documentRoutes(deps: StorageDeps, bodies: BodyBudget): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/document',
      tags,
      summary: 'The document: a Yjs update v1, its roots as JSON, or an Excalidraw file',
      request: { params: z.object({ board_id: Uuid }) },
      responses: { 200: documentAnswer, ...errorAnswers(401, 403, 404, 410, 415) },
    }),
    async (c) => {
      const { board_id: boardId } = c.req.valid('param')
      const { level } = await deps.requireLevel(c.get('identity'), boardId, 'view')
      const format = formatFor(c.req.header('accept'))
      const rendered = await renderedAs(deps, await deps.live.document(boardId), format)
      const body = await withRest(deps, boardId, format, rendered)
      await deps.trail.recordRead(c.get('actor'), boardId, 'document', level)
      return sendDocument(c, body, format, 'board')
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/import',
      tags,
      summary: 'Bring a document in, as an edit that collaborators see at once',
      request: {
        params: z.object({ board_id: Uuid }),
        query: z.strictObject({
          replace: z
            .enum(['true', 'false'])
            .default('false')
            .describe('true: take away what the board had; not for a Yjs update'),
        }),
        // Declared as bytes: as JSON it would be parsed here, on the main thread, however large.
        body: {
          required: true,
          description: `Content-Type: ${formats.join(' or ')}; or a file with a drawing inside: image/png, image/svg+xml, text/markdown (Obsidian), application/vnd.excalidrawlib+json`,
          content: {
            'application/octet-stream': { schema: z.any().openapi({ type: 'string', format: 'binary' }) },
          },
        },
      },
      responses: {
        200: jsonAnswer(
          z.object({
            elements: z.int(),
            skipped: z.int(),
            left_out: z
              .array(z.object({ id: z.string(), type: z.string(), reason: z.string() }))
              .describe('the first hundred of those that were skipped, and why'),
            files: z.int(),
            changed: z.boolean(),
          }),
          'Committed. Elements, entries that could not be elements, and images kept as files.',
        ),
        ...errorAnswers(401, 403, 404, 410, 413, 415, 507),
      },
    }),
    async (c) => {
      const { board_id: boardId } = c.req.valid('param')
      const { replace } = c.req.valid('query')
      const identity = c.get('identity')
      const { level } = await deps.requireLevel(identity, boardId, 'edit')
      const format = formatOf(c.req.header('content-type'))
      const author = principalKey(identity.principal)
      const summary = await bodies.with(c, deps.config.maxBoardBytes, (body) => {
        // The runtime would replace broken bytes in silence, and a text would not be what was sent.
        if (format !== 'application/octet-stream' && !isUtf8(body) && imageTypeOf(body) === null)
          throw new BoardroomError('malformed_json', 'the request body is not valid UTF-8')
        const by = { author, actor: c.get('actor'), level }
        return importDocument(deps, { boardId, format, body, replace: replace === 'true', ...by })
      })
      return c.json(summary, 200)
    },
  )

  return router
}
