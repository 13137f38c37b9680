// Access, connections, authors and the event stream of a board over HTTP.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  AccessResponse,
  AuthorResponse,
  ConnectionResponse,
  listOf,
  PageQuery,
  Uuid,
} from '../../shared/api.ts'
import { BoardroomError } from '../errors.ts'
import type { HttpEnv } from '../routing/context.ts'
import { eventStream } from '../routing/event-streams.ts'
import { errorAnswers, jsonAnswer, newRouter } from '../routing/router.ts'
import { StreamCount } from '../routing/stream-count.ts'
import { listAuthors } from './authors.ts'
import type { BoardsDeps } from './deps.ts'
import { EventStream, type StreamEvent } from './event-stream.ts'
import { disconnect, listAccess, listConnections, removePerson } from './people.ts'
import { requireLevel, requireManage } from './require-level.ts'

const params = z.object({ board_id: Uuid })
const connectionParams = params.extend({ connection_id: Uuid })
/** The form in which access lists name people. */
const personParams = params.extend({
  principal: z
    .string()
    .regex(
      /^(user:[1-9]\d{0,8}|guest:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/,
      'expected user:7 or guest:<uuid>',
    ),
})
const tags = ['people']
const streamLimits = { most: 1_000, mostOfOne: 20, mostOfAddress: 200 }
/** A client that does not read is disconnected at this size. */
const mostUnsentEvents = 500

export function peopleRoutes(deps: BoardsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  const streams = new StreamCount(streamLimits)
  const open = new Set<EventStream>()
  const closeAll = () => {
    for (const stream of open) stream.close()
  }
  deps.closing.addEventListener('abort', closeAll, { once: true })

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/access',
      tags,
      summary: 'Who may open the board, and why',
      request: { params, query: PageQuery },
      responses: { 200: jsonAnswer(AccessResponse, 'One page.'), ...errorAnswers(401, 403, 404, 410) },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      const { principal } = c.get('identity')
      const isAdministrator = principal.kind === 'user' && principal.role !== 'user'
      return c.json(await listAccess(deps, board_id, c.req.valid('query'), isAdministrator), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/boards/{board_id}/access/{principal}',
      tags,
      summary: 'Revoke the access of one person',
      description:
        'Revokes their own permission and the access they have through links of the board, whether they are connected or not. Access for everyone, for members or through a folder stays.',
      request: { params: personParams },
      responses: { 204: { description: 'Taken back.' }, ...errorAnswers(401, 403, 404, 410) },
    }),
    async (c) => {
      const { board_id, principal } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      await removePerson(deps, c.get('actor'), board_id, principal)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/connections',
      tags,
      summary: 'Who is here now',
      request: { params },
      responses: {
        200: jsonAnswer(listOf(ConnectionResponse), 'All connections.'),
        ...errorAnswers(401, 403, 404, 410),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      return c.json({ items: await listConnections(deps, board_id), next_cursor: null }, 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/authors',
      tags,
      summary: 'Who edited the board',
      description:
        'Each person with the Yjs client ids they used, most recent first. The ids of a document before `board rebuild` are left out.',
      request: { params, query: PageQuery },
      responses: {
        200: jsonAnswer(listOf(AuthorResponse), 'One page.'),
        ...errorAnswers(401, 403, 404, 410),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      return c.json(await listAuthors(deps, board_id, c.req.valid('query')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/boards/{board_id}/connections/{connection_id}',
      tags,
      summary: 'Disconnect somebody',
      description: 'Closes the connection with 4403. Access through links of the board is revoked.',
      request: { params: connectionParams },
      responses: { 204: { description: 'Gone.' }, ...errorAnswers(401, 403, 404, 410) },
    }),
    async (c) => {
      const { board_id, connection_id } = c.req.valid('param')
      await requireManage(deps.access, c.get('identity'), board_id)
      await disconnect(deps, c.get('actor'), board_id, connection_id)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/events',
      tags,
      summary: 'Follow events',
      description:
        'Server-sent events for clients without boardroom.v1: `level`, `here`, `comment`, `title`, `version`, and last `ended` with a code.',
      request: { params },
      responses: {
        200: { description: 'The stream.', content: { 'text/event-stream': { schema: z.string() } } },
        ...errorAnswers(401, 404, 410),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      const identity = c.get('identity')
      const decision = await requireLevel(deps.access, identity, board_id, 'view')
      if (deps.closing.aborted)
        throw new BoardroomError('closing', 'the server is closing; come back in a moment')
      const leave = streams.enter(identity, c.get('actor'))
      return eventStream(
        c,
        async (sse, gone) => {
          const waiting: StreamEvent[] = []
          let wake = (): void => undefined
          let over = false
          const stream = new EventStream(
            deps,
            { identity, boardId: board_id, decision },
            {
              send: (event) => {
                waiting.push(event)
                if (waiting.length > mostUnsentEvents) stream.end()
                wake()
              },
              onEnd: () => {
                over = true
                wake()
              },
            },
          )
          gone.addEventListener('abort', () => stream.end(), { once: true })
          try {
            open.add(stream)
            stream.start()
            for (;;) {
              const next = waiting.shift()
              if (next !== undefined)
                await sse.writeSSE({ event: next.event, data: JSON.stringify(next.data) })
              else if (over) return
              else
                await new Promise<void>((resolve) => {
                  wake = resolve
                })
            }
          } finally {
            stream.end()
            open.delete(stream)
            leave()
          }
        },
        (error) => deps.log.warn({ err: error, boardId: board_id }, 'event stream ended'),
      )
    },
  )

  return router
}
