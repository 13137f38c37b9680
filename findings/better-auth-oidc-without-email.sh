#!/usr/bin/env bash
# Better Auth: single sign-on with an OpenID Connect provider configured as in the quick start ends with email_not_found
#
# One would guess: A client id, a secret and a discovery URL are enough: Better Auth needs an e-mail address for
#   each user, so it requests the scope that provides it.
# What happens: Without `scopes` it requests only `openid`, the provider leaves the address out, and after the
#   person has entered a password the sign-in ends at an error page. With the scopes openid, email and profile it
#   works.
# Who runs into it: Everybody who adds single sign-on with a standard provider, except where the provider sends the
#   address unasked.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --legacy-peer-deps better-auth@1.7.5 oidc-provider@9.13.3 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { genericOAuth } from 'better-auth/plugins'
import Provider from 'oidc-provider'

for (const name of ['better-auth', 'oidc-provider']) console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version)
const http = createServer().listen(0)
await once(http, 'listening')
const issuer = `http://localhost:${http.address().port}`
const app = 'http://localhost:3000'
const claims = async () => ({ sub: 'ada', email: 'ada@example.org', email_verified: true, name: 'Ada' })
const provider = new Provider(issuer, {
  clients: [{ client_id: 'board', client_secret: 'a secret of this script', redirect_uris: [`${app}/api/auth/oauth2/callback/sso`, `${app}/api/auth/callback/sso`] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  findAccount: async (_context, id) => ({ accountId: id, claims }),
  pkce: { required: () => false },
  cookies: { keys: ['a key of this script'] },
  features: { devInteractions: { enabled: false } },
  // Whoever comes is Ada and agrees.
  interactions: { url: () => '/interaction' },
})
const answer = provider.callback()
http.on('request', async (request, response) => {
  if (!request.url.startsWith('/interaction')) return answer(request, response)
  const { prompt, params, session } = await provider.interactionDetails(request, response)
  const grant = new provider.Grant({ accountId: session?.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  const result = prompt.name === 'login' ? { login: { accountId: 'ada' } } : { consent: { grantId: await grant.save() } }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true })
})

const jars = new Map()
const get = async (url, options = {}) => {
  const { origin } = new URL(url)
  const jar = jars.get(origin) ?? jars.set(origin, new Map()).get(origin)
  const headers = { ...options.headers, cookie: [...jar].map((pair) => pair.join('=')).join('; '), origin: app }
  const reply = origin === app ? await auth.handler(new Request(url, { ...options, headers })) : await fetch(url, { ...options, headers, redirect: 'manual' })
  for (const line of reply.headers.getSetCookie()) jar.set(...line.split(';')[0].split(/=(.*)/s).slice(0, 2))
  return reply
}
let auth
const signIn = async (scopes) => {
  jars.clear()
  const rows = { user: [], session: [], account: [], verification: [] }
  const sso = { providerId: 'sso', clientId: 'board', clientSecret: 'a secret of this script', discoveryUrl: `${issuer}/.well-known/openid-configuration`, ...scopes }
  auth = betterAuth({ baseURL: app, secret: 'a secret for this script alone, of sufficient length', database: memoryAdapter(rows), plugins: [genericOAuth({ config: [sso] })], rateLimit: { enabled: false }, logger: { disabled: true } })
  const start = { method: 'POST', headers: { 'content-type': 'application/json' } }
  const asked = await get(`${app}/api/auth/sign-in/social`, { ...start, body: JSON.stringify({ provider: 'sso', callbackURL: '/in' }) })
  let { url } = await asked.json()
  const scope = new URL(url).searchParams.get('scope')
  for (let steps = 0; steps < 10; steps++) {
    const reply = await get(url)
    if (!reply.headers.has('location')) return { scope, end: `${reply.status} ${await reply.text()}`.slice(0, 200) }
    url = new URL(reply.headers.get('location'), url).href
    const { origin, pathname, searchParams } = new URL(url)
    if (origin === app && !pathname.includes('/callback/')) return { scope, end: searchParams.get('error') ?? pathname, users: rows.user.length }
  }
}
const seen = { 'quick start': await signIn({}), 'with scopes': await signIn({ scopes: ['openid', 'email', 'profile'] }) }
console.table(seen)
assert.deepEqual(seen['quick start'], { scope: 'openid', end: 'email_not_found', users: 0 })
assert.deepEqual(seen['with scopes'], { scope: 'openid email profile', end: '/in', users: 1 })
process.exit()
JS
node show.mjs
