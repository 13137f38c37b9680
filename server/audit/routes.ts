// The trail over HTTP: all of it for administrators, a board's own for its managers; in pages, live, and as files.
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { stream } from 'hono/streaming'
import type { Logger } from 'pino'
import { z } from 'zod'
import {
  AuditExportQuery,
  AuditQuery,
  AuditResponse,
  AuditStreamQuery,
  listOf,
  Uuid,
} from '../../shared/api.ts'
import { BoardroomError } from '../errors.ts'
import type { Identity } from '../principal.ts'
import type { HttpEnv } from '../routing/context.ts'
import { eventStream } from '../routing/event-streams.ts'
import { errorAnswers, jsonAnswer, newRouter } from '../routing/router.ts'
import { StreamCount, type StreamLimits } from '../routing/stream-count.ts'
import { exportAudit, mimeOf } from './export.ts'
import { filterOf } from './filter.ts'
import { followAudit } from './follow.ts'
import { auditPage } from './pages.ts'
import type { AuditFilter } from './queries.ts'
import { ofBoard, ofInstance, type Reading, type ReadingDeps } from './reading.ts'
import type { AuditTrail } from './trail.ts'

export interface AuditRoutesDeps extends ReadingDeps {
  trail: AuditTrail
  log: Logger
  /** Access changes, which cause open streams to be checked. @see server/database/notifications.ts */
  notifications: { onAccess(listener: (payloads: string[]) => void): () => void }
  /** Ends the live streams when the server closes. */
  closing: AbortSignal
  streamLimits?: StreamLimits
  /** How often a live stream is checked without a notification; default 5 s. */
  recheckEveryMs?: number
}

/** Each polls the database. */
const usualStreamLimits: StreamLimits = { most: 100, mostOfOne: 10, mostOfAddress: 40 }
const usualRecheckMs = 5000

export function auditRoutes(deps: AuditRoutesDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  const rows = jsonAnswer(listOf(AuditResponse), 'Newest first.')
  const errors = errorAnswers(401, 403, 404)
  const tags = ['Audit']
  const params = z.strictObject({ board_id: Uuid })
  const sse = {
    200: {
      description: 'Events `audit`: `id` to resume by Last-Event-ID, `data` one row.',
      content: { 'text/event-stream': { schema: AuditResponse } },
    },
    ...errors,
  }
  const file = {
    200: {
      description: 'Oldest first.',
      content: { 'application/x-ndjson': { schema: AuditResponse }, 'text/csv': { schema: z.string() } },
    },
    ...errors,
  }
  const list = { 200: rows, ...errors }
  const streams = new StreamCount(deps.streamLimits ?? usualStreamLimits)

  router.openapi(
    createRoute({
      method: 'get',
      path: '/audit',
      tags,
      summary: 'The trail of the instance',
      request: { query: AuditQuery },
      responses: list,
    }),
    async (c) =>
      c.json(await page(deps, await ofInstance(deps, c.get('identity')), c.req.valid('query')), 200),
  )
  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/audit',
      tags,
      summary: 'The trail of a board',
      request: { params, query: AuditQuery },
      responses: list,
    }),
    async (c) =>
      c.json(
        await page(
          deps,
          await ofBoard(deps, c.get('identity'), c.req.valid('param').board_id),
          c.req.valid('query'),
        ),
        200,
      ),
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/audit/stream',
      tags,
      summary: 'The trail of the instance, live',
      request: { query: AuditStreamQuery },
      responses: sse,
    }),
    async (c) => live(deps, streams, c, await ofInstance(deps, c.get('identity')), c.req.valid('query')),
  )
  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/audit/stream',
      tags,
      summary: 'The trail of a board, live',
      request: { params, query: AuditStreamQuery },
      responses: sse,
    }),
    async (c) =>
      live(
        deps,
        streams,
        c,
        await ofBoard(deps, c.get('identity'), c.req.valid('param').board_id),
        c.req.valid('query'),
      ),
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/audit/export',
      tags,
      summary: 'The trail of the instance, as a file',
      request: { query: AuditExportQuery },
      responses: file,
    }),
    async (c) => download(deps, c, await ofInstance(deps, c.get('identity')), c.req.valid('query')),
  )
  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/audit/export',
      tags,
      summary: 'The trail of a board, as a file',
      request: { params, query: AuditExportQuery },
      responses: file,
    }),
    async (c) =>
      download(
        deps,
        c,
        await ofBoard(deps, c.get('identity'), c.req.valid('param').board_id),
        c.req.valid('query'),
      ),
  )
  return router
}

