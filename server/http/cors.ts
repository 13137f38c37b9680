// Pages of other origins: which may call the API, and which may not even try with somebody's cookies.
import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { BoardroomError } from '../errors.ts'
import type { HttpEnv } from '../routing/context.ts'

/** Whether a page of `origin` is ours, or was allowed by the operator. @see server/http/origins.ts */
export type IsOurOrigin = (origin: string, host: string | null) => boolean

/** Answers preflights and lets allowed origins read answers, with credentials. Others get no CORS header at all. */
export const crossOrigin = (isOurOrigin: IsOurOrigin): MiddlewareHandler<HttpEnv> =>
  cors({
    origin: (origin, c) => (isOurOrigin(origin, c.req.header('host') ?? null) ? origin : null),
    credentials: true,
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: ['authorization', 'content-type', 'last-event-id', 'if-none-match'],
    exposeHeaders: ['x-request-id', 'retry-after', 'etag', 'content-disposition'],
    maxAge: 600,
  })

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses a change that a foreign page asks for with somebody's cookie (CSRF). Browsers send Origin with every
 * request that is not GET or HEAD; programs that send none carry no cookie they did not mean to.
 * @throws BoardroomError origin_not_allowed
 */
export const refuseForeignPages =
  (isOurOrigin: IsOurOrigin): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    if (!safeMethods.has(c.req.method) && c.req.header('cookie') !== undefined) {
      const origin = c.req.header('origin')
      const foreign =
        origin === undefined
          ? c.req.header('sec-fetch-site') === 'cross-site'
          : !isOurOrigin(origin, c.req.header('host') ?? null)
      if (foreign) {
        throw new BoardroomError(
          'origin_not_allowed',
          'pages of this origin may not act with cookies here; the operator can allow it (BOARDROOM_ALLOWED_ORIGINS)',
        )
      }
    }
    await next()
  }
