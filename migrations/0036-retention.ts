// A row in the trail for what was removed because it was too old. By a function of the owner, because only those may
// record a removal (see 0005-trail.ts); not granted to the server's role.
import type { Kysely } from 'kysely'
import { fixedSearchPath, quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
create function ${s}.record_retention(category text, kept_days integer, removed_rows bigint) returns void
language sql security definer ${fixedSearchPath(schema)} as $$
  select write_audit('retention', 'trail', null, null, category, null, null, null, null,
    jsonb_build_object('category', category, 'days', kept_days, 'rows', removed_rows));
$$;
revoke execute on function ${s}.record_retention(text, integer, bigint) from public;
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  await run(db, `drop function ${quoted(schema)}.record_retention(text, integer, bigint);`)
}
