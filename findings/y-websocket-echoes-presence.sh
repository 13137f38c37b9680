#!/usr/bin/env bash
# y-websocket: a client sends every presence state that it receives back to the server
#
# One would guess: A client sends only its own cursor, and receives those of others.
# What happens: It answers each awareness message that contains something new with a message that repeats it. If a
#   server takes every state for one of the sender, one person's cursor is attributed to another, and the server
#   reads one more message per listener. Edits are not repeated.
# Who runs into it: Authors of servers: one cursor move with n listeners means n more messages to read.
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
// A relay that hands each message to all others, and counts who sends which kind: 0 is the document, 1 presence.
const server = new WebSocketServer({ port: 0 })
let sent = []
server.on('connection', (socket) => {
  const sender = server.clients.size
  socket.on('message', (message) => {
    sent.push({ sender, kind: message[0] })
    for (const other of server.clients) if (other !== socket) other.send(message)
  })
})
const open = async () => {
  const provider = new WebsocketProvider(`ws://127.0.0.1:${server.address().port}`, 'room', new Y.Doc(), { WebSocketPolyfill: WebSocket, disableBc: true })
  await new Promise((resolve) => provider.once('status', resolve))
  await quiet()
  return provider
}
const quiet = async () => {
  for (let before = -1; before !== sent.length; ) {
    before = sent.length
    await new Promise((resolve) => setTimeout(resolve, 400))
  }
}
const clients = [await open(), await open(), await open()]
const count = async (change) => {
  sent = []
  change()
  await quiet()
  return sent.filter(({ sender }) => sender !== 1).length
}
const seen = {
  'messages from the two listeners after one cursor move': await count(() => clients[0].awareness.setLocalStateField('cursor', 1)),
  'messages from the two listeners after one edit': await count(() => clients[0].doc.getMap('m').set('a', 1)),
}
console.log(seen)
assert.deepEqual(Object.values(seen), [2, 0])
process.exit()
JS
node show.mjs
