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

/** What uses a secret up for a cookie. */
const waysIn = /^\/api\/(share-links\/|setup|auth\/|invitations\/(accept|preview)|password-resets)/

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses a change that a foreign page asks for with somebody's cookie (CSRF), or by which somebody comes in: a link
 * that is used where its cookie never counts would be lost. Browsers send Origin with every request that is not GET or
 * HEAD; programs that send none carry no cookie they did not mean to.
 * @param publicUrl what people should type, without a trailing slash.
 * @throws BoardroomError origin_not_allowed (`details`: `origin`, `public_url`, `setting`)
 */
export const refuseForeignPages =
  (isOurOrigin: IsOurOrigin, publicUrl: () => string): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    const hasCookie = c.req.header('cookie') !== undefined
    if (!safeMethods.has(c.req.method) && (hasCookie || waysIn.test(c.req.path))) {
      const origin = c.req.header('origin')
      const host = c.req.header('host') ?? null
      const foreign =
        origin === undefined
          ? hasCookie && c.req.header('sec-fetch-site') === 'cross-site'
          : !isOurOrigin(origin, host)
      if (foreign) throw notOurs(origin ?? null, host, publicUrl())
    }
    await next()
  }

function notOurs(origin: string | null, host: string | null, publicUrl: string): BoardroomError {
  const used = origin === null ? 'another site' : origin.slice(0, 200)
  const details = { origin: origin?.slice(0, 200) ?? null, public_url: publicUrl }
  // The page is ours, under a name that we do not go by.
  if (origin !== null && host !== null && origin.replace(/^https?:\/\//, '') === host) {
    return new BoardroomError(
      'origin_not_allowed',
      `this page was opened at ${used}, and the server goes by ${publicUrl}: open it there; if ${used} is its right address, the operator sets BOARDROOM_PUBLIC_URL=${used}`,
      { details: { ...details, setting: 'BOARDROOM_PUBLIC_URL' } },
    )
  }
  return new BoardroomError(
    'origin_not_allowed',
    `pages of ${used} may not act here, where the server goes by ${publicUrl}; the operator can allow them (BOARDROOM_ALLOWED_ORIGINS)`,
    { details: { ...details, setting: 'BOARDROOM_ALLOWED_ORIGINS' } },
  )
}
