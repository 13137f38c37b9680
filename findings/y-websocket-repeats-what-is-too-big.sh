#!/usr/bin/env bash
# y-websocket: after a close with 1009 (message too big), it reconnects and sends the same message, endlessly
#
# One would guess: 1009 means that this message will never be accepted, so the provider stops, as it does after
#   codes 4400 to 4499.
# What happens: Only 4400 to 4499 are final. After 1009 it reconnects with its usual backoff and sends the whole
#   document again, which is too big again. The application sees connection-close each time.
# Who runs into it: Servers with a limit on the size of a message, which ws enforces with 1009: one large paste
#   makes a client reconnect endlessly, and none of its later edits arrive.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund yjs@13.6.33 y-protocols@1.0.7 y-websocket@3.1.0 ws@8.23.0 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { WebSocket, WebSocketServer } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

console.log('y-websocket', JSON.parse(readFileSync('node_modules/y-websocket/package.json')).version)
const emptyStep1 = Uint8Array.of(0, 0, 1, 0)
/** Joins of one client whose document is larger than a message may be, until the fourth or until nothing comes for two seconds. */
const joins = async (act) => {
  const server = new WebSocketServer({ port: 0, maxPayload: 1000 })
  let count = 0
  let last = Date.now()
  server.on('connection', (socket) => {
    count++
    last = Date.now()
    socket.on('error', () => {})
    act(socket)
  })
  const doc = new Y.Doc()
  doc.getMap('m').set('text', 'x'.repeat(2000))
  const codes = new Set()
  const provider = new WebsocketProvider(`ws://127.0.0.1:${server.address().port}`, 'room', doc, { WebSocketPolyfill: WebSocket, disableBc: true, maxBackoffTime: 200 })
  provider.on('connection-close', (event) => event && codes.add(event.code))
  while (count < 4 && Date.now() - last < 2000) await new Promise((resolve) => setTimeout(resolve, 50))
  provider.destroy()
  server.close()
  return { joins: count < 4 ? String(count) : '4 or more', codes: [...codes].filter((code) => code !== 1005).join() }
}
const seen = {
  'a message beyond maxPayload': await joins((socket) => socket.send(emptyStep1)),
  'closed by the server with 4413': await joins((socket) => socket.close(4413)),
}
console.table(seen)
assert.deepEqual(seen['a message beyond maxPayload'], { joins: '4 or more', codes: '1009' })
assert.deepEqual(seen['closed by the server with 4413'], { joins: '1', codes: '4413' })
process.exit()
JS
node show.mjs
