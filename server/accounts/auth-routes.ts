// Better Auth over HTTP: its routes that are open, one by one. All others are 404, because its admin routes go round
// the last-sysadmin guard and the trail. Bodies are checked here, answers and errors brought into our shape.
import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import {
  ChangePasswordRequest,
  SetupPreview,
  SetupRequest,
  SignInRequest,
  SignInResponse,
  SignUpRequest,
} from '../../shared/api.ts'
import { transactionAs } from '../audit/actor.ts'
import type { Config } from '../config.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import { addressKey } from '../routing/addresses.ts'
import type { HttpEnv } from '../routing/context.ts'
import type { RateLimit } from '../routing/rate-limits.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import { type AccountTrail, type Auth, clientAddressHeader } from './auth.ts'
import type { Guests } from './guests.ts'
import { refuseGuessable } from './passwords.ts'
import { userIdByEmail } from './queries.ts'
import { deleteSessions } from './session-queries.ts'
import { checkSetup, setUp } from './setup.ts'
import { createUser } from './users.ts'

export interface AuthRoutesDeps {
  db: Db
  auth: Auth
  trail: AccountTrail
  config: Pick<Config, 'signUp'>
  /** Wrong passwords and set-up secrets, by address. */
  failedGuesses: RateLimit
  guests: Pick<Guests, 'leave'>
}

type Handled = Context<HttpEnv>

/** `/auth/*` and `/setup`. */
export function authRoutes(deps: AuthRoutesDeps) {
  const { auth, db } = deps
  const router = newRouter()

  router.openapi(signInRoute, async (c) => signIn(deps, c, c.req.valid('json')))

  router.openapi(signUpRoute, async (c) => {
    if (deps.config.signUp !== 'open') {
      throw new BoardroomError(
        'access_denied',
        'accounts are made by invitation here; ask an administrator (the operator may set BOARDROOM_SIGN_UP=open)',
      )
    }
    const person = c.req.valid('json')
    await guess(deps, c, () => createUser(db, c.get('actor'), { ...person, email_verified: false }))
    return signIn(deps, c, { email: person.email, password: person.password })
  })

  router.openapi(setupRoute, async (c) => {
    const person = c.req.valid('json')
    await guess(deps, c, () => setUp(db, c.get('actor'), person))
    return signIn(deps, c, { email: person.email, password: person.password })
  })

  router.openapi(setupPreviewRoute, async (c) => {
    const { token } = c.req.valid('json')
    await guess(deps, c, () => checkSetup(db, token))
    return c.body(null, 204)
  })

  router.openapi(signOutRoute, async (c) => {
    // Both cookies that this browser may hold: otherwise people who sign out become the guest again that they came as.
    const cookie = await deps.guests.leave(c.get('actor'), c.req.header('cookie'))
    const answer = await forward(auth, c, 'POST', '/sign-out', {})
    const done = withCookies(c.json({ success: true as const }, 200), answer)
    if (cookie !== null) done.headers.append('set-cookie', cookie)
    return done
  })

  router.openapi(getSessionRoute, async (c) => {
    const answer = await forward(auth, c, 'GET', '/get-session')
    const found = SessionAnswer.parse(await answer.json())
    return withCookies(c.json(found, 200), answer)
  })

  router.openapi(changePasswordRoute, async (c) => {
    const { principal, sessionId, via } = c.get('identity')
    if (principal.kind !== 'user' || via !== 'session')
      throw new BoardroomError('not_signed_in', 'sign in first')
    const body = c.req.valid('json')
    await refuseGuessable(body.newPassword, [principal.name])
    await guess(deps, c, () => forward(auth, c, 'POST', '/change-password', body))
    // People who knew the old password are out. The session that changed it continues, and so do its sockets.
    await transactionAs(db, c.get('actor'), (trx) =>
      deleteSessions(trx, principal.userId, { except: Number(sessionId) }),
    )
    await deps.trail.record({
      action: 'update',
      category: 'account',
      actor: c.get('actor'),
      resourceType: 'user',
      resourceId: String(principal.userId),
      details: { changed: 'password' },
    })
    return c.json({ success: true as const }, 200)
  })

  return router
}

const SessionAnswer = z
  .object({
    // The token stays in the cookie.
    session: z.looseObject({ id: z.string() }).transform(({ token: _, ...session }) => session),
    user: z.looseObject({ id: z.string() }),
  })
  .nullable()

/** A password or secret that may be wrong: counted against the address, and given back when it was right. */
async function guess<Result>(deps: AuthRoutesDeps, c: Handled, work: () => Promise<Result>): Promise<Result> {
  const key = addressKey(c.get('actor').ip)
  if (!deps.failedGuesses.take(key)) {
    throw new BoardroomError('too_many_requests', 'too many wrong tries from this address; try again later', {
      details: { retry_after_seconds: Math.ceil(deps.failedGuesses.retryAfterMs(key) / 1000) },
    })
  }
  const result = await work()
  deps.failedGuesses.giveBack(key)
  return result
}

async function signIn(deps: AuthRoutesDeps, c: Handled, body: SignInRequest) {
  const answer = await guess(deps, c, () => forward(deps.auth, c, 'POST', '/sign-in/email', body)).catch(
    async (error: unknown) => {
      if (error instanceof BoardroomError && recorded.has(error.code))
        await recordFailure(deps, c, body.email, error)
      throw error
    },
  )
  // Better Auth's body has the bare token, which alone proves nothing here; the signed one is in this header.
  const { token: _, ...shown } = SignInResponse.parse(await answer.json())
  const token = answer.headers.get('set-auth-token')
  return withCookies(c.json(token === null ? shown : { ...shown, token }, 200), answer)
}

const recorded = new Set(['wrong_credentials', 'access_denied'])

