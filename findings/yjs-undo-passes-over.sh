#!/usr/bin/env bash
# Yjs: an undo skips a step that somebody else has overwritten and reverts an older one
#
# One would guess: One undo reverts one step. If somebody else has overwritten it, there is nothing to revert, and
#   canUndo says so.
# What happens: canUndo returns true, the step is silently dropped, and the same call reverts the step before it,
#   which may concern another shape. If there is no older step, undo returns null and changes nothing, and there is
#   nothing to redo either.
# Who runs into it: Two people on one board: undo changes a shape that its user finished long before, somewhere out
#   of view.
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
const pair = () => {
  const [a, b] = [new Y.Doc(), new Y.Doc()]
  a.on('update', (update, origin) => origin === 'net' || Y.applyUpdate(b, update, 'net'))
  b.on('update', (update, origin) => origin === 'net' || Y.applyUpdate(a, update, 'net'))
  return [a.getMap('m'), b.getMap('m')]
}
const [mine, theirs] = pair()
mine.set('old', 'before')
mine.set('new', 'before')
const manager = new Y.UndoManager(mine, { captureTimeout: 0 })
mine.set('old', 'mine')
mine.set('new', 'mine')
theirs.set('new', 'theirs')
manager.undo()
console.log('one undo after the last step was overwritten:', mine.toJSON())
assert.deepEqual(mine.toJSON(), { old: 'before', new: 'theirs' })

const [single, neighbour] = pair()
single.set('x', 'before')
const alone = new Y.UndoManager(single, { captureTimeout: 0 })
single.set('x', 'mine')
neighbour.set('x', 'theirs')
const seen = { canUndo: alone.canUndo(), undone: alone.undo(), x: single.get('x'), canRedo: alone.canRedo() }
console.log('with that step alone:', seen)
assert.equal(seen.canUndo, true)
assert.equal(seen.undone, null)
assert.equal(seen.canRedo, false)
JS
node show.mjs
