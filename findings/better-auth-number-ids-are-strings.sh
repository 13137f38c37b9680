#!/usr/bin/env bash
# Better Auth: with number ids in the database, its answers and hooks still give them as strings
#
# One would guess: If generateId is "serial", the database numbers the users, and the API returns that number as
#   the id, equal to the one in the row.
# What happens: The row holds 1, but every answer, session and hook holds "1". A strict comparison with the id in
#   the row, or a look-up in a Map keyed by it, finds nothing.
# Who runs into it: Applications that store Better Auth's users in their own tables and join them in code.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --legacy-peer-deps better-auth@1.7.5 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'

console.log('better-auth', JSON.parse(readFileSync('node_modules/better-auth/package.json')).version)
const rows = { user: [], session: [], account: [], verification: [] }
let hooked
const auth = betterAuth({
  baseURL: 'http://localhost:3000',
  secret: 'a secret for this script alone, of sufficient length',
  database: memoryAdapter(rows),
  advanced: { database: { generateId: 'serial' } },
  databaseHooks: { user: { create: { after: async (user) => void (hooked = user.id) } } },
  emailAndPassword: { enabled: true },
})
const { user, token } = await auth.api.signUpEmail({ body: { email: 'ada@example.org', name: 'Ada', password: 'correct horse battery' } })
const form = (value) => `${typeof value} ${value}`
const seen = {
  'the row of the user': form(rows.user[0].id),
  'the row of the session': form(rows.session.find((row) => row.token === token).userId),
  'the answer': form(user.id),
  'the hook': form(hooked),
}
console.table(seen)
assert.deepEqual(Object.values(seen), ['number 1', 'number 1', 'string 1', 'string 1'])
process.exit()
JS
node show.mjs
