// Single sign-on over HTTP: the target of the button, and the callback of the provider. Browsers navigate to both, so
// failures redirect to the sign-in page, which explains them.
import { createRoute, z } from '@hono/zod-openapi'
import { BoardroomError } from '../../errors.ts'
import { errorAnswers, newRouter } from '../../routing/router.ts'
import { type CookieNames, cookieOf, cookieValue } from '../cookies.ts'
import { forward, type Handled, requestFor, withCookies } from '../forward.ts'
import { guess, type SignInDeps, unlikelyGuess } from '../sign-in.ts'
import { callbackPath } from './settings.ts'
import type { Sso } from './sso.ts'

export interface SsoRoutesDeps extends SignInDeps {
  sso: Sso | null
  /** The address that people type, without a trailing slash. */
  publicUrl: string
  cookies: CookieNames
  log: { warn(fields: object, message: string): void; error(fields: object, message: string): void }
}

/** `/auth/sso` and `/auth/callback/oidc`. */
export function ssoRoutes(deps: SsoRoutesDeps) {
  const { sso, publicUrl, cookies, log } = deps
  const router = newRouter()

  const leadTo = (c: Handled, url: string, next: string) => {
    const answer = c.redirect(url, 302)
    // Better Auth stores it too, but in a cookie that only it can read, and reveals it only on success.
    const isKept = next !== '/'
    const cookie = cookieOf(cookies, cookies.next, isKept ? encodeURIComponent(next) : '', isKept ? 3600 : 0)
    if (isKept || cookieValue(c.req.header('cookie'), cookies.next) !== null)
      answer.headers.append('set-cookie', cookie)
    return answer
  }
  const signInPage = (c: Handled, next: string, problem: string) => {
    const query = new URLSearchParams({ ...(next === '/' ? {} : { next }), problem })
    return leadTo(c, `${publicUrl}/sign-in?${query}`, '/')
  }

  router.openapi(beginRoute, async (c) => {
    if (sso === null) throw new BoardroomError('not_found', 'this server has no single sign-on')
    const next = pageOfOurs(c.req.valid('query').next)
    try {
      const auth = await sso.auth()
      const answer = await forward(auth, c, 'POST', '/sign-in/social', {
        provider: callbackPath.split('/').at(-1),
        callbackURL: next,
        errorCallbackURL: next,
        disableRedirect: true,
      })
      const { url } = z.object({ url: z.url() }).parse(await answer.json())
      return withCookies(leadTo(c, url, next), answer)
    } catch (error) {
      if (!(error instanceof BoardroomError && error.code === 'issuer_unreachable')) throw error
      log.error({ err: error }, 'the single sign-on provider does not respond')
      await recordFailure(deps, c, 'unreachable', undefined)
      return signInPage(c, next, 'unreachable')
    }
  })

  router.openapi(signedOutThereRoute, async (c) => {
    if (sso === null) throw new BoardroomError('not_found', 'this server has no single sign-on')
    const { logout_token } = c.req.valid('form')
    await unlikelyGuess(deps, c, () => sso.signedOutThere(c.get('actor'), logout_token))
    c.header('cache-control', 'no-store')
    return c.body(null, 200)
  })

  router.openapi(callbackRoute, async (c) => {
    if (sso === null) throw new BoardroomError('not_found', 'this server has no single sign-on')
    const query = new URL(c.req.url).search
    const wanted = pageOfOurs(decoded(cookieValue(c.req.header('cookie'), cookies.next) ?? '/'))
    try {
      const auth = await sso.auth()
      return await guess(deps, c, async () => {
        const request = requestFor(auth, c, 'GET', callbackPath + query)
        const answer = await sso.as(c.get('actor'), () => auth.handler(request))
        const to = new URL(answer.headers.get('location') ?? '/', publicUrl)
        const isIn = answer.headers.getSetCookie().some((cookie) => cookie.startsWith(`${cookies.session}=`))
        if (!isIn) {
          const problem = to.searchParams.get('error') ?? 'unknown'
          throw new SsoFailure(meaningOf(problem), problem, answer)
        }
        return withCookies(leadTo(c, publicUrl + pageOfOurs(to.pathname + to.search), '/'), answer)
      })
    } catch (error) {
      if (error instanceof SsoFailure) {
        // The error code of the provider or of Better Auth, which contains no secret.
        log.warn({ problem: error.said.slice(0, 100) }, 'a single sign-on failed')
        await recordFailure(deps, c, error.problem, undefined)
        return withCookies(signInPage(c, wanted, error.problem), error.answer)
      }
      if (!(error instanceof BoardroomError)) throw error
      if (error.code === 'issuer_unreachable') {
        log.error({ err: error }, 'the single sign-on provider does not respond')
        await recordFailure(deps, c, 'unreachable', undefined)
        return signInPage(c, wanted, 'unreachable')
      }
      if (error.code === 'too_many_requests') return signInPage(c, wanted, 'too_many')
      if (error.code !== 'access_denied') throw error
      const { reason = 'unusable', user_id } = error.details ?? {}
      await recordFailure(deps, c, String(reason), typeof user_id === 'number' ? user_id : undefined)
      return signInPage(c, wanted, String(reason))
    }
  })

  return router
}

