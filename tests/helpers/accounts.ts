// Accounts behind the real HTTP edge and a real database, without a port:
//
//   withAccounts({ signUp: 'open' }, async ({ browser }) => {
//     const ada = browser()
//     await ada.post('/api/auth/sign-up/email', { … })
//   })
//
// A `browser` keeps cookies and sends the Origin of our own page; `send` sends exactly what it is given.
import type { IncomingMessage } from 'node:http'
import { Registry } from 'prom-client'
import { type Auth, createAuth } from '../../server/accounts/auth.ts'
import { authRoutes } from '../../server/accounts/auth-routes.ts'
import { cookieNames } from '../../server/accounts/cookies.ts'
import { Guests } from '../../server/accounts/guests.ts'
import { type Authenticate, type IdentifyDeps, identifyRequest } from '../../server/accounts/identify.ts'
import { peopleRoutes } from '../../server/accounts/people/routes.ts'
import { accountRoutes, ticketRoutes } from '../../server/accounts/routes.ts'
import { SessionUsers } from '../../server/accounts/session-users.ts'
import { ticketKeyOf } from '../../server/accounts/tickets.ts'
import { recordedApart } from '../../server/audit/actor.ts'
import { AuditTrail } from '../../server/audit/trail.ts'
import { type Config, configWith } from '../../server/config.ts'
import { createApp } from '../../server/http/app.ts'
import { isHttps, isOurOrigin, publicUrlOf } from '../../server/http/origins.ts'
import { createMailer } from '../../server/mail/mailer.ts'
import { addressReader } from '../../server/routing/addresses.ts'
import { rateLimits } from '../../server/routing/rate-limits.ts'
import { type TestDatabase, withDatabase } from './database.ts'

export interface Sent {
  method?: string
  headers?: Record<string, string>
  json?: unknown
  /** The address that requests come from. */
  from?: string
}

export interface Browser {
  get(path: string, headers?: Record<string, string>): Promise<Response>
  post(path: string, json: unknown, headers?: Record<string, string>): Promise<Response>
  patch(path: string, json: unknown): Promise<Response>
  delete(path: string): Promise<Response>
  /** The `Cookie` header as it would be sent now. */
  readonly cookie: string
}

export interface Accounts extends TestDatabase {
  auth: Auth
  guests: Guests
  trail: AuditTrail
  identify: IdentifyDeps
  send(path: string, sent?: Sent): Promise<Response>
  browser(): Browser
  /** The account actions in the trail, in order. */
  actions(): Promise<string[]>
}

export const secret = 'a secret for tests, of thirty-two characters'

export const withAccounts = <Result>(
  changes: Partial<Config> & { authenticate?: Authenticate },
  work: (accounts: Accounts) => Promise<Result>,
): Promise<Result> =>
  withDatabase(async (test) => {
    const { authenticate, ...configured } = changes
    const config = configWith(configured)
    const { db, schema, log } = test
    const ours = (origin: string, host: string | null) => isOurOrigin(config, origin, host)
    const cookies = cookieNames(isHttps(config))
    const trail = new AuditTrail({ database: test.database, log, serverId: 'test' })
    const publicUrl = (host: string | null) => publicUrlOf(config, host)
    const auth = createAuth({
      db,
      marked: test.database.marked(recordedApart),
      schema,
      secret,
      publicUrl: publicUrl(null),
      isOurOrigin: ours,
      cookies,
      trail,
      passwords: 'on',
      log,
    })
    const guests = new Guests(db, cookies)
    const ticketKey = ticketKeyOf(secret)
    const identify: IdentifyDeps = {
      db,
      auth,
      guests,
      cookies,
      ticketKey,
      sessionUsers: new SessionUsers(db),
      isOurOrigin: ours,
      authenticate,
      twoFactor: config.require2fa,
    }
    const rates = rateLimits(config)
    const mailer =
      config.smtpUrl === undefined
        ? null
        : createMailer({ smtpUrl: config.smtpUrl, from: 'Boardroom <boards@example.org>' })
    const address = addressReader(config.trustedProxies, log)
    const app = createApp({
      log,
      identify: async (_, incoming) => {
        if (incoming === undefined) throw new Error('expected a node request')
        return { identity: await identifyRequest(identify, incoming), ip: address(incoming) }
      },
      isOurOrigin: ours,
      publicUrl: () => publicUrlOf(config),
      headers: { publicUrl: publicUrl(null), frameAncestors: [] },
      registry: new Registry(),
      checks: {},
      clientFolder: null,
      limits: { maxFileBytes: 1024, maxBoardBytes: 1024 },
      version: '0',
      routers: [
        authRoutes({
          ...{ db, auth, trail, config, guests, sso: null },
          publicUrl: publicUrl(null),
          failedGuesses: rates.failedSignIns,
        }),
        accountRoutes({ db, auth, guests, renames: rates.renames }),
        peopleRoutes({
          ...{ db, auth, trail, config, mailer, log, publicUrl, cookies, ssoName: null },
          failedGuesses: rates.failedSignIns,
          mailsAsked: rates.mailsAsked,
        }),
        ticketRoutes({ db, ticketKey, requireLevel: async () => undefined, publicUrl }),
      ],
    })
    const origin = publicUrl(null)

    const send = async (
      path: string,
      { method = 'GET', headers = {}, json, from = '192.0.2.1' }: Sent = {},
    ) => {
      const all = {
        host: new URL(origin).host,
        'user-agent': 'test',
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      }
      const incoming = {
        url: path,
        method,
        headers: all,
        socket: { remoteAddress: from },
      } as unknown as IncomingMessage
      const body = json === undefined ? {} : { body: JSON.stringify(json) }
      return app.fetch(new Request(origin + path, { method, headers: all, ...body }), { incoming })
    }

    const browser = (): Browser => {
      const jar = new Map<string, string>()
      const visit = async (path: string, sent: Sent): Promise<Response> => {
        const headers: Record<string, string> = { origin, ...sent.headers }
        if (jar.size > 0) headers.cookie = cookieOf(jar)
        const answer = await send(path, { ...sent, headers })
        keep(jar, answer)
        return answer
      }
      return {
        get: (path, headers = {}) => visit(path, { headers }),
        post: (path, json, headers = {}) => visit(path, { method: 'POST', json, headers }),
        patch: (path, json) => visit(path, { method: 'PATCH', json }),
        delete: (path) => visit(path, { method: 'DELETE' }),
        get cookie() {
          return cookieOf(jar)
        },
      }
    }

    const actions = async () => {
      await trail.flush()
      const rows = await db
        .selectFrom('audit_logs')
        .select('action')
        .where('category', '=', 'account')
        .orderBy('timestamp')
        .execute()
      return rows.map(({ action }) => action)
    }

    try {
      return await work({ ...test, auth, guests, trail, identify, send, browser, actions })
    } finally {
      mailer?.close()
      await trail.close()
    }
  })

const cookieOf = (jar: Map<string, string>) => [...jar].map(([name, value]) => `${name}=${value}`).join('; ')

function keep(jar: Map<string, string>, answer: Response): void {
  for (const cookie of answer.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
    if (/max-age=0/i.test(cookie)) jar.delete(name)
    else jar.set(name, value)
  }
}

/** The code of a failed answer. */
export const codeOf = async (answer: Response): Promise<string> =>
  ((await answer.json()) as { error: { code: string } }).error.code // the one shape of errors
