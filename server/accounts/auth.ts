// Better Auth, set up for our tables. What it does well it does: passwords, session rows, signed cookies, two-factor.
// It never makes, deactivates or promotes anybody: users.ts does, in transactions that the trail ascribes to someone.

import { AsyncLocalStorage } from 'node:async_hooks'
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { type BetterAuthOptions, betterAuth } from 'better-auth'
import { APIError } from 'better-auth/api'
import { getMigrations } from 'better-auth/db/migration'
import { admin, bearer, twoFactor } from 'better-auth/plugins'
import { createAccessControl } from 'better-auth/plugins/access'
import { adminAc, defaultStatements, userAc } from 'better-auth/plugins/admin/access'
import type { Logger } from 'pino'
import { transactionRecordedApart } from '../audit/actor.ts'
import type { Config } from '../config.ts'
import type { Db } from '../database/database.ts'
import type { Actor } from '../principal.ts'
import { type CookieNames, cookieValue } from './cookies.ts'
import { hashPassword, passwordLength, verifyPassword } from './passwords.ts'
import { userById } from './queries.ts'
import { dropSessions, moveToken, type SignedIn, signedInByToken } from './session-queries.ts'

/** What accounts need of the trail; `AuditTrail` is one. */
export interface AccountTrail {
  record(event: {
    action: 'login' | 'logout' | 'login_failed' | 'update'
    category?: 'account'
    actor: Actor
    resourceType?: string | null
    resourceId?: string | null
    oldValues?: Record<string, unknown> | null
    newValues?: Record<string, unknown> | null
    details?: Record<string, unknown> | null
  }): Promise<void>
}

/** Whether a page of `origin` is ours. @see server/http/origins.ts */
export type IsOurOrigin = (origin: string, host: string | null) => boolean

export interface AuthDeps {
  db: Db
  /** The same for Better Auth's own writes, marked as `recordedApart`: this file and its callers record them. */
  marked: Db
  schema: string
  /** BOARDROOM_SECRET; the key of the cookies is derived from it. */
  secret: string
  /** Where people type it; only its origin matters here. */
  publicUrl: string
  isOurOrigin: IsOurOrigin
  cookies: CookieNames
  trail: AccountTrail
  /** off: a password signs in sysadmins alone. @see docs/accounts.md */
  passwords: Config['passwords']
  log: Logger
}

export interface Auth {
  /**
   * One of Better Auth's own routes, by its path below `/api/auth`. The caller decides which are open.
   * @param keeping the session that asks, where the route would replace it: its row goes on under the new token, so
   *   that sockets and tickets of the session live on.
   */
  handler(request: Request, keeping?: string): Promise<Response>
  /** Where `handler` believes to be mounted. */
  readonly baseUrl: string
  /**
   * Who a session cookie or a bearer token signs in; null for nobody, an ended session and a deactivated user.
   * Asks the database every time, so that a sign-out holds from the next request on. Not through Better Auth, whose
   * getSession takes two queries and five times the work: two thousand people come back at once after a restart.
   */
  signedIn(proof: { cookie: string } | { bearer: string }): Promise<SignedIn | null>
  /** SQL that would bring the tables to what Better Auth expects; `;` where nothing is missing. */
  drift(): Promise<string>
}

/** Tells Better Auth the client's address; ours, never taken from what a client sent. */
export const clientAddressHeader = 'x-boardroom-client-address'

const dayS = 86_400

/** One call of a Better Auth, with what it did to sessions recorded before the answer goes out. */
export async function handle(
  deps: AuthDeps,
  auth: { handler(request: Request): Promise<Response> },
  request: Request,
  keeping?: string,
): Promise<Response> {
  const call: Call = { keeping, begun: [], ended: [] }
  const answer = await calls.run(call, () => auth.handler(request))
  await settle(deps, call)
  return answer
}

export function createAuth(deps: AuthDeps): Auth {
  const options = authOptions(deps)
  const auth = betterAuth(options)
  return {
    handler: (request, keeping) => handle(deps, auth, request, keeping),
    baseUrl: `${options.baseURL}${options.basePath}`,
    async signedIn(proof) {
      const signed = 'bearer' in proof ? proof.bearer : cookieValue(proof.cookie, deps.cookies.session)
      const token = signed === null ? null : tokenOf(signed, options.secret)
      const row = token === null ? undefined : await signedInByToken(deps.db, token)
      return row ?? null
    },
    drift: async () => (await getMigrations(options as BetterAuthOptions)).compileMigrations(),
  }
}

