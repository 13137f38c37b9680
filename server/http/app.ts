// The HTTP edge: it identifies the asker, mounts the routes of all nouns, turns errors into JSON and serves the client.
// It has no socket and no port: the caller listens. Upgrades never come here, see upgrade.ts.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context, Hono, MiddlewareHandler } from 'hono'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { BoardroomError } from '../errors.ts'
import { type Actor, actorOf, type Identity, systemActor } from '../principal.ts'
import type { HttpEnv } from '../routing/context.ts'
import { deniedReason, errorHandler } from '../routing/errors.ts'
import { newRouter } from '../routing/router.ts'
import { crossOrigin, type IsOurOrigin, refuseForeignPages } from './cors.ts'
import { type Check, healthRoutes } from './health.ts'
import { limitCounter, metricsRoutes, requestMetrics } from './metrics.ts'
import { openApiRoutes } from './openapi.ts'
import { requireScope } from './scopes.ts'
import { type SecurityHeaderSettings, securityHeaders } from './security-headers.ts'
import { staticClient } from './static.ts'

/** Who sent a request, and from where. */
export interface Identified {
  identity: Identity
  /** The client's address behind trusted proxies; null if there is no socket. */
  ip: string | null
}

export interface AppDeps {
  log: Logger
  /** Identifies the asker by ticket, session, guest cookie or nothing. @throws BoardroomError for invalid credentials */
  identify(request: Request, incoming: IncomingMessage | undefined): Promise<Identified>
  isOurOrigin: IsOurOrigin
  /** The address that people type, without a trailing slash; known once the port is. */
  publicUrl: () => string
  /** The address that a request came from, for requests with invalid credentials. */
  addressOf?(incoming: IncomingMessage | undefined): string | null
  /** Records refused requests on boards and on the trail, and rate-limited requests anywhere. @see server/audit/trail.ts */
  recordDenied?(denied: DeniedRequest): Promise<void>
  /** Checks whether somebody may send anything about a board before its body is read. @throws BoardroomError */
  admitBody?(identity: Identity, boardId: string): Promise<void>
  headers: SecurityHeaderSettings
  /** The metrics registry of this process; app.ts adds its own metrics. */
  registry: Registry
  /** The response of `/metrics`, if it is not just the metrics of this process. */
  metricsText?: (() => Promise<string>) | undefined
  /** The checks of `/readyz`. */
  checks: Readonly<Record<string, Check>>
  /** The built client, absolute; null serves none. */
  clientFolder: string | null
  /** Body sizes of the routes that accept more than {@link defaultBodyBytes}. */
  limits: { maxFileBytes: number; maxBoardBytes: number }
  version: string
  /** The bearer token that gives access to `/metrics`. */
  metricsToken?: string | undefined
  /** The endpoint for agents, mounted at the root; optional. */
  mcp?: Hono<HttpEnv> | undefined
  /** The nouns' routers, whose paths are written without `/api`. */
  routers: readonly Hono<HttpEnv>[]
}

/** A request that was refused because of who asked. */
export interface DeniedRequest {
  actor: Actor
  /** null if the path names none. */
  boardId: string | null
  /** The code of the error. */
  reason: string
  /** Method and path without ids: `POST /api/boards/{board_id}/import`. */
  route: string
}

const defaultBodyBytes = 1024 * 1024
/** Enough for what anonymous people send: signing in, opening a link, creating an account. */
const anonymousBodyBytes = 64 * 1024

