// The HTTP edge: who is asking is found out, the nouns' routes are mounted, errors become JSON, the client is
// served. No socket and no port: the caller listens. Upgrades never come here, see upgrade.ts.
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
  /** Behind trusted proxies the client's; null where there is no socket. */
  ip: string | null
}

export interface AppDeps {
  log: Logger
  /** Who is asking, by ticket, session, guest cookie or nothing. @throws BoardroomError for credentials that are not valid */
  identify(request: Request, incoming: IncomingMessage | undefined): Promise<Identified>
  isOurOrigin: IsOurOrigin
  /** What people type to get here, without a trailing slash; known once the port is. */
  publicUrl: () => string
  /** The address that a request came from, for those whose proof of who they are is no good. */
  addressOf?(incoming: IncomingMessage | undefined): string | null
  /** Refused requests on boards and on the trail, and too many requests anywhere. @see server/audit/trail.ts */
  recordDenied?(denied: DeniedRequest): Promise<void>
  /** Whether somebody may send anything about a board; asked before a byte of it is read. @throws BoardroomError */
  admitBody?(identity: Identity, boardId: string): Promise<void>
  headers: SecurityHeaderSettings
  /** Where the numbers of this process are; app.ts adds its own. */
  registry: Registry
  /** What `/metrics` answers, where that is not the numbers of this process. */
  metricsText?: (() => Promise<string>) | undefined
  /** What `/readyz` asks. */
  checks: Readonly<Record<string, Check>>
  /** The built client, absolute; null serves none. */
  clientFolder: string | null
  /** Sizes of bodies, for the routes that take more than {@link defaultBodyBytes}. */
  limits: { maxFileBytes: number; maxBoardBytes: number }
  version: string
  /** Who sends it reads `/metrics`. */
  metricsToken?: string | undefined
  /** The endpoint of agents, at the root; without it there is none. */
  mcp?: Hono<HttpEnv> | undefined
  /** The nouns' routers, whose paths are written without `/api`. */
  routers: readonly Hono<HttpEnv>[]
}

/** A request that was refused for who asked. */
export interface DeniedRequest {
  actor: Actor
  /** null where the path names none. */
  boardId: string | null
  /** The code of the error. */
  reason: string
  /** `POST /api/boards/{board_id}/import`: method and path, ids left out. */
  route: string
}

const defaultBodyBytes = 1024 * 1024
/** Anonymous people sign in, open a link or make an account, and send no more than that takes. */
const anonymousBodyBytes = 64 * 1024

/** The whole HTTP side. `app.fetch(request, { incoming })` answers; it never throws. */
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
  // Who asks and whether they may comes first: a stranger's body is not read.
  app.use('/api/*', noStore, identified(deps), requireScope)
  app.use('/api/boards/:board_id/*', admitted(deps))
  app.use('/api/*', limitBody(deps.limits), refuseBrokenText)
  // A metrics token is no session, and must not be refused as a bad one.
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
 * Tells which paths are ours, for a server that has routes of its own beside us: the first two segments of every
 * route under `/api`, health, metrics; everything where the client is served too.
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

/** Before the answer is sent; what cannot be recorded is refused all the same. */
async function recordRefusal(deps: AppDeps, error: unknown, c: Context<HttpEnv>): Promise<void> {
  if (deps.recordDenied === undefined || !(error instanceof BoardroomError)) return
  const { path } = c.req
  const known: Actor | undefined = c.get('actor')
  // A credential that is none, or a foreign page: refused before anybody knew who it was, whatever they wanted.
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

/** Answers depend on who asks: no cache keeps them, unless the route says so itself. */
const noStore: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next()
  if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
}

/** Told by the headers alone: looking at the body would begin to read it. */
const mayHaveBody = (c: Context<HttpEnv>): boolean => {
  const length = c.req.header('content-length')
  if (length !== undefined) return Number(length) > 0
  return c.req.header('transfer-encoding') !== undefined || ['POST', 'PUT', 'PATCH'].includes(c.req.method)
}

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Asks whether the asker has anything to do on the board, before its body is read. Who asks for access, or accepts what is asked, has nothing yet. */
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

/** Documents and images are read by their routes, into one budget. @see server/storage/bodies.ts */
const isRaw = (path: string): boolean => /^\/api\/boards\/[^/]+\/(files\/[^/]+|thumbnail|import)$/.test(path)

/** Refuses bodies beyond the limit of their route, before they are read where their length is told. */
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
      if (Number(length) > maxBytes) throw tooLarge(maxBytes)
    } else if (c.req.raw.body !== null) {
      // Hono's own limiter hands the request to `new Request`, which takes none of @hono/node-server's.
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

const tooLarge = (maxBytes: number): BoardroomError =>
  new BoardroomError('too_large', `the body is larger than ${maxBytes} bytes`, {
    details: { max_bytes: maxBytes },
  })

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON is UTF-8. The runtime would replace broken bytes in silence, and a title would not be what was sent. */
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

/** 405 with Allow where the path exists under another method, else 404. */
function answerUnknown(c: Context<HttpEnv>, app: Hono<HttpEnv>): never {
  const path = c.req.path
  const allowed = methods.filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method),
  )
  if (allowed.length > 0 && !(c.req.method === 'HEAD' && allowed.includes('GET'))) {
    c.header('allow', allowed.join(', '))
    throw new BoardroomError('method_not_allowed', `this path takes ${allowed.join(', ')}`, {
      details: { allowed },
    })
  }
  throw new BoardroomError('not_found', 'there is nothing at this path; the API is described at /api/docs')
}
