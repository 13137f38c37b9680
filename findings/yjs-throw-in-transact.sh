#!/usr/bin/env bash
# Yjs: a transaction that throws half way is kept, and sent to everybody
#
# One would guess: `transact` is a transaction: if its function throws, nothing remains, as in a database.
# What happens: Changes made before the throw stay in the document, and their update is emitted before the error
#   reaches the caller. All or nothing requires a copy of the document.
# Who runs into it: Servers that change a document in a function that may throw: the caller reports a failure,
#   while half of the change is on everybody's board.
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
const mine = new Y.Doc()
const others = new Y.Doc()
const order = []
mine.on('update', (update) => {
  order.push('update emitted')
  Y.applyUpdate(others, update)
})
try {
  mine.transact(() => {
    mine.getMap('account').set('from', -10)
    throw new Error('half way')
  })
} catch (error) {
  order.push(`caught: ${error.message}`)
}
console.log(order, 'mine', mine.getMap('account').toJSON(), 'others', others.getMap('account').toJSON())
assert.deepEqual(order, ['update emitted', 'caught: half way'])
assert.deepEqual(others.getMap('account').toJSON(), { from: -10 })
JS
node show.mjs
