#!/usr/bin/env bash
# Postgres: with a stored generated column, OLD and NEW always differ in a BEFORE trigger
#
# One would guess: `old is distinct from new` says whether an update changes anything.
# What happens: Generated columns are computed after BEFORE triggers. NEW has null there and OLD has the value, so
#   every update counts as a change, even one that sets a column to its current value. The same trigger works
#   correctly AFTER the update, or until somebody adds such a column.
# Who runs into it: Tables with "updated_at only if something changed" or "nothing but this column may change":
#   adding a generated column later breaks them.
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
  create table told (at text, changed boolean);
  create function tell() returns trigger language plpgsql as $$
    begin insert into told values (tg_when, old is distinct from new); return new; end $$;
  create table notes (words text);
  create trigger before_update before update on notes for each row execute function tell();
  create trigger after_update after update on notes for each row execute function tell();
  insert into notes values ('hello')`)
const changed = async () => {
  await db.exec(`truncate told; update notes set words = words`)
  return Object.fromEntries((await db.query('select * from told')).rows.map((row) => [row.at, row.changed]))
}
const plain = await changed()
await db.exec('alter table notes add length int generated always as (length(words)) stored')
const generated = await changed()
console.log('an update that changes nothing counts as a change, without a generated column:', plain)
console.log('with one:', generated)
assert.deepEqual(plain, { BEFORE: false, AFTER: false })
assert.deepEqual(generated, { BEFORE: true, AFTER: false })
JS
node show.mjs
