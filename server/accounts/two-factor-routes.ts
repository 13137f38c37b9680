// Second factors over HTTP, through Better Auth: one-time codes from an app, and recovery codes in case it is lost. Every
// change and verification is one transaction with its audit row.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  RecoveryCodes,
  TwoFactorCode,
  TwoFactorPassword,
  TwoFactorSetUp,
} from '../../shared/api/two-factor.ts'
import { SignInResponse } from '../../shared/api.ts'
import { transactionRecordedApart } from '../audit/actor.ts'
import { BoardroomError } from '../errors.ts'
import type { Identity } from '../principal.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import { type CookieNames, cookieValue } from './cookies.ts'
import { accepted, forward, type Handled, requestFor, withCookies } from './forward.ts'
import { lockUserById } from './queries.ts'
import { guess, ownPassword, type SignInDeps } from './sign-in.ts'
import { isRequiredOf, recordTwoFactor, type TwoFactorPolicy } from './two-factor.ts'
import { hasTwoFactor, spendCode, userOfChallenge } from './two-factor-queries.ts'

export interface TwoFactorDeps extends SignInDeps {
  policy: TwoFactorPolicy
  cookies: CookieNames
}

const tags = ['accounts']
const Done = z.object({ success: z.literal(true) })

/** `/auth/two-factor/*`. */
export function twoFactorRoutes(deps: TwoFactorDeps): OpenAPIHono<HttpEnv> {
  const { auth, db } = deps
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'post',
      path: '/auth/two-factor/enable',
      tags,
      summary: 'Start setting up a second factor',
      description:
        'Nothing changes until the first code from the app has been verified. Keep the recovery codes safe.',
      request: { body: jsonBody(TwoFactorPassword) },
      responses: {
        200: jsonAnswer(TwoFactorSetUp, 'Enter `totp_uri` into the app, as a QR code or by hand.'),
        ...errorAnswers(401, 409),
      },
    }),
    async (c) => {
      const { userId } = signedIn(c.get('identity'))
      const body = { ...c.req.valid('json'), method: 'totp' }
      const answer = await ownPassword(deps, c, { userId, to }, () =>
        forward(auth, c, 'POST', '/two-factor/enable', body),
      )
      const { totpURI, backupCodes } = SetUpAnswer.parse(await answer.json())
      const secret = new URL(totpURI).searchParams.get('secret') ?? ''
      return c.json({ totp_uri: totpURI, secret, recovery_codes: backupCodes }, 200)
    },
  )

  for (const [path, summary] of [
    ['/auth/two-factor/verify-totp', 'Sign in with a code from the app, or finish setting it up'],
    ['/auth/two-factor/verify-backup-code', 'Sign in with a recovery code, which is used up'],
  ] as const) {
    router.openapi(
      createRoute({
        method: 'post',
        path,
        tags,
        summary,
        description:
          'After a sign-in that returned `twoFactorRedirect`, with the cookie that it set. Ten wrong codes in a row lock the second factor for a quarter of an hour.',
        request: { body: jsonBody(TwoFactorCode) },
        responses: { 200: jsonAnswer(SignInResponse, 'Signed in.'), ...errorAnswers(401, 409) },
      }),
      (c) => verify(deps, c, path.slice('/auth'.length), c.req.valid('json').code),
    )
  }

  router.openapi(
    createRoute({
      method: 'post',
      path: '/auth/two-factor/disable',
      tags,
      summary: 'Switch the second factor off',
      request: { body: jsonBody(TwoFactorPassword) },
      responses: { 200: jsonAnswer(Done, 'Off.'), ...errorAnswers(401, 409) },
    }),
    async (c) => {
      const { userId, sessionId, role } = signedIn(c.get('identity'))
      if (isRequiredOf(deps.policy, role)) {
        throw new BoardroomError(
          'conflict',
          'this server requires a second factor, so it cannot be switched off',
        )
      }
      if (!(await hasTwoFactor(db, userId))) throw new BoardroomError('conflict', 'you have no second factor')
      const body = c.req.valid('json')
      const answer = await ownPassword(deps, c, { userId, to }, () =>
        transactionRecordedApart(db, async (trx) => {
          const how = { keeping: sessionId, trx }
          const done = await forward(auth, c, 'POST', '/two-factor/disable', body, how)
          await recordTwoFactor(trx, c.get('actor'), userId, { from: true, to: false })
          return done
        }),
      )
      return withCookies(c.json({ success: true as const }, 200), answer)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/auth/two-factor/generate-backup-codes',
      tags,
      summary: 'Create new recovery codes, which replace the old ones',
      request: { body: jsonBody(TwoFactorPassword) },
      responses: { 200: jsonAnswer(RecoveryCodes, 'Shown only once.'), ...errorAnswers(401, 409) },
    }),
    async (c) => {
      const { userId } = signedIn(c.get('identity'))
      const body = c.req.valid('json')
      const answer = await ownPassword(deps, c, { userId, to }, () =>
        transactionRecordedApart(db, async (trx) => {
          const done = await forward(auth, c, 'POST', '/two-factor/generate-backup-codes', body, { trx })
          await recordTwoFactor(trx, c.get('actor'), userId, 'recovery_codes')
          return done
        }),
      )
      const { backupCodes } = CodesAnswer.parse(await answer.json())
      return c.json({ recovery_codes: backupCodes }, 200)
    },
  )

  return router
}

