#!/usr/bin/env bash
# Yjs 14 (rc): a type that it nests in a map arrives in Yjs 13 as an empty XML fragment
#
# One would guess: Both versions write the same update format, so clients of both can edit a document while people
#   upgrade. Plain values, and types nested by Yjs 13, do work in both directions.
# What happens: Yjs 13 reads the single type of Yjs 14 as an XML fragment; its attributes are in the document and
#   stay there, but toJSON shows "" and no API of 13 reads them.
# Who runs into it: Teams that release a new client while old ones are in use: its shapes are stored and relayed,
#   but invisible to everybody on the old version.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --legacy-peer-deps yjs@13.6.33 @y/y@14.0.0-rc.7 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import * as Y14 from '@y/y'
import * as Y13 from 'yjs'

for (const name of ['yjs', '@y/y']) console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version)
const modern = new Y14.Doc()
const root = modern.get('m')
root.setAttr('plain', 1)
const nested = new Y14.Type()
root.setAttr('shape', nested)
nested.setAttr('width', 10)

const old = new Y13.Doc()
Y13.applyUpdate(old, Y14.encodeStateAsUpdate(modern))
const map = old.getMap('m')
console.log('Yjs 13 reads', map.toJSON(), 'as', map.get('shape').constructor.name)
assert.equal(map.get('shape').constructor.name, 'YXmlFragment')
assert.deepEqual(map.toJSON(), { plain: 1, shape: '' })

const back = new Y14.Doc()
Y14.applyUpdate(back, Y13.encodeStateAsUpdate(old))
console.log('through Yjs 13 and back in 14: width', back.get('m').getAttr('shape').getAttr('width'))
assert.equal(back.get('m').getAttr('shape').getAttr('width'), 10)

const classic = new Y13.Doc()
classic.getMap('m').set('shape', new Y13.Map([['width', 10]]))
Y14.applyUpdate(back, Y13.encodeStateAsUpdate(classic))
const other = new Y14.Doc()
Y14.applyUpdate(other, Y13.encodeStateAsUpdate(classic))
console.log('what Yjs 13 nested, in 14: width', other.get('m').getAttr('shape').getAttr('width'))
assert.equal(other.get('m').getAttr('shape').getAttr('width'), 10)
JS
node show.mjs
