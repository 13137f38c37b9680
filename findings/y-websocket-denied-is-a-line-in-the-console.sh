#!/usr/bin/env bash
# y-websocket: when the server answers "permission denied", the provider only prints a line to the console and stays synced
#
# One would guess: The provider emits an event, is no longer synced, or stops, so that a page can show that edits
#   are not being kept.
# What happens: The message is printed with console.warn. No event is emitted, synced and wsconnected stay true,
#   and later edits look like all others.
# Who runs into it: Applications with read-only users: the page shows "saved" for edits that the server refuses.
#   Setting provider.messageHandlers[2] is the way to be notified.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund yjs@13.6.33 y-protocols@1.0.7 y-websocket@3.1.0 ws@8.23.0 lib0@0.2.117 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import * as encoding from 'lib0/encoding'
import { WebSocket, WebSocketServer } from 'ws'
import { writePermissionDenied } from 'y-protocols/auth'
import { writeSyncStep2 } from 'y-protocols/sync'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

console.log('y-websocket', JSON.parse(readFileSync('node_modules/y-websocket/package.json')).version)
const message = (type, write) =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, type)
    write(encoder)
  })
const server = new WebSocketServer({ port: 0 })
server.on('connection', (socket) => {
  socket.send(message(0, (encoder) => writeSyncStep2(encoder, new Y.Doc())))
  socket.send(message(2, (encoder) => writePermissionDenied(encoder, 'you may only look')))
})
const printed = []
console.warn = (...words) => printed.push(words.join(' '))
const doc = new Y.Doc()
const provider = new WebsocketProvider(`ws://127.0.0.1:${server.address().port}`, 'room', doc, {
  WebSocketPolyfill: WebSocket,
  disableBc: true,
})
const events = new Set()
const emit = provider.emit.bind(provider)
provider.emit = (name, values) => {
  events.add(name)
  return emit(name, values)
}
while (printed.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
events.clear()
doc.getMap('board').set('shape', 1)
await new Promise((resolve) => setTimeout(resolve, 300))
const { synced, wsconnected } = provider
const seen = { printed: printed.length, events: [...events], synced, wsconnected }
console.log('after the denial and one more edit:', seen)
provider.destroy()
for (const client of server.clients) client.terminate()
server.close()
assert.deepEqual(seen, { printed: 1, events: [], synced: true, wsconnected: true })
process.exit(0)
JS
timeout 30 node show.mjs