const to = 'change_two_factor'
const SetUpAnswer = z.object({ totpURI: z.string(), backupCodes: z.array(z.string()) })
const CodesAnswer = z.object({ backupCodes: z.array(z.string()) })

function signedIn({ principal, via, sessionId }: Identity) {
  if (principal.kind !== 'user' || via !== 'session' || sessionId === null)
    throw new BoardroomError('not_signed_in', 'sign in first')
  return { userId: principal.userId, role: principal.role, sessionId }
}

async function verify(deps: TwoFactorDeps, c: Handled, path: string, code: string) {
  const { principal, sessionId } = c.get('identity')
  const own = principal.kind === 'user' && sessionId !== null ? { userId: principal.userId, sessionId } : null
  const whose = await challenged(deps, c)
  const answer = await guess(deps, c, async () =>
    accepted(
      // Committed even if it refuses, because it counts wrong codes.
      await transactionRecordedApart(deps.db, async (trx) => {
        if (own !== null) await lockUserById(trx, own.userId)
        const had = own !== null && (await hasTwoFactor(trx, own.userId))
        const request = requestFor(deps.auth, c, 'POST', path, { code })
        const said = await deps.auth.handler(request, { keeping: own?.sessionId, trx })
        // RFC 6238, section 5.2: a code is valid only once. Better Auth ensures that only for recovery codes.
        if (said.ok && path === '/two-factor/verify-totp') {
          const { user } = SignInResponse.parse(await said.clone().json())
          if (!(await spendCode(trx, Number(user?.id), code)))
            throw new BoardroomError('wrong_credentials', 'this code was already used; wait for the next one')
        }
        if (own !== null && !had && (await hasTwoFactor(trx, own.userId)))
          await recordTwoFactor(trx, c.get('actor'), own.userId, { from: false, to: true })
        return said
      }),
    ),
  ).catch(async (error: unknown) => {
    if (error instanceof BoardroomError && ['wrong_credentials', 'too_many_requests'].includes(error.code)) {
      const userId = own === null ? whose : String(own.userId)
      await deps.trail.record({
        action: 'login_failed',
        actor: c.get('actor'),
        resourceType: userId === null ? null : 'user',
        resourceId: userId,
        details: { reason: error.code === 'wrong_credentials' ? 'wrong_code' : 'locked' },
      })
    }
    throw error
  })
  const { token: _, ...shown } = SignInResponse.parse(await answer.json())
  const token = answer.headers.get('set-auth-token')
  return withCookies(c.json(token === null ? shown : { ...shown, token }, 200), answer)
}

/** Who is being asked for a second factor, according to the sign-in's cookie; only for the trail, so the signature is not checked. */
async function challenged({ db, cookies }: TwoFactorDeps, c: Handled): Promise<string | null> {
  const value = cookieValue(c.req.header('cookie') ?? '', cookies.twoFactor)
  const identifier = value?.split('.')[0]
  return identifier?.startsWith('2fa-') ? userOfChallenge(db, identifier) : null
}