/** The whole HTTP side. `app.fetch(request, { incoming })` responds and never throws. */
export function createApp(deps: AppDeps): OpenAPIHono<HttpEnv> {
  const app = newRouter()
  const answerError = errorHandler(deps.log)
  const countLimit = limitCounter(deps.registry)
  app.onError(async (error, c) => {
    countLimit(error)
    await recordRefusal(deps, error, c)
    return answerError(error, c)
  })
  app.notFound((c) => answerUnknown(c, app))

  app.use(async (c, next) => {
    const requestId = randomUUID()
    c.set('requestId', requestId)
    await next()
    c.res.headers.set('x-request-id', requestId)
  })
  app.use(securityHeaders(deps.headers))
  app.use(requestMetrics(deps.registry))
  app.route('/', healthRoutes(deps.checks))
  app.use('/api/*', crossOrigin(deps.isOurOrigin), refuseForeignPages(deps.isOurOrigin, deps.publicUrl))
  // Identity and access come first, so that a stranger's body is not read.
  app.use('/api/*', noStore, identified(deps), requireScope)
  app.use('/api/boards/:board_id/*', admitted(deps))
  app.use('/api/*', limitBody(deps.limits), refuseBrokenText)
  // A metrics token is not a session, and must not be refused as an invalid one.
  app.use('/metrics', async (c, next) => {
    if (deps.metricsToken === undefined || c.req.header('authorization') === undefined)
      return identified(deps)(c, next)
    c.set('identity', {
      principal: { kind: 'anonymous', id: randomUUID() },
      via: 'anonymous',
      sessionId: null,
      boardId: null,
      maxLevel: null,
    })
    await next()
  })
  app.route('/', metricsRoutes(deps.registry, deps.metricsToken, deps.metricsText))
  if (deps.mcp !== undefined) {
    app.use('/mcp', noStore, identified(deps), limitBody(deps.limits))
    app.route('/', deps.mcp)
  }
  for (const router of deps.routers) app.route('/api', router)
  const isHttps = deps.headers.publicUrl.startsWith('https:')
  app.route('/api', openApiRoutes(app, { version: deps.version, isHttps }))
  if (deps.clientFolder !== null) app.use(staticClient(deps.clientFolder))
  return app
}

/**
 * Whether a path is ours, for a server that also has other routes: the first two segments of every route under
 * `/api`, health, metrics; every path if the client is served too.
 */
export function pathOwner(app: Hono<HttpEnv>, servesClient: boolean): (url: string) => boolean {
  if (servesClient) return () => true
  const roots = app.routes.map(({ path }) =>
    path
      .split('/')
      .slice(1, path.startsWith('/api/') ? 3 : 2)
      .join('/'),
  )
  const ours = new Set(roots.filter((root) => !root.includes('*')))
  return (url) => {
    const [path = ''] = url.split('?', 1)
    const [, first = '', second = ''] = path.split('/', 3)
    return ours.has(first === 'api' ? `api/${second}` : first)
  }
}

const identified =
  (deps: AppDeps): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    const { identity, ip } = await deps.identify(c.req.raw, c.env?.incoming)
    c.set('identity', identity)
    c.set('actor', actorOf(identity, ip, c.req.header('user-agent') ?? null))
    await next()
  }

const unknownActor: Actor = { ...systemActor, kind: 'anonymous', name: null }

/** Recorded before the response is sent; if that fails, the request is refused all the same. */
async function recordRefusal(deps: AppDeps, error: unknown, c: Context<HttpEnv>): Promise<void> {
  if (deps.recordDenied === undefined || !(error instanceof BoardroomError)) return
  const { path } = c.req
  const known: Actor | undefined = c.get('actor')
  // Invalid credentials or a foreign page: refused before the asker was identified, whatever the request was.
  const isBefore = known === undefined && path.startsWith('/api/')
  const actor = known ?? {
    ...unknownActor,
    ip: deps.addressOf?.(c.env?.incoming) ?? null,
    userAgent: c.req.header('user-agent')?.slice(0, 500) ?? null,
  }
  const concerns = /^\/api\/(?:boards\/[^/]+|audit)(?:\/|$)/.test(path)
  const reason = deniedReason(error)
  if (error.code !== 'too_many_requests' && !((concerns || isBefore) && reason !== null)) return
  const boardId = /^\/api\/boards\/([^/]+)/.exec(path)?.[1] ?? ''
  await deps
    .recordDenied({
      actor,
      boardId: uuidShape.test(boardId) ? boardId.toLowerCase() : null,
      reason: reason ?? error.code,
      route:
        `${c.req.method} ${path.replaceAll(/[^/]*(?:[0-9a-f]{8}-[0-9a-f-]{27}|\d+)[^/]*/gi, '{id}')}`.slice(
          0,
          100,
        ),
    })
    .catch((cause: unknown) => deps.log.warn({ err: cause }, 'a refused request was not recorded'))
}

/** Responses depend on who asks, so nothing may cache them unless the route allows it. */
const noStore: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next()
  if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
}

