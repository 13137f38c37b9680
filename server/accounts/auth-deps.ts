// The dependencies of signing in, and the constants shared with Better Auth.
import { createHmac, hkdfSync } from 'node:crypto'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Db } from '../database/database.ts'
import type { Actor } from '../principal.ts'
import type { CookieNames } from './cookies.ts'

/** The part of the trail that accounts use; `AuditTrail` implements it. */
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

/** Whether `origin` is one of ours. @see server/http/origins.ts */
export type IsOurOrigin = (origin: string, host: string | null) => boolean

export interface AuthDeps {
  db: Db
  /** The same for Better Auth's own writes, marked as `recordedApart`: this file and its callers record them. */
  marked: Db
  schema: string
  /** BOARDROOM_SECRET; the key of the cookies is derived from it. */
  secret: string
  /** The public URL; only its origin matters here. */
  publicUrl: string
  isOurOrigin: IsOurOrigin
  cookies: CookieNames
  trail: AccountTrail
  /** off: only sysadmins can sign in with a password. @see docs/accounts.md */
  passwords: Config['passwords']
  log: Logger
}

/** The header that tells Better Auth the client's address; set by us, never taken from the client. */
export const clientAddressHeader = 'x-boardroom-client-address'

/** The path of Better Auth's routes. */
export const basePath = '/api/auth'

/** @param key from `sessionKeyOf` */
export const signatureOf = (token: string, key: string): string =>
  createHmac('sha256', key).update(token).digest('base64')

/** The key that signs session cookies. @param secret BOARDROOM_SECRET */
export const sessionKeyOf = (secret: string): string =>
  Buffer.from(hkdfSync('sha256', secret, '', 'boardroom sessions v1', 32)).toString('base64url')
