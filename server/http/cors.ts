// Pages of other origins: which may call the API, and which are refused when they send somebody's cookies.
import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { BoardroomError } from '../errors.ts'
import type { HttpEnv } from '../routing/context.ts'

/** Whether `origin` is ours or allowed by the operator. @see server/http/origins.ts */
export type IsOurOrigin = (origin: string, host: string | null) => boolean

/** Answers preflights and lets allowed origins read responses, with credentials. Others get no CORS headers. */
export const crossOrigin = (isOurOrigin: IsOurOrigin): MiddlewareHandler<HttpEnv> =>
  cors({
    origin: (origin, c) => (isOurOrigin(origin, c.req.header('host') ?? null) ? origin : null),
    credentials: true,
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: ['authorization', 'content-type', 'last-event-id', 'if-none-match'],
    exposeHeaders: ['x-request-id', 'retry-after', 'etag', 'content-disposition'],
    maxAge: 600,
  })

/** Routes that exchange a secret for a cookie. */
const waysIn = /^\/api\/(share-links\/|setup|auth\/|invitations\/(accept|preview)|password-resets)/

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses a change that a foreign page requests with somebody's cookie (CSRF), and the use of a sign-in or share link
 * on a foreign page, where the resulting cookie would not count and the link would be used up for nothing. Browsers send
 * Origin with every request other than GET and HEAD; a program that sends none sends cookies only on purpose.
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
  // The page is ours, under a host name that is not configured.
  if (origin !== null && host !== null && origin.replace(/^https?:\/\//, '') === host) {
    return new BoardroomError(
      'origin_not_allowed',
      `this page was opened at ${used}, but the address of this server is ${publicUrl}: open it there; if ${used} is correct, the operator must set BOARDROOM_PUBLIC_URL=${used}`,
      { details: { ...details, setting: 'BOARDROOM_PUBLIC_URL' } },
    )
  }
  return new BoardroomError(
    'origin_not_allowed',
    `pages of ${used} may not use this server, whose address is ${publicUrl}; the operator can allow them (BOARDROOM_ALLOWED_ORIGINS)`,
    { details: { ...details, setting: 'BOARDROOM_ALLOWED_ORIGINS' } },
  )
}
