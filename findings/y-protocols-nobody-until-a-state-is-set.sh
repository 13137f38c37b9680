#!/usr/bin/env bash
# y-protocols: a client that has not set a state is invisible to others, although it has a state and sends it
#
# One would guess: A new Awareness has the state {} and sends it to its peers, so that each of them can count who
#   is there.
# What happens: Its clock is 0, and a peer accepts an unknown client only with a clock above 0: the state is
#   dropped without an event. The first setLocalState, even with the same {}, makes the client visible.
# Who runs into it: Pages that count the people on a document by presence: readers, who never set a field, are not
#   counted.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund yjs@13.6.33 y-protocols@1.0.7 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'

console.log('y-protocols', JSON.parse(readFileSync('node_modules/y-protocols/package.json')).version)
const [reader, peer] = [new Awareness(new Y.Doc()), new Awareness(new Y.Doc())]
let events = 0
peer.on('update', () => events++)
const send = () => applyAwarenessUpdate(peer, encodeAwarenessUpdate(reader, [reader.clientID]), 'network')
const seen = () => ({ own: reader.getLocalState(), isSeen: peer.getStates().has(reader.clientID), events })
send()
const atFirst = seen()
reader.setLocalState({})
send()
const later = seen()
console.log('a new client:', atFirst)
console.log('after setLocalState({}):', later)
reader.destroy()
peer.destroy()
assert.deepEqual(atFirst, { own: {}, isSeen: false, events: 0 })
assert.deepEqual(later, { own: {}, isSeen: true, events: 1 })
JS
node show.mjs
