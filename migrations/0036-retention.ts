// A row in the trail for what was removed because it was too old. By a function of the owner, because only those may
// record a removal (see 0005-trail.ts); not granted to the server's role. An invitation that is swept away when it is over
// was in the trail before, with its address, and is not told again.
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

drop trigger record_row on ${s}.invitations;
create trigger record_row after insert on ${s}.invitations for each row execute function ${s}.record_person_link();
create trigger record_delete after delete on ${s}.invitations for each row
  when (old.expires_at > clock_timestamp() and old.accepted_at is null and old.revoked_at is null)
  execute function ${s}.record_person_link();
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop trigger record_delete on ${s}.invitations;
drop trigger record_row on ${s}.invitations;
create trigger record_row after insert or delete on ${s}.invitations for each row execute function ${s}.record_person_link();
drop function ${s}.record_retention(text, integer, bigint);
`,
  )
}
