#!/usr/bin/env bash
# ywasm: bytes set through it become an object with numbered keys, and -0 becomes 0
#
# One would guess: The Rust port carries the same values as Yjs. Reading bytes that Yjs wrote does return bytes.
# What happens: Setting a Uint8Array through ywasm stores an object {"0": …, "1": …}, for itself and for every Yjs
#   client. -0, which Yjs keeps, is read as 0 and written as 0.
# Who runs into it: Teams that move a server from Yjs to the Rust port and keep thumbnails, keys or directions in a
#   document.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund yjs@13.6.33 ywasm@0.18.3 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import * as W from 'ywasm'
import * as Y from 'yjs'

for (const name of ['yjs', 'ywasm']) console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version)
const yjs = new Y.Doc()
yjs.getMap('m').set('bytes', new Uint8Array([1, 2]))
yjs.getMap('m').set('minus', -0)
const rust = new W.YDoc()
W.applyUpdate(rust, Y.encodeStateAsUpdate(yjs))
const read = { bytes: rust.getMap('m').get('bytes'), minus: rust.getMap('m').get('minus') }
console.log('written by Yjs, read by ywasm:', read)

const writer = new W.YDoc()
writer.getMap('m').set('bytes', new Uint8Array([1, 2]))
writer.getMap('m').set('minus', -0)
const reader = new Y.Doc()
Y.applyUpdate(reader, W.encodeStateAsUpdate(writer))
console.log('written by ywasm, read by Yjs:', reader.getMap('m').toJSON())
assert(read.bytes instanceof Uint8Array)
assert(Object.is(yjs.getMap('m').get('minus'), -0))
assert(Object.is(read.minus, 0))
assert.deepEqual(reader.getMap('m').get('bytes'), { 0: 1, 1: 2 })
assert(Object.is(reader.getMap('m').get('minus'), 0))
JS
node show.mjs
