#!/usr/bin/env bash
# fractional-indexing: two people who insert at the same place get the same key, and no key fits between the two
#
# One would guess: There is always a key between two neighbours; that is what the library is for.
# What happens: Keys are computed only from their neighbours, so two people at the same place get equal ones, and
#   generating a key between equal keys throws an error. Collaborative applications must repair equal keys, or
#   append something random to each key.
# Who runs into it: Lists and layers that several people edit: everything works for days, until two people append
#   at the same moment and somebody drags an item in between.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund fractional-indexing@3.2.0 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { generateKeyBetween } from 'fractional-indexing'

console.log('fractional-indexing', JSON.parse(readFileSync('node_modules/fractional-indexing/package.json')).version)
const last = generateKeyBetween(null, null)
const adas = generateKeyBetween(last, null)
const bobs = generateKeyBetween(last, null)
let between
try {
  between = generateKeyBetween(adas, bobs)
} catch (error) {
  between = `error: ${error.message}`
}
console.log({ adas, bobs, between })
assert.equal(adas, bobs)
assert.match(between, /^error/)
JS
node show.mjs
