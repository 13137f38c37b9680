// The numbers of this process for Prometheus, and who may read them.
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { Histogram, type Registry } from 'prom-client'
import { z } from 'zod'
import { BoardroomError } from '../errors.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, newRouter } from '../routing/router.ts'

/**
 * `GET /metrics`, for programs on the same machine and signed-in administrators. A request that came through a proxy
 * is not local, even where the proxy runs on this machine.
 */
export function metricsRoutes(registry: Registry): OpenAPIHono<HttpEnv> {
  const app = newRouter()
  app.openapi(metrics, async (c) => {
    const { principal } = c.get('identity')
    const administers = principal.kind === 'user' && principal.role !== 'user'
    const forwarded = c.req.header('x-forwarded-for') ?? c.req.header('forwarded') ?? c.req.header('via')
    const address: string | undefined = c.env?.incoming?.socket?.remoteAddress
    const isLocal = forwarded === undefined && address !== undefined && loopback.test(address)
    if (!isLocal && !administers) {
      throw new BoardroomError('access_denied', 'metrics answer programs on this machine and administrators')
    }
    return c.text(await registry.metrics(), 200, {
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
  summary: 'The numbers of this process, for Prometheus',
  responses: {
    200: { description: 'Text.', content: { 'text/plain': { schema: z.string() } } },
    ...errorAnswers(401, 403),
  },
})

const loopback = /^(::1|(::ffff:)?127\.)/

/** Times requests by method, route pattern and status; never by path, which is without bound. */
export function requestMetrics(registry: Registry): MiddlewareHandler<HttpEnv> {
  const seconds = new Histogram({
    name: 'boardroom_http_request_seconds',
    help: 'Time until the head of the answer to an HTTP request, by method, route and status.',
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