/** What a route of Better Auth's did to sessions. */
interface Call {
  keeping: string | undefined
  begun: SessionRecord[]
  ended: { session: SessionRecord; headers: Headers | null }[]
}

const calls = new AsyncLocalStorage<Call>()

/**
 * Records who signed in and out, before the answer goes out: a sign-in that cannot be recorded fails. One that only
 * led to the question for a second factor began and ended a session in one call, and is none yet.
 */
async function settle(deps: AuthDeps, { keeping, begun, ended }: Call): Promise<void> {
  const over = new Set(ended.map(({ session }) => session.id))
  const [renewed] = begun
  if (keeping !== undefined && renewed !== undefined) {
    const move = { from: Number(renewed.id), to: Number(keeping) }
    if (await transactionRecordedApart(deps.db, (trx) => moveToken(trx, move.from, move.to))) return
  }
  const isNew = new Set(begun.map(({ id }) => id))
  try {
    for (const session of begun) if (!over.has(session.id)) await recordSession(deps, 'login', session, null)
  } catch (error) {
    await transactionRecordedApart(deps.db, (trx) =>
      dropSessions(
        trx,
        begun.map(({ id }) => Number(id)),
      ),
    )
    throw error
  }
  for (const { session, headers } of ended)
    if (!isNew.has(session.id)) await recordSession(deps, 'logout', session, headers)
}

/**
 * The session token in a cookie or bearer token as Better Auth signs it: `<token>.<HMAC-SHA256 of it, base64>`,
 * percent-encoded. Null where the signature is not ours: a token read out of the database proves nothing.
 */
function tokenOf(signed: string, secret: string): string | null {
  const [token = '', signature = '', ...rest] = decoded(signed).split('.')
  const given = Buffer.from(signature)
  const expected = Buffer.from(signatureOf(token, secret))
  const isOurs = rest.length === 0 && given.length === expected.length && timingSafeEqual(given, expected)
  return isOurs ? token : null
}

/** @param key what `sessionKeyOf` gives */
export const signatureOf = (token: string, key: string): string =>
  createHmac('sha256', key).update(token).digest('base64')

/** What session cookies are signed with. @param secret BOARDROOM_SECRET */
export const sessionKeyOf = (secret: string): string =>
  Buffer.from(hkdfSync('sha256', secret, '', 'boardroom sessions v1', 32)).toString('base64url')

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return '' // half a percent sequence: nobody of ours wrote it
  }
}

const stamps = { createdAt: 'created_at', updatedAt: 'updated_at' }

