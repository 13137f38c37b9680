// Signing in with e-mail and password: wrong tries are counted and recorded.
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

/** A password or secret that may be wrong: counted against the address, and given back when it was right. */
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
 * The same where guessing is hopeless, as with what somebody else signs: only failures take a try, so that many who
 * come at the same moment from one address are all let through. @throws BoardroomError too_many_requests
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

const tooManyTries = (failedGuesses: SignInDeps['failedGuesses'], key: string) =>
  new BoardroomError('too_many_requests', 'too many wrong tries from this address; try again later', {
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
  // Better Auth's body has the bare token, which alone proves nothing here; the signed one is in this header.
  const { token: _, ...shown } = SignInResponse.parse(await answer.json())
  // Where a second factor is asked for, the session of this token has ended already.
  const token = shown.twoFactorRedirect === true ? null : answer.headers.get('set-auth-token')
  return withCookies(c.json(token === null ? shown : { ...shown, token }, 200), answer)
}

const recorded = new Set(['wrong_credentials', 'access_denied'])

/** Names the account that was tried, never what was typed: people type passwords into the wrong field. */
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
