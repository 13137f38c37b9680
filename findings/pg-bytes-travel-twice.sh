#!/usr/bin/env bash
# pg: a byte costs one byte on the wire as a parameter, but two inside an array and two in every result
#
# One would guess: A Buffer is sent and read as it is, even in an array (the usual way to insert many rows with one
#   statement).
# What happens: A single Buffer is sent in binary. An array of Buffers is written as text, two characters per byte,
#   and results always arrive as text, so each byte costs two on the wire and a pass over a string.
# Who runs into it: Servers that store many small updates in one `unnest($1::bytea[])`, and that load large states.
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
const { stream } = client.connection
await client.query('create table f (one bytea, many bytea[])')
const bytes = Buffer.alloc(100_000, 7)
const wire = async (direction, ...query) => {
  const before = stream[direction]
  await client.query(...query)
  return Math.round((10 * (stream[direction] - before)) / bytes.length) / 10
}
const seen = {
  'sent: a Buffer': await wire('bytesWritten', 'insert into f (one) values ($1)', [bytes]),
  'sent: an array with that Buffer': await wire('bytesWritten', 'insert into f (many) values ($1)', [[bytes]]),
  'read: the Buffer': await wire('bytesRead', 'select one from f where one is not null'),
}
console.log('bytes on the wire a byte:')
console.table(seen)
assert.deepEqual(Object.values(seen), [1, 2, 2])
process.exit()
JS
node show.mjs
