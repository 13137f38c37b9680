#!/usr/bin/env bash
# Yjs: a peer that has everything is sent every deletion that there ever was
#
# One would guess: A state vector says what a peer has, so the difference for one that has everything is
#   empty, or two bytes.
# What happens: State vectors know nothing of deletions. The answer to an up-to-date peer holds the whole set
#   of deletions of the document, at each reconnect.
# Who runs into it: Servers with long-lived, much edited documents: a restart sends all of it to everybody,
#   who need none of it.
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
