#!/usr/bin/env bash
# y-websocket: two documents in one Node process exchange all edits although no server can be reached
#
# One would guess: In Node a WebsocketProvider talks to its server, and only to it. BroadcastChannel is for tabs of
#   a browser.
# What happens: Node has a global BroadcastChannel too, and the provider uses it by default. Two providers of one
#   room in one process exchange edits while the server is off, although both report that they are neither
#   connected nor synced.
# Who runs into it: Tests of servers: "what one client writes, the other receives" passes with the server down, or
#   with one that relays nothing. `disableBc: true` reveals it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund yjs@13.6.33 y-protocols@1.0.7 y-websocket@3.1.0 ws@8.23.0 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { createServer } from 'node:net'
import { readFileSync } from 'node:fs'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

console.log('y-websocket', JSON.parse(readFileSync('node_modules/y-websocket/package.json')).version, 'node', process.version)
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
const shared = async (options) => {
  const open = () => new WebsocketProvider(`ws://127.0.0.1:${port}`, `room${JSON.stringify(options)}`, new Y.Doc(), { WebSocketPolyfill: WebSocket, ...options })
  const [one, two] = [open(), open()]
  one.doc.getMap('m').set('x', 1)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  return { arrived: two.doc.getMap('m').get('x') === 1, connected: two.wsconnected, synced: two.synced }
}
const seen = { default: await shared({}), 'disableBc: true': await shared({ disableBc: true }) }
console.table(seen)
assert.deepEqual(seen.default, { arrived: true, connected: false, synced: false })
assert.equal(seen['disableBc: true'].arrived, false)
process.exit()
JS
node show.mjs
