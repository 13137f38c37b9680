#!/usr/bin/env bash
# Yjs: mergeUpdates neither merges structs nor drops overwritten values
#
# One would guess: Y.mergeUpdates turns many small updates into what a document would encode for the same edits, so
#   a log can be compacted with it without building a document.
# What happens: It puts the updates side by side. Overwritten values keep their content, and letters typed one
#   after the other remain separate structs. Only a document that has applied them drops and merges.
# Who runs into it: Servers that compact an update log without loading documents: it grows with every edit.
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
const sizes = (edit) => {
  const doc = new Y.Doc()
  const updates = []
  doc.on('update', (update) => updates.push(update))
  for (let i = 0; i < 1000; i++) edit(doc, i)
  const merged = Y.mergeUpdates(updates)
  const loaded = new Y.Doc()
  Y.applyUpdate(loaded, merged)
  return { merged: merged.length, document: Y.encodeStateAsUpdate(loaded).length }
}
const seen = {
  'one key set 1,000 times': sizes((doc, i) => doc.getMap('m').set('k', i)),
  '1,000 letters typed at the end': sizes((doc, i) => doc.getText('t').insert(i, 'a')),
}
for (const [edits, { merged, document }] of Object.entries(seen))
  console.log(`${edits}: merged ${merged} bytes, the document after it ${document} bytes, ${Math.round(merged / document)} to 1`)
assert(seen['one key set 1,000 times'].merged > 100 * seen['one key set 1,000 times'].document)
assert(seen['1,000 letters typed at the end'].merged > 5 * seen['1,000 letters typed at the end'].document)
JS
node show.mjs