async function page({ database }: AuditRoutesDeps, reading: Reading, query: AuditQuery) {
  const { items, next_cursor } = await auditPage(database, filterOf(query, reading.board), query)
  return { items: items.map(reading.shown), next_cursor }
}

function live(
  deps: AuditRoutesDeps,
  streams: StreamCount,
  c: Context<HttpEnv>,
  reading: Reading,
  query: AuditFilter,
) {
  const filter = filterOf(query, reading.board)
  const after = lastEventIdOf(c.req.header('last-event-id'))
  const identity = c.get('identity')
  const leave = streams.enter(identity, c.get('actor'))
  return eventStream(
    c,
    async (sse, gone) => {
      const lost = new AbortController()
      // Checked again as soon as something changes that may concern the reader, and every few seconds anyway.
      const stopWatching = deps.notifications.onAccess((payloads) => {
        if (payloads.some(concerns(identity, reading.board))) void reading.require().catch(() => lost.abort())
      })
      const signal = AbortSignal.any([gone, lost.signal, deps.closing])
      try {
        for await (const found of followAudit(deps.database, filter, {
          after,
          signal,
          isAllowed: every(deps.recheckEveryMs ?? usualRecheckMs, reading.require),
        })) {
          if (signal.aborted) return
          if (found === null) continue
          await sse.writeSSE({
            event: 'audit',
            id: String(found.seq),
            data: JSON.stringify(reading.shown(found.row)),
          })
        }
      } finally {
        stopWatching()
        leave()
      }
    },
    (error) => deps.log.warn({ err: error }, 'live audit stream ended'),
  ) as never // a hand-made stream, which the route's types cannot check
}

/** Whether a notified change may affect this reader's rights. */
const concerns =
  ({ principal, sessionId }: Identity, boardId: string | null) =>
  (payload: string): boolean =>
    payload === '*' ||
    (boardId !== null && payload === `b:${boardId}`) ||
    (principal.kind === 'user' && payload === `u:${principal.userId}`) ||
    (sessionId !== null && payload === `s:${sessionId}`)

async function download(
  deps: AuditRoutesDeps,
  c: Context<HttpEnv>,
  reading: Reading,
  query: AuditExportQuery,
) {
  const filter = filterOf(query, reading.board)
  await deps.trail.record({
    action: 'export',
    actor: c.get('actor'),
    category: reading.board === null ? 'trail' : 'board',
    boardId: reading.board,
    resourceType: 'audit_logs',
    details: { format: query.format, filter: JSON.parse(JSON.stringify(filter)) },
  })
  c.header('content-type', mimeOf[query.format])
  c.header('content-disposition', `attachment; filename="audit.${query.format}"`)
  return stream(
    c,
    async (out) => {
      for await (const part of exportAudit(deps.database, filter, {
        format: query.format,
        shown: reading.shown,
      })) {
        if (out.aborted) return
        await out.write(part)
      }
    },
    async (error, out) => {
      deps.log.error({ err: error }, 'audit export broke off')
      // A file that ends normally would pass for complete.
      await out.abort()
    },
  ) as never // as above
}

/** @throws BoardroomError invalid_request */
const lastEventIdOf = (header: string | undefined): number | null => {
  if (header === undefined || header === '') return null
  if (!/^\d{1,15}$/.test(header))
    throw new BoardroomError('invalid_request', 'Last-Event-ID: expected the id of an audit event')
  return Number(header)
}

/** Whether `require` still passes, checked at most so often; any failure counts as no, and the client reconnects. */
const every = (ms: number, require: () => Promise<unknown>): (() => Promise<boolean>) => {
  let askedAt = Date.now()
  return async () => {
    if (Date.now() - askedAt < ms) return true
    askedAt = Date.now()
    return require().then(
      () => true,
      () => false,
    )
  }
}
