// Rows that prove who somebody is, changed by hand: guests and sessions made or prolonged, secrets exchanged, uses of a
// link set back. The server's own writes of these stand in the trail already, as logins and uses of links. Also: a
// stored generated column, which an operator may add to audit_logs, is computed after the guard has looked.
import type { Kysely } from 'kysely'
import { fixedSearchPath, quoted, run } from './migration.ts'

const guard = (s: string, path: string, ignored: string): string => `
create or replace function ${s}.audit_guard_change() returns trigger
language plpgsql ${path} as $$
declare
  erasing text := nullif(current_setting('boardroom.erasing', true), '');
begin
  if tg_op = 'UPDATE' and erasing is not null and tg_table_name <> 'audit_chain' then
    if tg_level = 'STATEMENT' then return null; end if;
    if old.erased_by is null and new.erased_by = erasing::uuid and new.salt is null
       and new.actor_name is null and new.ip_address is null and new.user_agent is null
       and new.old_values is not distinct from audit_public(old.old_values)
       and new.new_values is not distinct from audit_public(old.new_values)
       and new.details is not distinct from audit_public(old.details)
       and (to_jsonb(new) - audit_erasable_columns()${ignored}) = (to_jsonb(old) - audit_erasable_columns()${ignored}) then
      return new;
    end if;
  end if;
  raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'insufficient_privilege';
end $$;`

const generated = `
         - (select coalesce(array_agg(attname::text), '{}') from pg_attribute where attrelid = tg_relid and attgenerated <> '')`

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const path = fixedSearchPath(schema)
  // The server's own writes say who acts, or that they are recorded apart (server/audit/actor.ts).
  const byHand = `(nullif(current_setting('app.actor', true), '') is null and nullif(current_setting('app.recorded', true), '') is null)`
  await run(
    db,
    `
${guard(s, path, generated)}

create function ${s}.record_credential() returns trigger language plpgsql security definer ${path} as $$
declare
  kind constant text := case tg_table_name when 'sessions' then 'session' else 'guest' end;
  shown constant text[] := array['user_id', 'name', 'expires_at'];
  before jsonb := case when tg_op = 'UPDATE' then to_jsonb(old) else '{}'::jsonb end;
  after jsonb := to_jsonb(new);
  secret constant text := case tg_table_name when 'sessions' then 'token' else 'token_sha256' end;
  change record := audit_changes(before, after, shown);
begin
  perform write_audit(case tg_op when 'INSERT' then 'create' else 'update' end, 'account', null, null, kind, new.id::text, null,
    case when tg_op = 'UPDATE' then change.old_values end, change.new_values,
    case when tg_op = 'UPDATE' and before -> secret is distinct from after -> secret then '{"token_changed": true}'::jsonb end);
  return null;
end $$;
create trigger record_insert after insert on ${s}.guests for each row when ${byHand} execute function ${s}.record_credential();
create trigger record_update after update of expires_at on ${s}.guests for each row
  when (old.expires_at <> new.expires_at and ${byHand}) execute function ${s}.record_credential();
create trigger record_secret after update of token_sha256 on ${s}.guests for each row
  when (old.token_sha256 <> new.token_sha256) execute function ${s}.record_credential();
create trigger record_insert after insert on ${s}.sessions for each row when ${byHand} execute function ${s}.record_credential();
create trigger record_update after update of expires_at, user_id, token on ${s}.sessions for each row
  when ((old.expires_at, old.user_id, old.token) is distinct from (new.expires_at, new.user_id, new.token) and ${byHand})
  execute function ${s}.record_credential();

create function ${s}.record_uses_set_back() returns trigger language plpgsql security definer ${path} as $$
begin
  perform write_audit('update', 'link', new.board_id, new.id, 'share_link', new.id::text, new.level,
    jsonb_build_object('uses', old.uses), jsonb_build_object('uses', new.uses));
  return null;
end $$;
create trigger record_uses after update of uses on ${s}.share_links for each row when (new.uses < old.uses)
  execute function ${s}.record_uses_set_back();
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop trigger record_insert on ${s}.guests;
drop trigger record_update on ${s}.guests;
drop trigger record_secret on ${s}.guests;
drop trigger record_insert on ${s}.sessions;
drop trigger record_update on ${s}.sessions;
drop trigger record_uses on ${s}.share_links;
drop function ${s}.record_credential();
drop function ${s}.record_uses_set_back();
${guard(s, fixedSearchPath(schema), '')}
`,
  )
}
