// A real OpenID Connect provider on a separate port, and a browser's path through it without a browser.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import Provider, { type Configuration } from 'oidc-provider'
import type { Config } from '../../server/config.ts'

export interface Someone {
  sub: string
  email?: string
  email_verified?: boolean
  name?: string
  groups?: string[]
}

export interface TestProvider {
  issuer: string
  /** The settings of a server that uses it. */
  settings: Pick<Config, 'oidcIssuer' | 'oidcClientId' | 'oidcClientSecret'>
  /** Who signs in there next; null cancels. */
  person: Someone | null
  /** Accepts requests to this path and never answers; null: it answers everything. */
  hangsAt: string | null
  /** Called before it answers at this path. */
  before: { path: string; work: () => Promise<void> } | null
  /** How many of those requests were abandoned by the client. */
  givenUp: number
  /** The requests it received, from the server and from browsers. */
  asked: URL[]
  /** Signs with another key from now on, and publishes only that one. */
  rotate(): Promise<void>
  /** A token with these claims, signed with the key that it publishes. */
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>
  /** Stops answering. */
  stop(): Promise<void>
  /** Answers again. */
  resume(): Promise<void>
}

/** @param base of the server that people return to */
export async function withProvider<Result>(
  base: string,
  work: (provider: TestProvider) => Promise<Result>,
): Promise<Result> {
  const http = createServer()
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo // it listens on TCP
  const issuer = `http://127.0.0.1:${port}`
  const people = new Map<string, Someone>()
  const known = (sub: string) => (provider.person?.sub === sub ? provider.person : people.get(sub))
  let current: Provider
  let signingKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey']
  const start = async () => {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true })
    signingKey = privateKey
    current = await providerOf(issuer, base, known, await exportJWK(privateKey))
  }
  await start()
  const client = { id: clientId, secret: clientSecret }
  const provider: TestProvider = {
    issuer,
    settings: { oidcIssuer: issuer, oidcClientId: client.id, oidcClientSecret: client.secret },
    person: null,
    hangsAt: null,
    before: null,
    givenUp: 0,
    asked: [],
    rotate: start,
    sign: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', ...header }).sign(signingKey),
    async stop() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
    async resume() {
      http.listen(port, '127.0.0.1')
      await once(http, 'listening')
    },
  }
  http.on('request', (request, response) => {
    const url = new URL(request.url ?? '/', issuer)
    provider.asked.push(url)
    if (url.pathname === provider.hangsAt) {
      response.on('close', () => provider.givenUp++)
      return
    }
    const { before } = provider
    if (before?.path === url.pathname) {
      provider.before = null
      before.work().then(
        () => current.callback()(request, response),
        () => response.destroy(),
      )
      return
    }
    if (!url.pathname.startsWith('/interaction/')) return void current.callback()(request, response)
    const { person } = provider
    if (person !== null) people.set(person.sub, person)
    const answer = async () => {
      const { prompt } = await current.interactionDetails(request, response)
      const result =
        person === null
          ? { error: 'access_denied' }
          : prompt.name === 'consent'
            ? { consent: { grantId: await grant(current, person.sub) } }
            : { login: { accountId: person.sub, remember: false } }
      await current.interactionFinished(request, response, result)
    }
    answer().catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  try {
    return await work(provider)
  } finally {
    await provider.stop().catch(() => undefined) // its test may have stopped it
  }
}

const clientId = 'boardroom'
const clientSecret = 'the secret of the client: 100% right' // has to be percent-encoded in the header

async function providerOf(
  issuer: string,
  base: string,
  known: (sub: string) => Someone | undefined,
  jwk: JWK,
): Promise<Provider> {
  const key = { ...jwk, use: 'sig', alg: 'RS256' }
  const configuration: Configuration = {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [`${base}/api/auth/callback/oidc`],
        post_logout_redirect_uris: [`${base}/sign-in`],
        grant_types: ['authorization_code', 'refresh_token'],
        backchannel_logout_uri: `${base}/api/auth/sso/signed-out`,
        backchannel_logout_session_required: true,
      },
    ],
    jwks: { keys: [key] },
    cookies: { keys: ['a key of the test'] },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: true, logoutSource },
      backchannelLogout: { enabled: true },
    },
    pkce: { required: () => true },
    // Its default too: e-mail and name are in userinfo, but not in the id token.
    conformIdTokenClaims: true,
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ ...known(sub), sub }),
    }),
    async loadExistingGrant({ oidc }) {
      if (oidc.client === undefined || oidc.session?.accountId === undefined) return undefined
      return oidc.provider.Grant.find(await grant(oidc.provider, oidc.session.accountId))
    },
    // Its own check refuses addresses of this machine.
    fetch: (url, init) => {
      const { dispatcher: _, ...options }: RequestInit & { dispatcher?: unknown } = init ?? {}
      return fetch(url, options)
    },
    renderError(context, out) {
      context.body = out
    },
  }
  return new Provider(issuer, configuration)
}

/** Its own page loads a font from another host. */
const logoutSource = (context: { body: unknown }, form: string): void => {
  context.body = form
}

/** Everybody agrees to everything. @returns the id of the grant */
function grant(provider: Provider, accountId: string): Promise<string> {
  const made = new provider.Grant({ clientId, accountId })
  made.addOIDCScope('openid email profile offline_access')
  return made.save()
}

/** Follows redirects, with the cookies of each origin, until there are no more or `until` says to stop. */
export class Traveller {
  readonly #jars = new Map<string, Map<string, string>>()

  async visit(
    url: string,
    { until = () => false, ...init }: RequestInit & { until?: (url: URL) => boolean } = {},
  ): Promise<{ url: URL; status: number; text: string }> {
    let next = new URL(url)
    let request: RequestInit = init
    for (let steps = 0; steps < 20; steps++) {
      if (until(next)) return { url: next, status: 0, text: '' }
      const response = await fetch(next, {
        ...request,
        redirect: 'manual',
        headers: { ...request.headers, cookie: this.cookie(next.href) },
      })
      this.#keep(next, response)
      const location = response.headers.get('location')
      const text = await response.text()
      if (location === null) return { url: next, status: response.status, text }
      next = new URL(location, next)
      request = {}
    }
    throw new Error(`sent on and on, last to ${next}`)
  }

  /** The cookies that a browser would send to `url`. */
  cookie(url: string): string {
    return [...this.#jar(new URL(url))].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  #keep(url: URL, response: Response): void {
    const jar = this.#jar(url)
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      const name = pair.slice(0, pair.indexOf('='))
      const value = pair.slice(pair.indexOf('=') + 1)
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(cookie)) jar.delete(name)
      else jar.set(name, value)
    }
  }

  #jar({ origin }: URL): Map<string, string> {
    const jar = this.#jars.get(origin) ?? new Map<string, string>()
    this.#jars.set(origin, jar)
    return jar
  }
}
