#!/usr/bin/env bash
# Kysely: the Migrator reports Success for a migration that was rolled back
#
# One would guess: If the second of three migrations fails, the first is in the database: its result says
#   "Success", and the error belongs to the second.
# What happens: On Postgres all pending migrations share one transaction. When the second fails, the first is
#   rolled back: its table does not exist and it is not recorded as executed, yet the result still lists it with
#   status Success.
# Who runs into it: Deploy scripts that print or act on the results, and operators who then look for the table.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --legacy-peer-deps kysely@0.28.18 pg@8.23.1 @electric-sql/pglite@0.5.17 @electric-sql/pglite-socket@0.2.17 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { Kysely, Migrator, PostgresDialect, sql } from 'kysely'
import pg from 'pg'

console.log('kysely', JSON.parse(readFileSync('node_modules/kysely/package.json')).version)
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
await new PGLiteSocketServer({ db: await PGlite.create(), port, host: '127.0.0.1' }).start()
const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', max: 1 })
const db = new Kysely({ dialect: new PostgresDialect({ pool }) })
const migrations = {
  1: { up: (db) => db.schema.createTable('one').addColumn('id', 'integer').execute() },
  2: { up: () => Promise.reject(new Error('the second one fails')) },
  3: { up: () => Promise.resolve() },
}
const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
const { results } = await migrator.migrateToLatest()
const executed = (await migrator.getMigrations()).filter((migration) => migration.executedAt).length
const { rows } = await sql`select to_regclass('one') as name`.execute(db)
const seen = { reported: results.map((result) => result.status), executed, 'table of the first': rows[0].name }
console.log(seen)
assert.deepEqual(seen, { reported: ['Success', 'Error', 'NotExecuted'], executed: 0, 'table of the first': null })
process.exit()
JS
node show.mjs
