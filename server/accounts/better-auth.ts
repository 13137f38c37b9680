// Better Auth, configured for our tables. We use it for passwords, session rows, signed cookies and two-factor.
// Only this file and sso/ import it, so that a server loads it at the first sign-in.
import { type BetterAuthOptions, betterAuth } from 'better-auth'
import { APIError } from 'better-auth/api'
import { getMigrations } from 'better-auth/db/migration'
import { admin, bearer, twoFactor } from 'better-auth/plugins'
import { createAccessControl } from 'better-auth/plugins/access'
import { adminAc, defaultStatements, userAc } from 'better-auth/plugins/admin/access'
import { type AuthDeps, basePath, clientAddressHeader, sessionKeyOf } from './auth-deps.ts'
import { hashPassword, passwordLength, verifyPassword } from './passwords.ts'
import { userById } from './queries.ts'
import { calls, dbOfCalls } from './settling.ts'

export interface BetterAuth {
  handler(request: Request): Promise<Response>
  /** SQL that would give the tables the structure that it expects; `;` if nothing is missing. */
  drift(): Promise<string>
}

export function newBetterAuth(deps: AuthDeps): BetterAuth {
  const options = authOptions(deps)
  const auth = betterAuth(options)
  return {
    handler: (request) => auth.handler(request),
    drift: async () => (await getMigrations(options as BetterAuthOptions)).compileMigrations(),
  }
}

const dayS = 86_400
const stamps = { createdAt: 'created_at', updatedAt: 'updated_at' }

/** The configuration of every Better Auth instance in this server. */
export function authOptions(deps: AuthDeps) {
  const { db, marked, cookies, log } = deps
  const accessControl = createAccessControl(defaultStatements)
  const baseURL = new URL(deps.publicUrl).origin
  return {
    appName: 'Boardroom',
    baseURL,
    basePath,
    secret: sessionKeyOf(deps.secret),
    database: { db: dbOfCalls(marked), type: 'postgres', schemaName: deps.schema },
    telemetry: { enabled: false },
    // Its own refusals still become responses; all other errors reach our error handler unchanged.
    onAPIError: { throw: true },
    rateLimit: { enabled: false }, // our limiter counts failures and knows the trusted proxies
    trustedOrigins: (request?: Request) => {
      const origin = request?.headers.get('origin')
      return origin && deps.isOurOrigin(origin, request?.headers.get('host') ?? null) ? [origin] : []
    },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true, // users.ts creates users
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
      additionalFields: {
        providerSession: {
          type: 'string',
          fieldName: 'provider_session',
          required: false,
          input: false,
          returned: false,
        },
        providerSignedAt: {
          type: 'date',
          fieldName: 'provider_signed_at',
          required: false,
          input: false,
          returned: false,
        },
      },
      cookieCache: { enabled: false }, // a cached session would outlive its end
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
      // Our own migrations run before this; a test detects when they drift from what it expects.
      database: { generateId: 'serial', validateSchema: false },
      // On https it would use the prefix `__Secure-`; ours is the stricter `__Host-`.
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
            const user = await userById(calls.getStore()?.trx ?? db, Number(session.userId))
            if (user?.is_active !== true) throw new APIError('FORBIDDEN', { code: 'ACCOUNT_DEACTIVATED' })
            // Checked only after the password was correct, so that guessing does not reveal who is a sysadmin.
            if (deps.passwords === 'off' && context?.path === '/sign-in/email' && user.role !== 'sysadmin')
              throw new APIError('FORBIDDEN', { code: 'PASSWORDS_OFF' })
            const proof = calls.getStore()?.provider
            const userAgent = session.userAgent?.slice(0, 500)
            const providerSession = proof?.session ?? null
            const providerSignedAt = proof?.signedAt ?? null
            return { data: { ...session, userAgent, providerSession, providerSignedAt } }
          },
          after: async (session) => {
            calls.getStore()?.begun.push(session)
          },
        },
        delete: {
          // It continues under another token. @see settle
          before: async (session) => calls.getStore()?.keeping !== session.id,
          after: async (session, context) => {
            if (new Date(session.expiresAt) <= new Date()) return // it expired; nobody signed out
            calls.getStore()?.ended.push({ session, headers: context?.headers ?? null })
          },
        },
      },
    },
    logger: {
      level: 'warn',
      // Log its messages but never its arguments, which may contain a token. It warns about wrong passwords; the trail has those.
      log: (level, message) => log[level === 'error' ? 'error' : 'debug']({ from: 'better-auth' }, message),
    },
    plugins: [
      // A token read from the database is worthless without the signature, which only the server can create.
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
