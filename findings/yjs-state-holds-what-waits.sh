#!/usr/bin/env bash
# Yjs: a document that shows nothing and emitted nothing still passes on an update that it is waiting to apply
#
# One would guess: An update that cannot be applied yet is either applied later, with an event, or lost with the
#   document. The `update` events and encodeStateAsUpdate describe the same content.
# What happens: An update with a gap before it emits no event and is not in the state vector, but
#   encodeStateAsUpdate contains it. A store fed by events lacks it, a store of states has it, and the next reader
#   applies it when the gap is filled.
# Who runs into it: Servers that store updates from the `update` event and compare them with a state: after a lost
#   message the two never agree.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund yjs@13.6.33 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import * as Y from 'yjs'

console.log('yjs', JSON.parse(readFileSync('node_modules/yjs/package.json')).version)
const writer = new Y.Doc()
const updates = []
writer.on('update', (update) => updates.push(update))
writer.getMap('m').set('first', 1)
writer.getMap('m').set('second', 2)

const server = new Y.Doc()
let events = 0
server.on('update', () => events++)
Y.applyUpdate(server, updates[1])
const vector = Y.decodeStateVector(Y.encodeStateVector(server))
const state = Y.encodeStateAsUpdate(server)
console.log({ events, content: server.getMap('m').toJSON(), clientsInStateVector: vector.size, bytesOfState: state.length })

const later = new Y.Doc()
Y.applyUpdate(later, state)
Y.applyUpdate(later, updates[0])
console.log('built from that state and the missing update:', later.getMap('m').toJSON())
assert.equal(events, 0)
assert.equal(vector.size, 0)
assert.deepEqual(later.getMap('m').toJSON(), { first: 1, second: 2 })
JS
node show.mjs
