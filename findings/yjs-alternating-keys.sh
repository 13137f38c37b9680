#!/usr/bin/env bash
# Yjs: a map whose two keys change alternately is hundreds of times as large as one whose keys change one after the other
#
# One would guess: The size of a document with garbage collection depends on its contents and on how many values
#   were overwritten, not on the order of keys.
# What happens: The remains of overwritten values are merged only if consecutive changes had the same key. Setting
#   x and y alternately, as a drag does, never merges in the v1 encoding (one transaction for both changes makes no
#   difference), and the v2 encoding hides it.
# Who runs into it: Applications that store each coordinate of a shape under its own key. Packing them into one
#   value keeps the document small.
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
