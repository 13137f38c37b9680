// Better Auth over HTTP: its routes that are open, one by one. All others are 404, because its admin routes go round
// the last-sysadmin guard and the trail. Bodies are checked here, answers and errors brought into our shape.
import { createRoute, z } from '@hono/zod-openapi'
import {
  ChangePasswordRequest,
  SetupPreview,
  SetupRequest,
  SignInRequest,
  SignInResponse,
  SignUpRequest,
} from '../../shared/api.ts'
import { transactionRecordedApart } from '../audit/actor.ts'
import type { Config } from '../config.ts'
import { BoardroomError } from '../errors.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import { forward, type Handled, passwordsOff, withCookies } from './forward.ts'
import type { Guests } from './guests.ts'
import { changePassword } from './password-change.ts'
import { refuseGuessable } from './passwords.ts'
import { checkSetup, setUp } from './setup.ts'
import { guess, type SignInDeps, signIn } from './sign-in.ts'
import type { Sso } from './sso/sso.ts'
import { createUser } from './users.ts'

export interface AuthRoutesDeps extends SignInDeps {
  config: Pick<Config, 'signUp' | 'passwords'>
  sso: Sso | null
  /** What people type to get here, without a trailing slash. */
  publicUrl: string
  guests: Pick<Guests, 'leave'>
}

/** `/auth/*` and `/setup`. */
export function authRoutes(deps: AuthRoutesDeps) {
  const { auth, db } = deps
  const router = newRouter()

  router.openapi(signInRoute, async (c) => signIn(deps, c, c.req.valid('json')))

  router.openapi(signUpRoute, async (c) => {
    if (deps.config.passwords === 'off') throw passwordsOff()
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
    const { answer, redirect } = await signOut(deps, c)
    const done = withCookies(c.json({ success: true as const, redirect }, 200), answer)
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
    const mine = { userId: principal.userId, sessionId: Number(sessionId) }
    await guess(deps, c, () => changePassword(db, c.get('actor'), mine, body))
    return c.json({ success: true as const }, 200)
  })

  return router
}

/** @returns where the browser goes to end the provider's session too, null where there is none */
async function signOut({ auth, db, sso, publicUrl }: AuthRoutesDeps, c: Handled) {
  // While the provider is away people are signed out here.
  const theirs = await sso?.auth().catch(() => null)
  const body = { callbackURL: `${publicUrl}/sign-in`, disableRedirect: true }
  const answer = await transactionRecordedApart(db, (trx) =>
    forward(theirs ?? auth, c, 'POST', '/sign-out', body, { trx }),
  )
  return { answer, redirect: SignOutAnswer.parse(await answer.json()).url }
}

const SignOutAnswer = z.object({ url: z.string().nullable().default(null) })

const SessionAnswer = z
  .object({
    // The token stays in the cookie.
    session: z.looseObject({ id: z.string() }).transform(({ token: _, ...session }) => session),
    user: z.looseObject({ id: z.string() }),
  })
  .nullable()

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
  responses: {
    200: jsonAnswer(
      Done.extend({
        redirect: z
          .string()
          .nullable()
          .describe('where single sign-on ends its own session, and leads back here; null without one'),
      }),
      'Signed out, or nobody was signed in.',
    ),
    ...errorAnswers(403),
  },
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
