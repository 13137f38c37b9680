#!/usr/bin/env bash
# @y/websocket-server 0.1.5 does not install; with the missing package added, clients are synced and see each other, but no edit arrives
#
# One would guess: The latest release of a server installs and works, or fails when it starts. "Synced" clients
#   receive each other's edits.
# What happens: Its range for @y/protocols accepts a release candidate whose peer dependency "@y/y@*" matches no
#   version, because "*" excludes pre-releases: npm fails with ETARGET. With @y/y added by hand, there are two
#   builds of Yjs 14 in one process: each edit causes an error in the server's log, while presence works and both
#   clients report connected and synced.
# Who runs into it: Everybody who sets up this server with Yjs 13 clients while version 14 is a release candidate,
#   and relies on the provider's status to see whether it works.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund yjs@13.6.33 y-protocols@1.0.7 y-websocket@3.1.0 ws@8.23.0 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

mkdirSync('server')
writeFileSync('server/package.json', '{}')
const install = (...packages) => spawnSync('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: 'server', encoding: 'utf8' })
const alone = install('@y/websocket-server@0.1.5')
const said = /notarget (No matching version[^\n]*)/.exec(alone.stderr)?.[1]
console.log('npm', spawnSync('npm', ['--version'], { encoding: 'utf8' }).stdout.trim(), 'installs it alone with exit code', alone.status, said)
assert.equal(install('@y/websocket-server@0.1.5', '@y/y@14.0.0-rc.7').status, 0)
for (const name of ['yjs', '@y/y', '@y/protocols', '@y/websocket-server'])
  console.log('server:', name, JSON.parse(readFileSync(`server/node_modules/${name}/package.json`)).version)

const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
const server = spawn(process.execPath, ['server/node_modules/@y/websocket-server/src/server.js'], { env: { ...process.env, HOST: '127.0.0.1', PORT: port } })
process.on('exit', () => server.kill())
let log = ''
for (const stream of [server.stdout, server.stderr]) stream.on('data', (text) => (log += text))
const open = () => new WebsocketProvider(`ws://127.0.0.1:${port}`, 'room', new Y.Doc(), { WebSocketPolyfill: WebSocket, disableBc: true })
const until = async (condition) => {
  for (let i = 0; i < 100 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 50))
  return condition()
}
const [ada, bob] = [open(), open()]
const seen = { 'both synced': await until(() => ada.synced && bob.synced) }
ada.awareness.setLocalState({ name: 'Ada' })
ada.doc.getMap('m').set('x', 1)
seen['presence arrives'] = await until(() => bob.awareness.getStates().has(ada.doc.clientID))
seen['an edit arrives'] = await until(() => bob.doc.getMap('m').get('x') === 1)
console.table(seen)
console.log('server says:', log.split('\n').find((line) => line.includes('Error')))
assert.notEqual(alone.status, 0)
assert.match(said, /@y\/y@\*/)
assert.deepEqual(Object.values(seen), [true, true, false])
process.exit()
JS
node show.mjs
