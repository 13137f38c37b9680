#!/usr/bin/env bash
# Yjs: plain text inserted after bold text becomes bold with insert, but stays plain with applyDelta
#
# One would guess: text.insert(4, ' and') and the delta [{retain: 4}, {insert: ' and'}] are two ways to write the
#   same edit.
# What happens: insert without attributes takes over the format of the preceding character, applyDelta ends that
#   format. With an empty object of attributes, insert behaves like the delta.
# Who runs into it: Servers and importers that append a plain sentence to somebody's formatted text.
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
const after = (edit) => {
  const text = new Y.Doc().getText('t')
  text.insert(0, 'bold', { bold: true })
  edit(text)
  return text.toDelta()
}
const seen = {
  insert: after((text) => text.insert(4, ' and')),
  applyDelta: after((text) => text.applyDelta([{ retain: 4 }, { insert: ' and' }])),
  'insert with {}': after((text) => text.insert(4, ' and', {})),
}
for (const [way, delta] of Object.entries(seen)) console.log(way.padEnd(15), JSON.stringify(delta))
assert.deepEqual(seen.insert, [{ insert: 'bold and', attributes: { bold: true } }])
assert.deepEqual(seen.applyDelta, [{ insert: 'bold', attributes: { bold: true } }, { insert: ' and' }])
assert.deepEqual(seen['insert with {}'], seen.applyDelta)
JS
node show.mjs
