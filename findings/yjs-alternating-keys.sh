#!/usr/bin/env bash
# Yjs: a map in which two keys change in turn is hundreds of times as large as one in which they change one after the other
#
# One would guess: What a document with garbage collection weighs depends on what it holds and on how many
#   values were overwritten, not on the order of keys.
# What happens: What is left of overwritten values is joined only where neighbours in time had the same key.
#   Setting x and y in turn, as a drag does, never joins in the v1 encoding (one transaction for both changes
#   nothing), and the v2 encoding hides it.
# Who runs into it: Whoever gives each coordinate of a shape a key of its own. Packing them into one value
#   keeps the document small.
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
const size = (edit) => {
  const doc = new Y.Doc()
  edit(doc.getMap('shape'), doc)
  assert.deepEqual(doc.getMap('shape').toJSON(), { x: 999, y: 999 })
  return { v1: Y.encodeStateAsUpdate(doc).length, v2: Y.encodeStateAsUpdateV2(doc).length }
}
const seen = {
  'all x, then all y': size((map) => {
    for (const key of ['x', 'y']) for (let i = 0; i < 1000; i++) map.set(key, i)
  }),
  'x and y in turn': size((map) => {
    for (let i = 0; i < 1000; i++) for (const key of ['x', 'y']) map.set(key, i)
  }),
  'x and y in one transaction': size((map, doc) => {
    for (let i = 0; i < 1000; i++) doc.transact(() => map.set('x', i) + map.set('y', i))
  }),
}
console.table(seen)
assert(seen['x and y in turn'].v1 > 100 * seen['all x, then all y'].v1)
assert(seen['x and y in one transaction'].v1 > 100 * seen['all x, then all y'].v1)
assert(seen['x and y in turn'].v2 < 2 * seen['all x, then all y'].v2)
JS
node show.mjs
