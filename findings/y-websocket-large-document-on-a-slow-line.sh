#!/usr/bin/env bash
# y-websocket: on a slow line a large document never arrives; the client disconnects in the middle of the transfer and starts again, endlessly
#
# One would guess: As long as bytes arrive, the server is evidently there, so a document that takes a minute to
#   transfer is there after a minute.
# What happens: The provider counts only complete messages. The first answer is one message with the whole
#   document; if it takes longer than 30 s, the provider closes the socket, connects again, and the transfer starts
#   from the beginning.
# Who runs into it: People with boards of several megabytes on a mobile connection: at 400 kbit/s the limit is 1.5
#   MB. The application sees a client that connects, disconnects and is never synced.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund yjs@13.6.33 y-protocols@1.0.7 y-websocket@3.1.0 ws@8.23.0 lib0@0.2.117 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebSocket, WebSocketServer } from 'ws'
import * as sync from 'y-protocols/sync'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

console.log('y-websocket', JSON.parse(readFileSync('node_modules/y-websocket/package.json')).version)
/** A client of a document of `kilobytes` over a line of 25 kB a second, watched for 75 s or until it is synced. */
const over = async (kilobytes) => {
  const stored = new Y.Doc()
  for (let at = 0; at < kilobytes; at++) stored.getMap('m').set(String(at), 'x'.repeat(1000))
  const server = new WebSocketServer({ port: 0 })
  server.on('connection', (socket) =>
    socket.on('message', (data) => {
      const decoder = decoding.createDecoder(new Uint8Array(data))
      if (decoding.readVarUint(decoder) !== 0) return
      const encoder = encoding.createEncoder()
      encoding.writeVarUint(encoder, 0)
      sync.readSyncMessage(decoder, encoder, stored, null)
      if (encoding.length(encoder) > 1) socket.send(encoding.toUint8Array(encoder))
    }),
  )
  let bytes = 0
  const line = net.createServer((near) => {
    const far = net.connect(server.address().port)
    let queue = Buffer.alloc(0)
    near.pipe(far)
    far.on('data', (data) => {
      queue = Buffer.concat([queue, data])
    })
    const pace = setInterval(() => {
      const part = queue.subarray(0, 2500)
      queue = queue.subarray(part.length)
      bytes += part.length
      near.write(part)
    }, 100)
    near.on('close', () => {
      clearInterval(pace)
      far.destroy()
    })
    for (const end of [near, far]) end.on('error', () => {})
  })
  await new Promise((resolve) => line.listen(0, resolve))
  const doc = new Y.Doc()
  let connected = 0
  const provider = new WebsocketProvider(`ws://127.0.0.1:${line.address().port}`, 'room', doc, { WebSocketPolyfill: WebSocket, disableBc: true })
  provider.on('status', ({ status }) => status === 'connected' && connected++)
  const began = Date.now()
  while (!provider.synced && Date.now() - began < 75_000) await new Promise((resolve) => setTimeout(resolve, 200))
  const seen = { synced: provider.synced, 'connected, times': connected, 'kilobytes that came': Math.round(bytes / 1000) }
  provider.destroy()
  line.close()
  server.close()
  return seen
}
const [small, large] = await Promise.all([over(500), over(1000)])
console.table({ '500 kB': small, '1,000 kB': large })
assert.deepEqual([small.synced, small['connected, times']], [true, 1])
assert.equal(large.synced, false)
assert.ok(large['connected, times'] >= 2)
assert.ok(large['kilobytes that came'] > 1100, 'more has come than the document is large')
process.exit()
JS
node show.mjs
