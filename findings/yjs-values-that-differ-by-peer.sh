#!/usr/bin/env bash
# Yjs: a Date, Map or Set in a value stays intact for its writer but is an empty object for everybody else
#
# One would guess: A value that a shared map cannot carry is refused when it is set, as a Map or a Set directly
#   under a key is.
# What happens: A Date, even directly under a key, and a Map or Set inside an object are accepted without an error.
#   The writer continues to read the real value; every other document, and the writer's own after a reload, has {}.
# Who runs into it: Applications that keep `updatedAt: new Date()` in a shared map: it works in one window and in
#   every test with a single document.
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
const values = { date: new Date(0), inside: { date: new Date(0), map: new Map([['a', 1]]), set: new Set([1]) } }
for (const [key, value] of Object.entries(values)) writer.getMap('m').set(key, value)
const other = new Y.Doc()
Y.applyUpdate(other, Y.encodeStateAsUpdate(writer))
console.log('writer reads', writer.getMap('m').toJSON())
console.log('others read ', other.getMap('m').toJSON())
let refused = ''
try {
  writer.getMap('m').set('map', new Map())
} catch (error) {
  refused = error.message
}
console.log('a Map directly under a key:', refused)
assert.equal(writer.getMap('m').get('date').getTime(), 0)
assert.deepEqual(other.getMap('m').toJSON(), { date: {}, inside: { date: {}, map: {}, set: {} } })
assert.notEqual(refused, '')
JS
node show.mjs
