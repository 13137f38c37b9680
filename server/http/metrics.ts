// The metrics of this process for Prometheus, and who may read them.
import { createHash, timingSafeEqual } from 'node:crypto'
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { Counter, Histogram, type Registry } from 'prom-client'
import { z } from 'zod'
import { BoardroomError } from '../errors.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, newRouter } from '../routing/router.ts'

/**
 * `GET /metrics`, for signed-in administrators and for programs on the same machine; if a token is set, for requests
 * with that token instead. A request that came through a proxy is not local, even if the proxy runs on this machine.
 * @param textOf the response: the metrics of this process, or of all workers behind one port.
 */
export function metricsRoutes(
  registry: Registry,
  token: string | undefined,
  textOf: () => Promise<string> = () => registry.metrics(),
): OpenAPIHono<HttpEnv> {
  const app = newRouter()
  app.openapi(metrics, async (c) => {
    const { principal, via, needsTwoFactor = false } = c.get('identity')
    const isPerson = principal.kind === 'user' && via !== 'ticket' && via !== 'key' && !needsTwoFactor
    const administers = isPerson && principal.role !== 'user'
    if (!administers && !(token === undefined ? isLocal(c) : hasToken(c, token))) {
      throw new BoardroomError(
        'access_denied',
        token === undefined
          ? 'metrics are available to administrators and to programs on this machine; set BOARDROOM_METRICS_TOKEN for others'
          : 'metrics are available to administrators and to requests with BOARDROOM_METRICS_TOKEN as a bearer token',
      )
    }
    return c.text(await textOf(), 200, {
      'content-type': registry.contentType,
      'cache-control': 'no-store',
    })
  })
  return app
}

const metrics = createRoute({
  method: 'get',
  path: '/metrics',
  tags: ['Operating'],
  summary: 'Metrics of this process, for Prometheus',
  responses: {
    200: { description: 'Text.', content: { 'text/plain': { schema: z.string() } } },
    ...errorAnswers(401, 403),
  },
})

const loopback = /^(::1|(::ffff:)?127\.)/
const ownHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i

/**
 * Whether a program on this machine sent the request directly. A proxy adds a header, or passes on the host name that
 * people asked for; one that does neither speaks HTTP/1.0 to us, as nginx does by default.
 */
function isLocal(c: Context<HttpEnv>): boolean {
  const incoming = c.env?.incoming
  const passedOn = ['x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'via']
  return (
    passedOn.every((name) => c.req.header(name) === undefined) &&
    loopback.test(incoming?.socket?.remoteAddress ?? '') &&
    ownHost.test(c.req.header('host') ?? '') &&
    incoming?.httpVersion !== '1.0'
  )
}

function hasToken(c: Context<HttpEnv>, token: string): boolean {
  const sent = /^bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? ''
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(sent), digest(token))
}

/** Counts requests refused by a limit on one account, link or address, whose name is in the response's details. */
export function limitCounter(registry: Registry): (error: unknown) => void {
  const reached = new Counter({
    name: 'boardroom_limits_reached_total',
    help: 'Requests refused because an account, a board, a link or an address reached a limit, by limit.',
    labelNames: ['limit'] as const,
    registers: [registry],
  })
  return (error) => {
    const limit = error instanceof BoardroomError ? error.details?.limit : undefined
    if (typeof limit === 'string') reached.inc({ limit })
  }
}

/** Times requests by method, route pattern and status; never by path, which is unbounded. */
export function requestMetrics(registry: Registry): MiddlewareHandler<HttpEnv> {
  const seconds = new Histogram({
    name: 'boardroom_http_request_seconds',
    help: 'Time until the response headers of an HTTP request, by method, route and status.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  })
  return async (c, next) => {
    const begun = performance.now()
    await next()
    const method = knownMethods.has(c.req.method) ? c.req.method : 'other'
    seconds.observe(
      { method, route: routePath(c, -1), status: c.res.status },
      (performance.now() - begun) / 1000,
    )
  }
}

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