class SsoFailure extends Error {
  readonly problem: string
  readonly said: string
  readonly answer: Response
  constructor(problem: string, said: string, answer: Response) {
    super(said)
    this.problem = problem
    this.said = said
    this.answer = answer
  }
}

/** Maps the error codes of Better Auth and OAuth to the few that the page explains. */
function meaningOf(error: string): string {
  if (error === 'access_denied') return 'cancelled'
  if (error.startsWith('state_') || error === 'please_restart_the_process') return 'state'
  if (error === 'ACCOUNT_DEACTIVATED' || error === 'BANNED_USER') return 'deactivated'
  return 'refused'
}

/** Only pages of ours are allowed. Anything that Better Auth would not accept either becomes the start page. */
const pageOfOurs = (path: string | undefined): string =>
  path !== undefined && /^\/(?![/\\])[\w\-./@+]*(\?[\w\-./=&%*@+]*)?$/.test(path) && !path.startsWith('/api/')
    ? path
    : '/'

const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value)
  } catch {
    return '/' // an incomplete percent sequence, which we never write
  }
}

/** @see server/accounts/sign-in.ts for passwords */
const recordFailure = (
  { trail }: SsoRoutesDeps,
  c: Handled,
  reason: string,
  userId: number | undefined,
): Promise<void> =>
  trail.record({
    action: 'login_failed',
    actor: c.get('actor'),
    resourceType: userId === undefined ? null : 'user',
    resourceId: userId === undefined ? null : String(userId),
    details: { reason, by: 'single_sign_on' },
  })

const beginRoute = createRoute({
  method: 'get',
  path: '/auth/sso',
  tags: ['accounts'],
  summary: 'Sign in with the single sign-on provider',
  description: 'For browsers: redirects to the provider, and from there back to `next`.',
  request: { query: z.object({ next: z.string().max(500).optional() }) },
  responses: {
    302: { description: 'To the provider, or to the sign-in page if the provider does not respond.' },
    ...errorAnswers(404),
  },
})

const callbackRoute = createRoute({
  method: 'get',
  path: `/auth${callbackPath}`,
  tags: ['accounts'],
  summary: 'The callback of the single sign-on provider',
  request: {
    query: z.looseObject({ code: z.string().max(4096).optional(), state: z.string().max(500).optional() }),
  },
  responses: {
    302: { description: 'To `next` if signed in, otherwise to the sign-in page with `problem`.' },
    ...errorAnswers(404),
  },
})

const signedOutThereRoute = createRoute({
  method: 'post',
  path: '/auth/sso/signed-out',
  tags: ['accounts'],
  summary: 'Back-channel logout by the single sign-on provider',
  description:
    'For the provider: register this as the back-channel logout address. It ends the session that the token names or, without `sid`, all sessions of the person.',
  request: {
    body: {
      required: true,
      content: {
        'application/x-www-form-urlencoded': {
          schema: z.object({ logout_token: z.string().min(1).max(8192) }),
        },
      },
    },
  },
  responses: {
    200: { description: 'The sessions have ended.' },
    ...errorAnswers(404),
  },
})
