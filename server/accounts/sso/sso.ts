// Single sign-on by OpenID Connect. Better Auth implements the protocol (PKCE, state, nonce, id tokens, logout);
// admission.ts decides who is admitted. Better Auth discovers the provider when it is created, which fails while the
// provider is unreachable; so it is created at the first sign-in and again after an hour.
import { AsyncLocalStorage } from 'node:async_hooks'
import { type BetterAuthOptions, betterAuth } from 'better-auth'
import { genericOAuth } from 'better-auth/plugins'
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import { BoardroomError } from '../../errors.ts'
import type { Actor } from '../../principal.ts'
import type { Auth } from '../auth.ts'
import type { AuthDeps } from '../auth-deps.ts'
import { authOptions } from '../better-auth.ts'
import { calls, handle } from '../settling.ts'
import { accountIdOf, admit } from './admission.ts'
import { endByProvider } from './back-channel.ts'
import {
  type Discovery,
  discover,
  discoveryUrlOf,
  type Profile,
  providerAway,
  providerTimeoutMs,
  readProfile,
} from './profile.ts'
import { providerId } from './queries.ts'
import { callbackPath, type SsoSettings } from './settings.ts'
import { tokensOf } from './tokens.ts'

/** A Better Auth instance that knows the provider. */
export interface SsoAuth extends Pick<Auth, 'handler' | 'baseUrl'> {
  /** The keys that the provider signs with. */
  keys: JWTVerifyGetKey
}

const goodForMs = 3_600_000
/** No cooldown for unknown keys: tokens come from the provider itself, not from arbitrary clients. */
const jwksCooldownMs = 1000
const jwksTimeoutMs = 5000

interface Coming {
  actor: Actor
  /** Whether the provider failed to respond to them. */
  away: BoardroomError | null
}

/**
 * Better Auth discovers the provider once more and accepts no abort signal: its request continues until fetch gives up
 * after five minutes. There is at most one such request, while an attempt is in progress.
 */
const inTime = <Result>(work: Promise<Result>): Promise<Result> => {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(providerAway(new Error(`no response within ${providerTimeoutMs} ms`))),
      providerTimeoutMs,
    )
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

export class Sso {
  readonly settings: SsoSettings
  readonly #deps: AuthDeps
  /** The person signing in, for the trail. */
  readonly #coming = new AsyncLocalStorage<Coming>()
  #auth: { made: Promise<SsoAuth>; until: number } | null = null

  constructor(settings: SsoSettings, deps: AuthDeps) {
    this.settings = settings
    this.#deps = deps
  }

  /** @throws BoardroomError issuer_unreachable */
  auth(): Promise<SsoAuth> {
    if (this.#auth !== null && Date.now() < this.#auth.until) return this.#auth.made
    const made = this.#make()
    const current = { made, until: Date.now() + goodForMs }
    this.#auth = current
    made.catch(() => {
      if (this.#auth === current) this.#auth = null
    })
    return made
  }

  /**
   * Runs `work`, in which `actor` returns from the provider.
   * @throws BoardroomError issuer_unreachable, which Better Auth would report as a wrong code
   */
  async as<Result>(actor: Actor, work: () => Promise<Result>): Promise<Result> {
    const coming: Coming = { actor, away: null }
    const result = await this.#coming.run(coming, work)
    if (coming.away !== null) throw coming.away
    return result
  }

  /**
   * Handles a logout at the provider: ends the person's sessions here, with their sockets.
   * @returns how many. @throws BoardroomError invalid_request (not a valid logout token) | issuer_unreachable
   */
  async signedOutThere(actor: Actor, logoutToken: string): Promise<number> {
    const { keys } = await this.auth()
    return endByProvider(this.#deps, actor, { ...this.settings, keys }, logoutToken)
  }

  async #make(): Promise<SsoAuth> {
    const { issuer, clientId, clientSecret, scopes, groupsClaim } = this.settings
    const discovery = await discover(issuer)
    const base = authOptions(this.#deps)
    const options = {
      ...base,
      // Only admission.ts does both. The state is in a cookie, so that abandoned attempts leave nothing behind.
      account: {
        ...base.account,
        accountLinking: { enabled: false },
        encryptOAuthTokens: true,
        storeStateStrategy: 'cookie',
      },
      plugins: [
        ...base.plugins,
        genericOAuth({
          config: [
            {
              providerId,
              clientId,
              clientSecret,
              discoveryUrl: discoveryUrlOf(issuer),
              redirectURI: `${this.#deps.publicUrl}/api/auth${callbackPath}`,
              scopes: [...scopes],
              pkce: true,
              requireIdTokenVerification: true,
              disableSignUp: true,
              getToken: (code) => this.#tokensOf(discovery, code),
              // Without it, providers issue no refresh token, or none from the second sign-in on.
              ...(scopes.includes('offline_access')
                ? { prompt: 'consent' as const, accessType: 'offline' }
                : {}),
              getUserInfo: async (tokens) => {
                const profile = await readProfile(tokens, discovery, groupsClaim)
                const call = calls.getStore()
                if (call !== undefined) call.provider = profile
                return profile
              },
              mapProfileToUser: async (profile) => {
                await this.#admit(profile as Profile) // what getUserInfo returned
                return {}
              },
              accountSubject: ({ profile }) => accountIdOf(issuer, String(profile.sub)),
            },
          ],
        }),
      ],
    } satisfies BetterAuthOptions
    const auth = betterAuth(options)
    const { socialProviders } = await inTime(auth.$context)
    const provider = socialProviders.find(({ id }) => id === providerId)
    if (provider?.idToken === undefined || !('jwks' in provider.idToken))
      throw providerAway(new Error('Better Auth could not discover it'))
    const keys = this.#keysOf(discovery)
    provider.idToken.jwks = keys
    return {
      handler: (request, how) =>
        handle(this.#deps, auth, request, { ...how, login: { by: 'single_sign_on', issuer } }),
      baseUrl: `${options.baseURL}${options.basePath}`,
      keys,
    }
  }

  /** The provider's keys. Better Auth would report unavailable keys as an invalid token. */
  #keysOf({ jwks_uri }: Discovery): JWTVerifyGetKey {
    const keys = createRemoteJWKSet(new URL(jwks_uri), {
      cooldownDuration: jwksCooldownMs,
      timeoutDuration: jwksTimeoutMs,
    })
    return (header, token) =>
      keys(header, token).catch((error: unknown) => {
        if (!isAboutToken(error)) this.#isAway(providerAway(error))
        throw error
      })
  }

  #isAway(error: BoardroomError): void {
    const coming = this.#coming.getStore()
    if (coming !== undefined) coming.away = error
  }

  async #tokensOf(discovery: Discovery, code: Parameters<typeof tokensOf>[2]) {
    const { clientId: id, clientSecret: secret } = this.settings
    const takesBasic = discovery.token_endpoint_auth_methods_supported.includes('client_secret_basic')
    try {
      return await tokensOf({ id, secret, authentication: takesBasic ? 'basic' : 'post' }, discovery, code)
    } catch (error) {
      if (error instanceof BoardroomError) this.#isAway(error)
      throw error
    }
  }

  async #admit(profile: Profile): Promise<void> {
    const actor = this.#coming.getStore()?.actor
    if (actor === undefined) throw new BoardroomError('internal', 'nobody is signing in')
    const { userId, keptSysadmin } = await admit(this.#deps.db, actor, this.settings, profile)
    if (keptSysadmin)
      this.#deps.log.warn(
        { userId },
        'the last sysadmin keeps the role, although their groups do not grant it',
      )
  }
}

/** No such key, or several: so the published keys could be read. */
const isAboutToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys
