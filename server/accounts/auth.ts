// Sessions, and Better Auth's routes for signing in and out. It never creates, deactivates or promotes users: users.ts
// does, in transactions that the trail attributes to somebody.
import { timingSafeEqual } from 'node:crypto'
import { type AuthDeps, basePath, sessionKeyOf, signatureOf } from './auth-deps.ts'
import type { BetterAuth } from './better-auth.ts'
import { cookieValue } from './cookies.ts'
import { type SignedIn, signedInByToken } from './session-queries.ts'
import { type Calling, handle } from './settling.ts'

export interface Auth {
  /**
   * One of Better Auth's own routes, by its path below `/api/auth`. The caller decides which are open.
   */
  handler(request: Request, how?: Calling): Promise<Response>
  /** The path at which `handler` assumes it is mounted. */
  readonly baseUrl: string
  /**
   * The user of a session cookie or bearer token; null if there is none, the session has ended or the user is deactivated.
   * It queries the database every time, so that a sign-out takes effect from the next request on. It bypasses Better Auth,
   * whose getSession takes two queries and five times the work: after a restart, two thousand people come back at once.
   */
  signedIn(proof: { cookie: string } | { bearer: string }): Promise<SignedIn | null>
  /** SQL that would give the tables the structure that Better Auth expects; `;` if nothing is missing. */
  drift(): Promise<string>
}

const baseUrlOf = (publicUrl: string): string => `${new URL(publicUrl).origin}${basePath}`

export function createAuth(deps: AuthDeps): Auth {
  const key = sessionKeyOf(deps.secret)
  // Loaded at the first sign-in: it is a third of the server's code, and sessions are checked without it.
  let made: Promise<BetterAuth> | undefined
  const betterAuth = () => {
    made ??= import('./better-auth.ts').then(({ newBetterAuth }) => newBetterAuth(deps))
    return made
  }
  return {
    handler: async (request, how) => handle(deps, await betterAuth(), request, how),
    baseUrl: baseUrlOf(deps.publicUrl),
    async signedIn(proof) {
      const signed = 'bearer' in proof ? proof.bearer : cookieValue(proof.cookie, deps.cookies.session)
      const token = signed === null ? null : tokenOf(signed, key)
      const row = token === null ? undefined : await signedInByToken(deps.db, token)
      return row ?? null
    },
    drift: async () => (await betterAuth()).drift(),
  }
}

/**
 * The session token in a cookie or bearer token as Better Auth signs it: `<token>.<HMAC-SHA256 of it, base64>`,
 * percent-encoded. Null if the signature is not ours: a token read from the database proves nothing.
 */
function tokenOf(signed: string, secret: string): string | null {
  const [token = '', signature = '', ...rest] = decoded(signed).split('.')
  const given = Buffer.from(signature)
  const expected = Buffer.from(signatureOf(token, secret))
  const isOurs = rest.length === 0 && given.length === expected.length && timingSafeEqual(given, expected)
  return isOurs ? token : null
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return '' // an incomplete percent sequence, which we never write
  }
}
