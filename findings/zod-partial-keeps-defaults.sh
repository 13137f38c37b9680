#!/usr/bin/env bash
# zod: partial() of a schema with defaults fills in fields that were not sent
#
# One would guess: `Board.partial()` is the schema of a PATCH: it parses what was sent and leaves the rest out.
# What happens: Defaults take precedence over optional. A PATCH of only the title comes out with the default colour
#   as well, and overwrites what somebody had chosen. Only keys without a default are left out.
# Who runs into it: APIs that derive the body of PATCH from the body of POST.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund zod@4.6.7 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import * as z from 'zod'

console.log('zod', JSON.parse(readFileSync('node_modules/zod/package.json')).version)
const Board = z.object({ title: z.string(), note: z.string(), color: z.string().default('black') })
const stored = { title: 'Old', note: 'kept', color: 'red' }
const patch = Board.partial().parse({ title: 'New' })
console.log('PATCH { title }:', patch, 'stored after it:', { ...stored, ...patch })
assert.deepEqual(patch, { title: 'New', color: 'black' })
JS
node show.mjs
