// Whether the process lives, and whether it can work: for load balancers and service managers.
import { Hono } from 'hono'
import type { HttpEnv } from './context.ts'

/** One thing that must work. Resolves when it does; anything thrown means it does not. */
export type Check = () => Promise<void> | void

/** How long one check may take before it counts as failed. */
const checkTimeoutMs = 2_000

/**
 * `/healthz`: 200 while the process answers. `/readyz`: 200 when every check passes, else 503; the body names each
 * check and says nothing about why, because anybody may ask.
 */
export function healthRoutes(checks: Readonly<Record<string, Check>>): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>()
  app.get('/healthz', (c) => c.json({ status: 'ok' }))
  app.get('/readyz', async (c) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await passes(check)] as const),
    )
    const ready = results.every(([, ok]) => ok)
    c.header('cache-control', 'no-store')
    return c.json(
      {
        status: ready ? 'ready' : 'not_ready',
        checks: Object.fromEntries(results.map(([name, ok]) => [name, ok ? 'ok' : 'failed'])),
      },
      ready ? 200 : 503,
    )
  })
  return app
}

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
