// Single sign-on by OpenID Connect. Better Auth speaks the protocol (PKCE, state, nonce, checking id tokens, the way
// out); who may come in is said in admission.ts. Its provider is fixed once it is made, and discovery fails while the
// provider is away, so one is made when somebody first comes, and again after an hour.
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

/** A Better Auth that knows the provider. */
export interface SsoAuth extends Pick<Auth, 'handler' | 'baseUrl'> {
  /** What it signs with. */
  keys: JWTVerifyGetKey
}

const goodForMs = 3_600_000
/** A key that is not known is asked for at once: tokens come from the provider itself, not from whoever asks. */
const jwksCooldownMs = 1000
const jwksTimeoutMs = 5000

interface Coming {
  actor: Actor
  /** The provider did not answer them. */
  away: BoardroomError | null
}

/**
 * Better Auth looks the provider up once more, and takes no signal: its request goes on until fetch itself gives it up
 * after five minutes. There is one such at most, while a try is under way.
 */
const inTime = <Result>(work: Promise<Result>): Promise<Result> => {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(providerAway(new Error(`no answer in ${providerTimeoutMs} ms`))),
      providerTimeoutMs,
    )
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

export class Sso {
  readonly settings: SsoSettings
  readonly #deps: AuthDeps
  /** Whoever is coming in, for the trail. */
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
   * Runs `work`, in which `actor` comes back from the provider.
   * @throws BoardroomError issuer_unreachable, which Better Auth takes for a code that is wrong
   */
  async as<Result>(actor: Actor, work: () => Promise<Result>): Promise<Result> {
    const coming: Coming = { actor, away: null }
    const result = await this.#coming.run(coming, work)
    if (coming.away !== null) throw coming.away
    return result
  }

  /**
   * The provider says that somebody is signed out there: their sessions here end, with their sockets.
   * @returns how many. @throws BoardroomError invalid_request (no good logout token) | issuer_unreachable
   */
  async signedOutThere(actor: Actor, logoutToken: string): Promise<number> {
    const { keys } = await this.auth()
    return endByProvider(this.#deps.db, actor, { ...this.settings, keys }, logoutToken)
  }

  async #make(): Promise<SsoAuth> {
    const { issuer, clientId, clientSecret, scopes, groupsClaim } = this.settings
    const discovery = await discover(issuer)
    const base = authOptions(this.#deps)
    const options = {
      ...base,
      // Both only by admission.ts. The state is in a cookie, so that whoever begins and never comes back leaves nothing.
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
              // Without it providers give no refresh token, or stop doing so at the second sign-in.
              ...(scopes.includes('offline_access')
                ? { prompt: 'consent' as const, accessType: 'offline' }
                : {}),
              getUserInfo: async (tokens) => {
                const profile = await readProfile(tokens, discovery, groupsClaim)
                const call = calls.getStore()
                if (call !== undefined) call.providerSession = profile.session
                return profile
              },
              mapProfileToUser: async (profile) => {
                await this.#admit(profile as Profile) // what getUserInfo answered
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
      throw providerAway(new Error('Better Auth could not look it up'))
    const keys = this.#keysOf(discovery)
    provider.idToken.jwks = keys
    return {
      handler: (request, how) =>
        handle(this.#deps, auth, request, { ...how, login: { by: 'single_sign_on', issuer } }),
      baseUrl: `${options.baseURL}${options.basePath}`,
      keys,
    }
  }

  /** The provider's keys. Better Auth takes keys that cannot be had for a token that is wrong. */
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
    if (actor === undefined) throw new BoardroomError('internal', 'nobody is coming in')
    const { userId, keptSysadmin } = await admit(this.#deps.db, actor, this.settings, profile)
    if (keptSysadmin)
      this.#deps.log.warn({ userId }, 'the last sysadmin keeps the role, which their groups do not give')
  }
}

/** No such key, or several: what the provider published was read. */
const isAboutToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys
