// What signing in needs of the rest, and what Better Auth and we agree upon.
import { createHmac, hkdfSync } from 'node:crypto'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Db } from '../database/database.ts'
import type { Actor } from '../principal.ts'
import type { CookieNames } from './cookies.ts'

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

/** Tells Better Auth the client's address; ours, never taken from what a client sent. */
export const clientAddressHeader = 'x-boardroom-client-address'

/** Where Better Auth's routes are. */
export const basePath = '/api/auth'

/** @param key what `sessionKeyOf` gives */
export const signatureOf = (token: string, key: string): string =>
  createHmac('sha256', key).update(token).digest('base64')

/** What session cookies are signed with. @param secret BOARDROOM_SECRET */
export const sessionKeyOf = (secret: string): string =>
  Buffer.from(hkdfSync('sha256', secret, '', 'boardroom sessions v1', 32)).toString('base64url')
