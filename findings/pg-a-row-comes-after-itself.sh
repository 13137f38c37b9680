#!/usr/bin/env bash
# pg: a row read from the database comes after its own timestamp
#
# One would guess: A timestamptz that is read with pg and sent back finds its row, so that `where at > $1` returns
#   only later rows.
# What happens: Postgres stores microseconds; pg creates a Date with milliseconds and truncates the rest. The row
#   is not found by its own time, and is returned again "after" itself, while `<` leaves out rows of the same
#   millisecond.
# Who runs into it: Lists that page by the time of the last row: some rows are shown twice or never, too rarely to
#   be noticed in tests with rounded times.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --legacy-peer-deps pg@8.23.1 @electric-sql/pglite@0.5.17 @electric-sql/pglite-socket@0.2.17 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import pg from 'pg'

console.log('pg', JSON.parse(readFileSync('node_modules/pg/package.json')).version)
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
await new PGLiteSocketServer({ db: await PGlite.create(), port, host: '127.0.0.1' }).start()
const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
await client.connect()
await client.query('create table events (id int, at timestamptz)')
await client.query("insert into events values (1, '2026-01-01 00:00:00.123456Z'), (2, '2026-01-01 00:00:00.123789Z')")
const last = (await client.query('select * from events order by at desc limit 1')).rows[0]
const ids = async (condition) => (await client.query(`select id from events where at ${condition} $1 order by at`, [last.at])).rows.map((row) => row.id)
const seen = { 'at the time of row 2': await ids('='), 'after row 2': await ids('>'), 'before row 2': await ids('<') }
console.log(seen)
assert.deepEqual(Object.values(seen), [[], [1, 2], []])
process.exit()
JS
node show.mjs
