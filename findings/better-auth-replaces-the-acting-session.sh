#!/usr/bin/env bash
# Better Auth: switching two-factor on or off, and a password change that ends other sessions, also end the session of the person doing it
#
# One would guess: "Revoke other sessions" keeps the current session, and the first two-factor code changes the
#   account but not the session.
# What happens: In each case the current session is deleted, and the answer sets the cookie of a new one with
#   another token. Anything else that depends on the old token (open sockets, tickets, a bearer token in a second
#   tab) is signed out. Requesting two-factor, before the first code, does not do this.
# Who runs into it: Applications that close sockets when their session ends: people are disconnected at the very
#   moment they secure their account.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --legacy-peer-deps better-auth@1.7.5 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { twoFactor } from 'better-auth/plugins'

console.log('better-auth', JSON.parse(readFileSync('node_modules/better-auth/package.json')).version)
const origin = 'http://localhost:3000'
const rows = { user: [], session: [], account: [], verification: [], twoFactor: [] }
const auth = betterAuth({
  baseURL: origin,
  secret: 'a secret for this script alone, of sufficient length',
  database: memoryAdapter(rows),
  emailAndPassword: { enabled: true },
  plugins: [twoFactor()],
  rateLimit: { enabled: false },
})
const cookies = new Map()
const post = async (path, body) => {
  const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
  const headers = { 'content-type': 'application/json', origin, ...(cookie && { cookie }) }
  const answer = await auth.handler(new Request(`${origin}/api/auth${path}`, { method: 'POST', headers, body: JSON.stringify(body) }))
  for (const line of answer.headers.getSetCookie()) {
    const [name, value] = line.split(';')[0].split(/=(.*)/s)
    value ? cookies.set(name, value) : cookies.delete(name)
  }
  assert.equal(answer.status, 200, path)
  return answer.json()
}
const code = (uri) => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...new URL(uri).searchParams.get('secret')].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const hash = createHmac('sha1', Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)))).update(counter).digest()
  return String((hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}
const seen = {}
const keeps = async (what, act) => {
  const { token } = rows.session[0]
  const answer = await act()
  seen[what] = rows.session.some((row) => row.token === token) ? 'keeps its session' : 'gets a new one'
  return answer
}
const [first, second] = ['a long first password', 'a long second password']
await post('/sign-up/email', { email: 'ada@example.org', password: first, name: 'Ada' })
await keeps('a new password', () => post('/change-password', { currentPassword: first, newPassword: second }))
await keeps('a new password, others signed out', () => post('/change-password', { currentPassword: second, newPassword: first, revokeOtherSessions: true }))
const { totpURI } = await keeps('two-factor asked for', () => post('/two-factor/enable', { password: first }))
await keeps('the first code', () => post('/two-factor/verify-totp', { code: code(totpURI) }))
await keeps('two-factor off', () => post('/two-factor/disable', { password: first }))
console.table(seen)
const [same, other] = ['keeps its session', 'gets a new one']
assert.deepEqual(Object.values(seen), [same, other, same, other, other])
process.exit()
JS
node show.mjs
