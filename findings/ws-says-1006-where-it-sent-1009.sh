#!/usr/bin/env bash
# ws: when a message exceeds maxPayload, the client sees 1009 but the server that sent it sees 1006
#
# One would guess: The server closes with 1009 (message too big), so its own close event says 1009 as well, as
#   after every other close that it initiates.
# What happens: The client gets 1009. The server's close event says 1006, just as after a lost connection; only the
#   error event before it reveals the reason, in its code.
# Who runs into it: Operators who count close codes on the server: oversized messages look like network failures.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ws@8.23.0 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { WebSocket, WebSocketServer } from 'ws'

console.log('ws', JSON.parse(readFileSync('node_modules/ws/package.json')).version)
const server = new WebSocketServer({ port: 0, maxPayload: 100 })
const talk = async (act) => {
  const accepted = once(server, 'connection')
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`)
  await once(client, 'open')
  const [socket] = await accepted
  let error = 'none'
  socket.on('error', ({ code }) => (error = code))
  const end = (one) => new Promise((resolve) => one.on('close', (code) => resolve(code)))
  const ends = Promise.all([end(client), end(socket)])
  act(client, socket)
  const [atClient, atServer] = await ends
  return { atClient, atServer, error }
}
const seen = {
  'a message of 101 bytes': await talk((client) => client.send('x'.repeat(101))),
  'closed by the server with 4400': await talk((_client, socket) => socket.close(4400)),
}
console.table(seen)
assert.deepEqual(seen['a message of 101 bytes'], { atClient: 1009, atServer: 1006, error: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' })
assert.deepEqual(seen['closed by the server with 4400'], { atClient: 4400, atServer: 4400, error: 'none' })
process.exit()
JS
node show.mjs
