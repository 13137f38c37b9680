// Better Auth over HTTP: an allow-list of its routes. All others are 404, because its admin routes would bypass the
// last-sysadmin guard and the trail. Bodies are validated here; responses and errors are converted to our format.
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
import { guess, ownPassword, type SignInDeps, signIn } from './sign-in.ts'
import type { Sso } from './sso/sso.ts'
import { createUser } from './users.ts'

export interface AuthRoutesDeps extends SignInDeps {
  config: Pick<Config, 'signUp' | 'passwords'>
  sso: Sso | null
  /** The address that people type, without a trailing slash. */
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
        'accounts on this server require an invitation; ask an administrator (the operator may set BOARDROOM_SIGN_UP=open)',
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
    // Both cookies: otherwise people who sign out would turn back into the guest that they came as.
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
    const asked = { userId: mine.userId, to: 'change_password' } as const
    await ownPassword(deps, c, asked, () => changePassword(db, c.get('actor'), mine, body))
    return c.json({ success: true as const }, 200)
  })

  return router
}

/** @returns where the browser can end the provider's session too; null if there is none */
async function signOut({ auth, db, sso, publicUrl }: AuthRoutesDeps, c: Handled) {
  // If the provider is unreachable, people are still signed out here.
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
    // The token is only in the cookie.
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
  description: 'Sets the session cookie. Programs can use `token` as `Authorization: Bearer`.',
  request: { body: jsonBody(SignInRequest) },
  responses: { 200: jsonAnswer(SignInResponse, 'Signed in.'), ...errorAnswers(401, 403) },
})

const signUpRoute = createRoute({
  method: 'post',
  path: '/auth/sign-up/email',
  tags: ['accounts'],
  summary: 'Create an account, if BOARDROOM_SIGN_UP is open',
  request: { body: jsonBody(SignUpRequest) },
  responses: { 200: jsonAnswer(SignInResponse, 'Created and signed in.'), ...errorAnswers(403, 409) },
})

const setupRoute = createRoute({
  method: 'post',
  path: '/setup',
  tags: ['accounts'],
  summary: 'Create the first account, with the secret of the set-up link',
  request: { body: jsonBody(SetupRequest) },
  responses: {
    200: jsonAnswer(SignInResponse, 'Created as sysadmin and signed in.'),
    ...errorAnswers(404, 409),
  },
})

const setupPreviewRoute = createRoute({
  method: 'post',
  path: '/setup/preview',
  tags: ['accounts'],
  summary: 'Check whether a set-up link is still valid',
  request: { body: jsonBody(SetupPreview) },
  responses: { 204: { description: 'It is.' }, ...errorAnswers(404) },
})

const signOutRoute = createRoute({
  method: 'post',
  path: '/auth/sign-out',
  tags: ['accounts'],
  summary: 'Sign out, or leave as a guest: ends the sessions of this browser, with their sockets and tickets',
  responses: {
    200: jsonAnswer(
      Done.extend({
        redirect: z
          .string()
          .nullable()
          .describe(
            'the address where the single sign-on provider ends its own session and redirects back; null if there is none',
          ),
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
  summary: 'The current session, or null',
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
  summary: 'Change your password; all other sessions end',
  request: { body: jsonBody(ChangePasswordRequest) },
  responses: { 200: jsonAnswer(Done, 'Changed.'), ...errorAnswers(401, 403) },
})
