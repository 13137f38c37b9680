#!/usr/bin/env bash
# y-websocket: after a reconnect a person is synced but stays invisible until their state is next renewed
#
# One would guess: Once "connected" and "synced", the person is visible to others again, because the provider sends
#   its state when it connects.
# What happens: It sends the state with its old clock. The others remember that clock from the removal and treat
#   the state as outdated. The person appears only when the state changes or is renewed, which y-protocols does
#   every half of its time-out.
# Who runs into it: Everybody after a short network failure: edits arrive from somebody who is not in the list of
#   people present.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund yjs@13.6.33 y-protocols@1.0.7 y-websocket@3.1.0 ws@8.23.0 y-websocket-2@npm:y-websocket@2.1.0 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

for (const name of ['y-websocket', 'y-websocket-2']) console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version)
// The server that came with version 2, as a program of its own.
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
const server = spawn(process.execPath, ['node_modules/y-websocket-2/bin/server.cjs'], { env: { ...process.env, HOST: '127.0.0.1', PORT: port }, stdio: 'ignore' })
process.on('exit', () => server.kill())
const open = () => new WebsocketProvider(`ws://127.0.0.1:${port}`, 'room', new Y.Doc(), { WebSocketPolyfill: WebSocket, disableBc: true })
const until = async (condition) => {
  for (let i = 0; i < 200 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 50))
  return condition()
}
const ada = open()
const bob = open()
ada.awareness.setLocalState({ name: 'Ada' })
const visible = () => bob.awareness.getStates().has(ada.doc.clientID)
const seen = {}
await until(() => ada.synced && bob.synced)
seen['at first'] = await until(visible)
ada.disconnect()
seen['gone after disconnect'] = await until(() => !visible())
ada.connect()
await until(() => ada.synced)
ada.doc.getMap('m').set('edit', 1)
seen['an edit after the reconnect arrives'] = await until(() => bob.doc.getMap('m').get('edit') === 1)
seen['visible with that edit'] = visible()
ada.awareness.setLocalState(ada.awareness.getLocalState())
seen['visible after the state was set again'] = await until(visible)
console.table(seen)
assert.deepEqual(Object.values(seen), [true, true, true, false, true])
process.exit()
JS
node show.mjs
