#!/usr/bin/env bash
# NATS JetStream: a message whose id was seen before is dropped as a duplicate, although the first one was purged
#
# One would guess: `duplicate: true` means that the stream already has the message. After a purge of the stream the
#   same message can be stored again.
# What happens: The duplicate window is kept separately from the messages and survives a purge. The answer contains
#   the old sequence number and says duplicate, without an error, and the stream stays empty.
# Who runs into it: Programs that empty a stream and refill it with the same ids (a rebuild, a test) within the
#   window, two minutes by default.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @nats-io/transport-node@3.4.0 @nats-io/jetstream@3.4.0 >/dev/null || { echo 'could not install'; exit 2; }
command -v nats-server >/dev/null || {
  apt-get download -qq nats-server >/dev/null && dpkg -x nats-server_*.deb . || { echo 'needs nats-server (Debian package)'; exit 2; }
  PATH=$PWD/usr/sbin:$PATH
}
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'

const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
const server = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', 'store'], { stdio: 'ignore' })
process.on('exit', () => server.kill())
let bus
while (!bus) bus = await connect({ port }).catch(() => new Promise((resolve) => setTimeout(resolve, 200)))
console.log('nats-server', bus.info.version, '@nats-io/jetstream', JSON.parse(readFileSync('node_modules/@nats-io/jetstream/package.json')).version)
const manager = await jetstreamManager(bus)
await manager.streams.add({ name: 'edits', subjects: ['edits.*'] })
const publish = async () => (await jetstream(bus).publish('edits.a', 'one', { msgID: 'one' })).duplicate
const first = await publish()
await manager.streams.purge('edits')
const again = await publish()
const { messages } = (await manager.streams.info('edits')).state
console.log({ 'first is a duplicate': first, 'after the purge': again, 'messages in the stream': messages })
assert.deepEqual([first, again, messages], [false, true, 0])
process.exit()
JS
node show.mjs
