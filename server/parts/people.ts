// Identifying the asker: sessions, tickets, guests, single sign-on, foreign tokens, and the address of a request.
import { createAuth } from '../accounts/auth.ts'
import type { AuthDeps } from '../accounts/auth-deps.ts'
import { cookieNames } from '../accounts/cookies.ts'
import { foreignTokens } from '../accounts/foreign-tokens.ts'
import { Guests } from '../accounts/guests.ts'
import type { IdentifyDeps } from '../accounts/identify.ts'
import { SessionUsers } from '../accounts/session-users.ts'
import { ssoSettings } from '../accounts/sso/settings.ts'
import { ticketKeyOf } from '../accounts/tickets.ts'
import { recordedApart } from '../audit/actor.ts'
import { isHttps, isOurOrigin, publicUrlOf } from '../http/origins.ts'
import { addressReader } from '../routing/addresses.ts'
import type { Given } from './given.ts'
import type { Records } from './records.ts'

export type People = Awaited<ReturnType<typeof openPeople>>

export async function openPeople({ database, config, log, authenticate }: Given, { trail }: Records) {
  const { db, schema } = database
  const isOurs = (origin: string, host: string | null) => isOurOrigin(config, origin, host)
  const urlFor = (host: string | null) => publicUrlOf(config, host)
  const cookies = cookieNames(isHttps(config))
  const guests = new Guests(db, cookies)
  const authDeps: AuthDeps = {
    ...{ db, schema, cookies, trail, log },
    marked: database.marked(recordedApart),
    secret: config.secret,
    publicUrl: urlFor(null),
    isOurOrigin: isOurs,
    passwords: config.passwords,
  }
  const auth = createAuth(authDeps)
  const ssoSet = ssoSettings(config)
  const sso = ssoSet === null ? null : new (await import('../accounts/sso/sso.ts')).Sso(ssoSet, authDeps)
  const ticketKey = ticketKeyOf(config.secret)
  const identify: IdentifyDeps = {
    ...{ db, auth, guests, cookies, ticketKey, isOurOrigin: isOurs, authenticate },
    sessionUsers: new SessionUsers(db),
    foreignTokens: foreignTokens(db, config),
    twoFactor: config.require2fa,
  }
  const addressOf = addressReader(config.trustedProxies, log)
  return {
    isOurs,
    urlFor,
    cookies,
    guests,
    auth,
    sso,
    ssoName: ssoSet?.name ?? null,
    ticketKey,
    identify,
    addressOf,
  }
}
