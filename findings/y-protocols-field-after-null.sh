#!/usr/bin/env bash
# y-protocols: after setLocalState(null), setLocalStateField silently does nothing
#
# One would guess: A client that went away with setLocalState(null) comes back with the first field that is set, or
#   gets an error.
# What happens: setLocalStateField changes nothing while the state is null: no state, no event, no error.
#   setLocalState({}) must come first. Null is the documented way to mark a client as offline.
# Who runs into it: Pages that hide a person on blur and later set the cursor on mouse moves: the person never
#   comes back.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund yjs@13.6.33 y-protocols@1.0.7 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'

console.log('y-protocols', JSON.parse(readFileSync('node_modules/y-protocols/package.json')).version)
const awareness = new Awareness(new Y.Doc())
let events = 0
awareness.setLocalStateField('name', 'Ada')
awareness.setLocalState(null)
awareness.on('update', () => events++)
awareness.setLocalStateField('cursor', { x: 1, y: 2 })
const quiet = { state: awareness.getLocalState(), events }
awareness.setLocalState({})
awareness.setLocalStateField('cursor', { x: 1, y: 2 })
const back = { state: awareness.getLocalState(), events }
console.log('a field after null:', quiet)
console.log('after setLocalState({}):', back)
awareness.destroy()
assert.deepEqual(quiet, { state: null, events: 0 })
assert.deepEqual(back.state, { cursor: { x: 1, y: 2 } })
JS
node show.mjs