/** Decided by the headers alone, because looking at the body would start reading it. */
const mayHaveBody = (c: Context<HttpEnv>): boolean => {
  const length = c.req.header('content-length')
  if (length !== undefined) return Number(length) > 0
  return c.req.header('transfer-encoding') !== undefined || ['POST', 'PUT', 'PATCH'].includes(c.req.method)
}

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Checks for access to the board before its body is read, except on routes for people who have none yet: to request access or give consent. */
const admitted =
  (deps: AppDeps): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    const boardId = c.req.param('board_id') ?? ''
    const comesFirst = /\/(access-requests|consent|consent-text)$/.test(c.req.path)
    if (mayHaveBody(c) && !comesFirst && uuidShape.test(boardId)) {
      await deps.admitBody?.(c.get('identity'), boardId)
    }
    await next()
  }

/** Documents and images are read by their routes, within a shared memory budget. @see server/storage/bodies.ts */
const isRaw = (path: string): boolean => /^\/api\/boards\/[^/]+\/(files\/[^/]+|thumbnail|import)$/.test(path)

/** Refuses bodies above the limit of their route; before reading them if their length is declared. */
function limitBody(limits: AppDeps['limits']): MiddlewareHandler<HttpEnv> {
  const mostOf = (c: Context<HttpEnv>): number => {
    const { path } = c.req
    if (!isRaw(path)) {
      return c.get('identity').principal.kind === 'anonymous' ? anonymousBodyBytes : defaultBodyBytes
    }
    return path.endsWith('/import') ? limits.maxBoardBytes : limits.maxFileBytes
  }
  return async (c, next) => {
    const length = c.req.header('content-length')
    const maxBytes = mostOf(c)
    if (length !== undefined) {
      if (Number(length) > maxBytes)
        throw tooLarge(maxBytes, c.req.path.endsWith('/import') ? importHint : '')
    } else if (c.req.raw.body !== null) {
      // Hono's own limiter passes the request to `new Request`, which does not accept those of @hono/node-server.
      const { url, method, headers, signal, body } = c.req.raw
      c.req.raw = new Request(url, {
        method,
        headers,
        signal,
        body: body.pipeThrough(counted(maxBytes)),
        duplex: 'half',
      })
    }
    await next()
  }
}

/** Lets `maxBytes` through; reading further fails. */
function counted(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let seen = 0
  return new TransformStream({
    transform(chunk, controller) {
      seen += chunk.byteLength
      if (seen > maxBytes) controller.error(tooLarge(maxBytes))
      else controller.enqueue(chunk)
    },
  })
}

const importHint =
  '; images of a drawing can go ahead of it, each with PUT /api/boards/{board_id}/files/{sha256}'

const tooLarge = (maxBytes: number, hint = ''): BoardroomError =>
  new BoardroomError('too_large', `the body is larger than ${maxBytes} bytes${hint}`, {
    details: { max_bytes: maxBytes },
  })

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON is UTF-8. The runtime would silently replace invalid bytes, so that a title would differ from what was sent. */
const refuseBrokenText: MiddlewareHandler<HttpEnv> = async (c, next) => {
  const isJson = c.req.header('content-type')?.startsWith('application/json') ?? false
  if (isJson && !isRaw(c.req.path) && c.req.method !== 'GET' && c.req.method !== 'HEAD') {
    const bytes = await c.req.arrayBuffer()
    try {
      strictUtf8.decode(bytes)
    } catch (error) {
      throw new BoardroomError('malformed_json', 'the request body is not valid UTF-8', { cause: error })
    }
  }
  await next()
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** 405 with Allow if the path exists under another method, otherwise 404. */
function answerUnknown(c: Context<HttpEnv>, app: Hono<HttpEnv>): never {
  const path = c.req.path
  const allowed = methods.filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method),
  )
  if (allowed.length > 0 && !(c.req.method === 'HEAD' && allowed.includes('GET'))) {
    c.header('allow', allowed.join(', '))
    throw new BoardroomError('method_not_allowed', `this path supports ${allowed.join(', ')}`, {
      details: { allowed },
    })
  }
  throw new BoardroomError('not_found', 'there is nothing at this path; the API is described at /api/docs')
}
