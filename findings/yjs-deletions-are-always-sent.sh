#!/usr/bin/env bash
# Yjs: even a peer that has everything is sent every deletion that ever happened
#
# One would guess: A state vector says what a peer has, so the difference for a peer that has everything is empty,
#   or two bytes.
# What happens: State vectors do not cover deletions. The answer to an up-to-date peer contains the complete set of
#   deletions of the document, at each reconnect.
# Who runs into it: Servers with long-lived, heavily edited documents: after a restart all of it is sent to
#   everybody, and nobody needs it.
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
const seen = [0, 500, 5000].map((edits) => {
  const doc = new Y.Doc()
  const text = doc.getText('t')
  for (let i = 0; i < edits; i++) {
    text.insert(text.length, 'ab')
    text.delete(text.length - 1, 1)
  }
  return { edits, state: Y.encodeStateAsUpdate(doc).length, 'for who has it all': Y.encodeStateAsUpdate(doc, Y.encodeStateVector(doc)).length }
})
console.table(seen)
assert.equal(seen[0]['for who has it all'], 2)
assert(seen[1]['for who has it all'] > 1000)
assert(seen[2]['for who has it all'] > 9 * seen[1]['for who has it all'])
JS
node show.mjs
