#!/usr/bin/env bash
# zod 4: z.uuid() refuses ids that Postgres stores as uuid
#
# One would guess: An id from a uuid column passes z.uuid(), as it did in zod 3.
# What happens: Since version 4 the version and variant digits are checked. Handwritten ids in seeds and fixtures,
#   and ids from other systems, are valid for Postgres but invalid for zod; z.guid() accepts them.
# Who runs into it: Teams that move to zod 4: requests for rows with ids like 0…01 answer 400.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund zod@4.6.7 zod3@npm:zod@3.25.76 @electric-sql/pglite@0.5.17 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { PGlite } from '@electric-sql/pglite'
import * as z from 'zod'
import { z as z3 } from 'zod3/v3'

for (const name of ['zod', 'zod3']) console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version)
const id = '00000000-0000-0000-0000-000000000001'
const stored = (await new PGlite().query('select $1::uuid as id', [id])).rows[0].id
const takes = (schema) => schema.safeParse(stored).success
const seen = { 'z.uuid of zod 3': takes(z3.string().uuid()), 'z.uuid of zod 4': takes(z.uuid()), 'z.guid of zod 4': takes(z.guid()) }
console.log(stored, seen)
assert.deepEqual(Object.values(seen), [true, false, true])
JS
node show.mjs
