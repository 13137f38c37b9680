#!/usr/bin/env bash
# Postgres: a partition can be emptied by TRUNCATE although its table has a trigger that refuses it
#
# One would guess: Triggers of a partitioned table apply to its partitions: row triggers do, even for partitions
#   created later.
# What happens: TRUNCATE fires only statement triggers, and these are not copied to partitions. Truncating the
#   table is refused, but truncating one of its months is not. Each partition needs its own trigger.
# Who runs into it: Append-only tables that are partitioned by month: the guard against an operator's mistake has a
#   gap as soon as there are partitions.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @electric-sql/pglite@0.5.17 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { PGlite } from '@electric-sql/pglite'

const db = new PGlite()
console.log((await db.query('select version()')).rows[0].version)
await db.exec(`
  create function refuse() returns trigger language plpgsql as $$ begin raise exception 'append-only'; end $$;
  create table log (at date not null) partition by range (at);
  create trigger rows_stay before update or delete on log for each row execute function refuse();
  create trigger all_stay before truncate on log for each statement execute function refuse();
  create table log_january partition of log for values from ('2026-01-01') to ('2026-02-01');
  insert into log values ('2026-01-05')`)
const outcome = (sql) => db.exec(sql).then(() => 'done', (error) => error.message)
const seen = {
  'delete from the partition': await outcome('delete from log_january'),
  'truncate the table': await outcome('truncate log'),
  'truncate the partition': await outcome('truncate log_january'),
}
const { count } = (await db.query('select count(*)::int from log')).rows[0]
console.table(seen)
console.log('rows left:', count)
assert.deepEqual(Object.values(seen), ['append-only', 'append-only', 'done'])
assert.equal(count, 0)
JS
node show.mjs