/** How every Better Auth of this server is set up. */
export function authOptions(deps: AuthDeps) {
  const { db, marked, cookies, log } = deps
  const accessControl = createAccessControl(defaultStatements)
  const baseURL = new URL(deps.publicUrl).origin
  return {
    appName: 'Boardroom',
    baseURL,
    basePath: '/api/auth',
    secret: sessionKeyOf(deps.secret),
    database: { db: marked, type: 'postgres', schemaName: deps.schema },
    telemetry: { enabled: false },
    // Its own refusals still become answers; everything else reaches our error handler as it is.
    onAPIError: { throw: true },
    rateLimit: { enabled: false }, // ours counts failures and knows the trusted proxies
    trustedOrigins: (request?: Request) => {
      const origin = request?.headers.get('origin')
      return origin && deps.isOurOrigin(origin, request?.headers.get('host') ?? null) ? [origin] : []
    },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true, // users.ts makes users
      minPasswordLength: passwordLength.least,
      maxPasswordLength: passwordLength.most,
      password: { hash: hashPassword, verify: ({ hash, password }) => verifyPassword(password, hash) },
    },
    session: {
      modelName: 'sessions',
      fields: {
        userId: 'user_id',
        expiresAt: 'expires_at',
        ipAddress: 'ip_address',
        userAgent: 'user_agent',
        ...stamps,
      },
      expiresIn: 30 * dayS,
      updateAge: dayS,
      cookieCache: { enabled: false }, // a cached session outlives its end
    },
    user: {
      modelName: 'users',
      fields: { emailVerified: 'email_verified', ...stamps },
      additionalFields: {
        isActive: {
          type: 'boolean',
          fieldName: 'is_active',
          required: true,
          defaultValue: true,
          input: false,
        },
      },
    },
    account: {
      modelName: 'accounts',
      fields: {
        userId: 'user_id',
        accountId: 'account_id',
        providerId: 'provider_id',
        accessToken: 'access_token',
        refreshToken: 'refresh_token',
        idToken: 'id_token',
        accessTokenExpiresAt: 'access_token_expires_at',
        refreshTokenExpiresAt: 'refresh_token_expires_at',
        ...stamps,
      },
    },
    verification: { modelName: 'verifications', fields: { expiresAt: 'expires_at', ...stamps } },
    advanced: {
      // The migrations are ours and run before this; a test says when they drift from what it expects.
      database: { generateId: 'serial', validateSchema: false },
      // Its own way to https names gives `__Secure-`; ours is the stricter `__Host-`.
      useSecureCookies: false,
      defaultCookieAttributes: { secure: cookies.secure, httpOnly: true, sameSite: 'lax', path: '/' },
      cookiePrefix: cookies.secure ? '__Host-boardroom' : 'boardroom',
      cookies: { session_token: { name: cookies.session } },
      ipAddress: { ipAddressHeaders: [clientAddressHeader], ipv6Subnet: 128 },
    },
    databaseHooks: {
      session: {
        create: {
          before: async (session, context) => {
            const user = await userById(db, Number(session.userId))
            if (user?.is_active !== true) throw new APIError('FORBIDDEN', { code: 'ACCOUNT_DEACTIVATED' })
            // Asked once the password was right, so that nobody finds out by guessing who is a sysadmin.
            if (deps.passwords === 'off' && context?.path === '/sign-in/email' && user.role !== 'sysadmin')
              throw new APIError('FORBIDDEN', { code: 'PASSWORDS_OFF' })
            return { data: { ...session, userAgent: session.userAgent?.slice(0, 500) } }
          },
          after: async (session) => {
            calls.getStore()?.begun.push(session)
          },
        },
        delete: {
          // Kept under another token. @see settle
          before: async (session) => calls.getStore()?.keeping !== session.id,
          after: async (session, context) => {
            if (new Date(session.expiresAt) <= new Date()) return // the clock ended it, nobody signed out
            calls.getStore()?.ended.push({ session, headers: context?.headers ?? null })
          },
        },
      },
    },
    logger: {
      level: 'warn',
      // Its messages, never its arguments: those may hold a token. Wrong passwords are warnings to it; the trail has them.
      log: (level, message) => log[level === 'error' ? 'error' : 'debug']({ from: 'better-auth' }, message),
    },
    plugins: [
      // A token read out of the database is worthless without the signature that only the server can make.
      bearer({ requireSignature: true }),
      admin({
        ac: accessControl,
        roles: {
          sysadmin: accessControl.newRole(adminAc.statements),
          admin: accessControl.newRole(adminAc.statements),
          user: accessControl.newRole(userAc.statements),
        },
        adminRoles: ['sysadmin', 'admin'],
        defaultRole: 'user',
        schema: {
          user: { fields: { banReason: 'ban_reason', banExpires: 'ban_expires' } },
          session: { fields: { impersonatedBy: 'impersonated_by' } },
        },
      }),
      twoFactor({
        issuer: 'Boardroom',
        schema: {
          user: { fields: { twoFactorEnabled: 'two_factor_enabled' } },
          twoFactor: {
            modelName: 'two_factors',
            fields: {
              userId: 'user_id',
              backupCodes: 'backup_codes',
              failedVerificationCount: 'failed_verification_count',
              lockedUntil: 'locked_until',
            },
          },
        },
      }),
    ],
  } satisfies BetterAuthOptions
}

interface SessionRecord {
  id: string
  userId: string
  ipAddress?: string | null | undefined
  userAgent?: string | null | undefined
}

async function recordSession(
  { db, trail }: AuthDeps,
  action: 'login' | 'logout',
  session: SessionRecord,
  headers: Headers | null,
): Promise<void> {
  const user = await userById(db, Number(session.userId))
  await trail.record({
    action,
    actor: {
      kind: 'user',
      userId: Number(session.userId),
      guestId: null,
      agentId: null,
      name: user?.name ?? null,
      sessionId: session.id,
      // A sign-out may come from elsewhere than the sign-in.
      ip: (headers?.get(clientAddressHeader) ?? session.ipAddress) || null,
      userAgent: (headers?.get('user-agent') ?? session.userAgent)?.slice(0, 500) || null,
    },
    resourceType: 'session',
    resourceId: session.id,
  })
}
