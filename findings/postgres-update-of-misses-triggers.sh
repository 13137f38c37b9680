#!/usr/bin/env bash
# Postgres: AFTER UPDATE OF a column does not fire where a BEFORE trigger changed that column
#
# One would guess: `after update of level` fires whenever an update changes the level.
# What happens: The column list is compared with the SET list of the statement, not with the actual changes. If a
#   BEFORE trigger sets the level, the row changes and the trigger does not fire; if a statement sets the level to
#   its current value, it fires. A WHEN clause without a column list catches every change.
# Who runs into it: Histories and notifications for a column: they miss what another trigger of the same table
#   changes.
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
  create table told (by text);
  create function tell() returns trigger language plpgsql as $$ begin insert into told values (tg_name); return null; end $$;
  create function lower_level() returns trigger language plpgsql as $$
    begin if new.blocked then new.level := 'none'; end if; return new; end $$;
  create table members (level text, blocked boolean);
  create trigger a_before before update on members for each row execute function lower_level();
  create trigger of_column after update of level on members for each row execute function tell();
  create trigger when_differs after update on members for each row when (old.level is distinct from new.level) execute function tell();
  insert into members values ('edit', false)`)
const told = async (sql) => {
  await db.exec(`truncate told; ${sql}`)
  return (await db.query('select by from told order by by')).rows.map((row) => row.by).join()
}
const seen = {
  'set to what it was': await told(`update members set level = 'edit'`),
  'changed by the BEFORE trigger': await told('update members set blocked = true'),
}
console.table(seen)
console.log('level now:', (await db.query('select level from members')).rows[0].level)
assert.deepEqual(Object.values(seen), ['of_column', 'when_differs'])
JS
node show.mjs
