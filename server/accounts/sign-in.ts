// Signing in with e-mail address and password; failed attempts are counted and recorded.
import { type SignInRequest, SignInResponse } from '../../shared/api.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import { addressKey } from '../routing/addresses.ts'
import type { RateLimit } from '../routing/rate-limits.ts'
import type { Auth } from './auth.ts'
import type { AccountTrail } from './auth-deps.ts'
import { forward, type Handled, withCookies } from './forward.ts'
import { userIdByEmail } from './queries.ts'

export interface SignInDeps {
  db: Db
  auth: Auth
  trail: AccountTrail
  /** Wrong passwords and secrets of links, by address. */
  failedGuesses: RateLimit
}

/** Checks a password or secret: takes a try from the address and gives it back on success. */
export async function guess<Result>(
  deps: Pick<SignInDeps, 'failedGuesses'>,
  c: Handled,
  work: () => Promise<Result>,
): Promise<Result> {
  const key = addressKey(c.get('actor').ip)
  if (!deps.failedGuesses.take(key)) throw tooManyTries(deps.failedGuesses, key)
  const result = await work()
  deps.failedGuesses.giveBack(key)
  return result
}

/**
 * The same where guessing is hopeless, as with signed tokens: only failures take a try, so that many people can sign in
 * from one address at the same moment. @throws BoardroomError too_many_requests
 */
export async function unlikelyGuess<Result>(
  { failedGuesses }: Pick<SignInDeps, 'failedGuesses'>,
  c: Handled,
  work: () => Promise<Result>,
): Promise<Result> {
  const key = addressKey(c.get('actor').ip)
  if (failedGuesses.retryAfterMs(key) > 0) throw tooManyTries(failedGuesses, key)
  try {
    return await work()
  } catch (error) {
    failedGuesses.take(key)
    throw error
  }
}

/**
 * The same where somebody signed in types their own password once more, to change it or their second factor: whoever
 * guesses it with a stolen session stands in the trail as well.
 */
export const ownPassword = <Result>(
  deps: Pick<SignInDeps, 'failedGuesses' | 'trail'>,
  c: Handled,
  { userId, to }: { userId: number; to: 'change_password' | 'change_two_factor' },
  work: () => Promise<Result>,
): Promise<Result> =>
  guess(deps, c, work).catch(async (error: unknown) => {
    if (error instanceof BoardroomError && error.code === 'wrong_credentials')
      await deps.trail.record({
        action: 'login_failed',
        actor: c.get('actor'),
        resourceType: 'user',
        resourceId: String(userId),
        details: { reason: 'wrong_credentials', to },
      })
    throw error
  })

const tooManyTries = (failedGuesses: SignInDeps['failedGuesses'], key: string) =>
  new BoardroomError('too_many_requests', 'too many failed attempts from this address; try again later', {
    details: { retry_after_seconds: Math.ceil(failedGuesses.retryAfterMs(key) / 1000) },
  })

export async function signIn(deps: SignInDeps, c: Handled, body: SignInRequest) {
  const answer = await guess(deps, c, () => forward(deps.auth, c, 'POST', '/sign-in/email', body)).catch(
    async (error: unknown) => {
      if (error instanceof BoardroomError && recorded.has(error.code))
        await recordFailure(deps, c, body.email, error)
      throw error
    },
  )
  // Better Auth's body contains the unsigned token, which proves nothing here; the signed one is in this header.
  const { token: _, ...shown } = SignInResponse.parse(await answer.json())
  // If a second factor is required, the session of this token has already ended.
  const token = shown.twoFactorRedirect === true ? null : answer.headers.get('set-auth-token')
  return withCookies(c.json(token === null ? shown : { ...shown, token }, 200), answer)
}

const recorded = new Set(['wrong_credentials', 'access_denied'])

/** Records the account that was tried, never the input: people type passwords into the wrong field. */
async function recordFailure(
  deps: SignInDeps,
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
    details: {
      reason:
        error.details?.reason ?? (error.code === 'wrong_credentials' ? 'wrong_credentials' : 'deactivated'),
    },
  })
}
