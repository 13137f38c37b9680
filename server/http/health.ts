// Liveness and readiness checks, for load balancers and service managers.
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import { z } from 'zod'
import type { HttpEnv } from '../routing/context.ts'
import { jsonAnswer, newRouter } from '../routing/router.ts'

/** One thing that must work. Resolves if it does; any rejection means that it does not. */
export type Check = () => Promise<void> | void

/** How long one check may take before it counts as failed. */
const checkTimeoutMs = 2_000

/**
 * `/healthz`: 200 while the process responds. `/readyz`: 200 if every check passes, otherwise 503; the body names each
 * check but gives no reasons, because anybody may ask.
 */
export function healthRoutes(checks: Readonly<Record<string, Check>>): OpenAPIHono<HttpEnv> {
  const app = newRouter()
  app.openapi(health, (c) => c.json({ status: 'ok' as const }, 200))
  app.openapi(readiness, async (c) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await passes(check)] as const),
    )
    const ready = results.every(([, ok]) => ok)
    c.header('cache-control', 'no-store')
    return c.json(
      {
        status: ready ? ('ready' as const) : ('not_ready' as const),
        checks: Object.fromEntries(
          results.map(([name, ok]) => [name, ok ? ('ok' as const) : ('failed' as const)]),
        ),
      },
      ready ? 200 : 503,
    )
  })
  return app
}

const tags = ['Operating']
const Readiness = z.object({
  status: z.enum(['ready', 'not_ready']),
  checks: z.record(z.string(), z.enum(['ok', 'failed'])),
})

const health = createRoute({
  method: 'get',
  path: '/healthz',
  tags,
  summary: 'Whether the process is alive',
  responses: { 200: jsonAnswer(z.object({ status: z.literal('ok') }), 'It does.') },
})

const readiness = createRoute({
  method: 'get',
  path: '/readyz',
  tags,
  summary: 'Whether it is ready for requests',
  responses: {
    200: jsonAnswer(Readiness, 'The database answers and its notifications arrive.'),
    503: jsonAnswer(Readiness, 'One of them does not.'),
  },
})

async function passes(check: Check): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), checkTimeoutMs)
  })
  const result = (async () => check())().then(
    () => true,
    () => false,
  )
  return Promise.race([result, late]).finally(() => clearTimeout(timer))
}
