#!/usr/bin/env bash
# y-indexeddb: after another tab clears the stored copy, the next edit throws, and providers receive no further edits
#
# One would guess: clearData in one tab costs other tabs at most their copy on the device. They can continue to
#   edit, and the copy is recreated or not.
# What happens: The database of the other tab is closed while it is in use. That tab's next edit throws an
#   InvalidStateError out of map.set, although the edit is made, and from then on listeners that were added after
#   the persistence, such as a provider, receive no edits.
# Who runs into it: Two tabs of one board, one of which signs out and deletes its copy. The other one looks normal
#   and sends nothing. (The script uses fake-indexeddb instead of a browser.)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund yjs@13.6.33 y-indexeddb@9.0.12 fake-indexeddb@6.2.8 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import 'fake-indexeddb/auto'
import { IndexeddbPersistence } from 'y-indexeddb'
import * as Y from 'yjs'

console.log('y-indexeddb', JSON.parse(readFileSync('node_modules/y-indexeddb/package.json')).version)
const [first, second] = [new Y.Doc(), new Y.Doc()]
const tabs = [first, second].map((doc) => new IndexeddbPersistence('board', doc))
await Promise.all(tabs.map((tab) => tab.whenSynced))
let heard = 0
second.on('update', () => heard++)
second.getMap('m').set('before', 1)
const before = heard
await tabs[0].clearData()
await new Promise((resolve) => setTimeout(resolve, 500))

const edit = (key) => {
  try {
    second.getMap('m').set(key, 1)
    return 'no error'
  } catch (error) {
    return error.name
  }
}
const seen = { 'heard before': before, 'next edit': edit('a'), 'the one after': edit('b'), 'heard since': heard - before, content: Object.keys(second.getMap('m').toJSON()).join() }
console.log(seen)
assert.deepEqual(seen, { 'heard before': 1, 'next edit': 'InvalidStateError', 'the one after': 'no error', 'heard since': 0, content: 'before,a,b' })
process.exit()
JS
node show.mjs
