#!/usr/bin/env bash
# Yjs: documents with equal state vectors can hold different values if an object is modified after it was set
#
# One would guess: A map copies its values, or at least gives everybody the same ones: two documents with equal
#   state vectors and nothing pending are equal.
# What happens: It keeps the object itself and encodes it again each time. A peer that received the edit at once
#   has the old value, one that joins later through the writer has the new one, no event reports the change, and no
#   later sync repairs it.
# Who runs into it: Canvas applications that put their own mutable elements into a shared map and later modify them
#   in place.
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
const early = new Y.Doc()
writer.on('update', (update) => Y.applyUpdate(early, update))
const shape = { width: 1 }
writer.getMap('m').set('shape', shape)
shape.width = 2
const late = new Y.Doc()
Y.applyUpdate(late, Y.encodeStateAsUpdate(writer))
const sync = (from, to) => Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)))
sync(early, late)
sync(late, early)
const seen = [writer, early, late].map((doc) => doc.getMap('m').get('shape').width)
const vectors = [writer, early, late].map((doc) => Buffer.from(Y.encodeStateVector(doc)).toString('hex'))
console.log('width for the writer, an early and a late reader:', seen, 'different state vectors:', new Set(vectors).size - 1)
assert.deepEqual(seen, [2, 1, 2])
assert.equal(new Set(vectors).size, 1)
JS
node show.mjs
