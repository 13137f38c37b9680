// The dependencies of the rules about people.
import type { Logger } from 'pino'
import type { Config } from '../../config.ts'
import type { Db } from '../../database/database.ts'
import type { Mailer } from '../../mail/mailer.ts'
import type { RateLimit } from '../../routing/rate-limits.ts'

export interface PeopleDeps {
  db: Db
  /** null if the operator has not configured a mail server. */
  mailer: Mailer | null
  config: Pick<Config, 'signUp' | 'require2fa' | 'passwords'>
  /** The provider's name on the single sign-on button; null if there is none. */
  ssoName: string | null
  /** The address that people type, without a trailing slash. @see server/http/origins.ts */
  publicUrl(host: string | null): string
  /** Wrong links, by address. */
  failedGuesses: RateLimit
  /** Mails requested without signing in, by the requester's address. */
  mailsAsked: RateLimit
  log: Logger
}