/** Names the account that was tried, never what was typed: people type passwords into the wrong field. */
async function recordFailure(
  deps: AuthRoutesDeps,
  c: Handled,
  email: string,
  error: BoardroomError,
): Promise<void> {
  const userId = await userIdByEmail(deps.db, email)
  await deps.trail.record({
    action: 'login_failed',
    actor: c.get('actor'),
    resourceType: userId === null ? null : 'user',
    resourceId: userId === null ? null : String(userId),
    details: { reason: error.code === 'wrong_credentials' ? 'wrong_credentials' : 'deactivated' },
  })
}

/**
 * Asks one of Better Auth's routes in the asker's name.
 * @returns its answer where that is a success. @throws BoardroomError for its refusals
 */
export async function forward(
  auth: Auth,
  c: Handled,
  method: 'GET' | 'POST',
  path: string,
  body?: Record<string, unknown>,
): Promise<Response> {
  const headers = new Headers()
  for (const name of passedOn) {
    const value = c.req.header(name)
    if (value !== undefined) headers.set(name, value)
  }
  // The edge has decided about pages (http/cors.ts); without Origin there is none, and Better Auth wants to see one.
  if (!headers.has('origin')) headers.set('origin', new URL(auth.baseUrl).origin)
  const { ip } = c.get('actor')
  if (ip !== null) headers.set(clientAddressHeader, ip)
  if (body !== undefined) headers.set('content-type', 'application/json')
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
  const answer = await auth.handler(new Request(auth.baseUrl + path, init))
  if (!answer.ok) throw await refusalOf(answer)
  return answer
}

const passedOn = ['authorization', 'cookie', 'host', 'origin', 'user-agent']

const Failure = z
  .object({ code: z.string().catch(''), message: z.string().catch('') })
  .catch({ code: '', message: '' })

async function refusalOf(answer: Response): Promise<BoardroomError> {
  const { code, message } = Failure.parse(await answer.json().catch(() => ({})))
  if (code === 'INVALID_EMAIL_OR_PASSWORD')
    return new BoardroomError('wrong_credentials', 'wrong e-mail or password')
  if (code === 'INVALID_PASSWORD')
    return new BoardroomError('wrong_credentials', 'the current password is wrong')
  if (code === 'ACCOUNT_DEACTIVATED' || code === 'BANNED_USER') {
    return new BoardroomError('access_denied', 'this account is deactivated; ask an administrator')
  }
  if (code.includes('ORIGIN') || code.startsWith('CROSS_SITE')) {
    return new BoardroomError('origin_not_allowed', 'pages of this origin may not sign in here')
  }
  if (answer.status === 401) return new BoardroomError('not_signed_in', 'sign in first')
  if (answer.status < 500) return new BoardroomError('invalid_request', message || 'the request was refused')
  return new BoardroomError('internal', 'signing in does not work', { details: { code } })
}

/** Better Auth's cookies on an answer of ours. */
export function withCookies<Answer extends Response>(answer: Answer, from: Response): Answer {
  for (const cookie of from.headers.getSetCookie()) answer.headers.append('set-cookie', cookie)
  return answer
}

const Done = z.object({ success: z.literal(true) })

const signInRoute = createRoute({
  method: 'post',
  path: '/auth/sign-in/email',
  tags: ['accounts'],
  summary: 'Sign in with e-mail and password',
  description: 'Sets the session cookie. `token` serves programs as `Authorization: Bearer`.',
  request: { body: jsonBody(SignInRequest) },
  responses: { 200: jsonAnswer(SignInResponse, 'Signed in.'), ...errorAnswers(401, 403) },
})

const signUpRoute = createRoute({
  method: 'post',
  path: '/auth/sign-up/email',
  tags: ['accounts'],
  summary: 'Make an account, where BOARDROOM_SIGN_UP is open',
  request: { body: jsonBody(SignUpRequest) },
  responses: { 200: jsonAnswer(SignInResponse, 'Made, and signed in.'), ...errorAnswers(403, 409) },
})

const setupRoute = createRoute({
  method: 'post',
  path: '/setup',
  tags: ['accounts'],
  summary: 'Make the first account, with the secret of the set-up link',
  request: { body: jsonBody(SetupRequest) },
  responses: { 200: jsonAnswer(SignInResponse, 'Made sysadmin, and signed in.'), ...errorAnswers(404, 409) },
})

const setupPreviewRoute = createRoute({
  method: 'post',
  path: '/setup/preview',
  tags: ['accounts'],
  summary: 'Whether a set-up link is still good',
  request: { body: jsonBody(SetupPreview) },
  responses: { 204: { description: 'It is.' }, ...errorAnswers(404) },
})

const signOutRoute = createRoute({
  method: 'post',
  path: '/auth/sign-out',
  tags: ['accounts'],
  summary:
    'Sign out, or leave as a guest: sessions of this browser end, with the sockets and tickets that they opened',
  responses: { 200: jsonAnswer(Done, 'Signed out, or nobody was signed in.'), ...errorAnswers(403) },
})

const getSessionRoute = createRoute({
  method: 'get',
  path: '/auth/get-session',
  tags: ['accounts'],
  summary: 'The session that asks, null for none',
  responses: {
    200: jsonAnswer(
      z.object({ session: z.looseObject({}), user: z.looseObject({}) }).nullable(),
      'The session.',
    ),
    ...errorAnswers(),
  },
})

const changePasswordRoute = createRoute({
  method: 'post',
  path: '/auth/change-password',
  tags: ['accounts'],
  summary: 'Change the own password; all other sessions end',
  request: { body: jsonBody(ChangePasswordRequest) },
  responses: { 200: jsonAnswer(Done, 'Changed.'), ...errorAnswers(401, 403) },
})
