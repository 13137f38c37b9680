#!/usr/bin/env bash
# NATS (JavaScript): messages published while the server is down are neither refused nor delivered later
#
# One would guess: While the connection is down, publish either throws, or the message is buffered and sent after
#   the reconnect.
# What happens: publish returns as usual, but nothing arrives: each attempt to reconnect begins with an empty
#   buffer. A flush started meanwhile rejects at the first attempt, although the connection comes back; draining a
#   subscription resolves, although nobody answered.
# Who runs into it: Services that rely on the reconnect to bridge a restart of the bus. They need sequence numbers,
#   or an acknowledgement for each message.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @nats-io/transport-node@3.4.0 >/dev/null || { echo 'could not install'; exit 2; }
command -v nats-server >/dev/null || {
  apt-get download -qq nats-server >/dev/null && dpkg -x nats-server_*.deb . || { echo 'needs nats-server (Debian package)'; exit 2; }
  PATH=$PWD/usr/sbin:$PATH
}
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { connect } from '@nats-io/transport-node'

console.log('@nats-io/transport-node', JSON.parse(readFileSync('node_modules/@nats-io/transport-node/package.json')).version)
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
const start = () => spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
let server = start()
process.on('exit', () => server.kill())
const open = async () => {
  for (;;) {
    try {
      return await connect({ port, reconnectTimeWait: 200, maxReconnectAttempts: -1 })
    } catch {
      await wait(200)
    }
  }
}
const [sender, receiver] = [await open(), await open()]
const got = []
receiver.subscribe('board', { callback: (_error, message) => got.push(message.string()) })
const spare = receiver.subscribe('spare', { callback: () => {} })
await receiver.flush()
sender.publish('board', 'before')
await sender.flush()

const away = new Promise((resolve) => server.on('exit', resolve))
server.kill('SIGKILL')
await away
await wait(500)
let thrown = 0
for (let i = 0; i < 5; i++) {
  try {
    sender.publish('board', `while away ${i}`)
  } catch {
    thrown++
  }
}
const flush = await sender.flush().then(() => 'resolved', () => 'rejected')
const drain = await spare.drain().then(() => 'resolved', () => 'rejected')
server = start()
for (let i = 0; i < 100 && !got.includes('after'); i++) {
  await wait(200)
  sender.publish('board', 'after')
}
const seen = { thrown, flush, drain, arrived: [...new Set(got)] }
console.log(seen)
assert.deepEqual(seen, { thrown: 0, flush: 'rejected', drain: 'resolved', arrived: ['before', 'after'] })
process.exit()
JS
node show.mjs
