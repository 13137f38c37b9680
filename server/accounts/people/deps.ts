// What the rules about people need of the rest.
import type { Logger } from 'pino'
import type { Config } from '../../config.ts'
import type { Db } from '../../database/database.ts'
import type { Mailer } from '../../mail/mailer.ts'
import type { RateLimit } from '../../routing/rate-limits.ts'

export interface PeopleDeps {
  db: Db
  /** null where the operator has set no mail server. */
  mailer: Mailer | null
  config: Pick<Config, 'signUp' | 'require2fa' | 'passwords'>
  /** What the button of single sign-on says; null without one. */
  ssoName: string | null
  /** What people type to get here, without a trailing slash. @see server/http/origins.ts */
  publicUrl(host: string | null): string
  /** Wrong links, by address. */
  failedGuesses: RateLimit
  /** Mails that are asked for without signing in, by address of the asker. */
  mailsAsked: RateLimit
  log: Logger
}
