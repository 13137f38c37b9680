// People by link: invitations are recorded like every row that lets somebody in, and a lost password has a link too.
// Names, second factors and passwords that were changed by hand stand in the trail.
import type { Kysely } from 'kysely'
import { fixedSearchPath, quoted, run } from './migration.ts'

const recordUsers = (s: string, definer: string, shown: string): string => `
create or replace function ${s}.record_users() ${definer} as $$
declare
  change record;
begin
  case tg_op
    when 'INSERT' then
      change := audit_changes('{}', to_jsonb(new), array['name', 'email', 'role', 'is_active', 'issuer', 'external_id']);
      perform write_audit('create', 'account', null, null, 'user', new.id::text, null, null, change.new_values);
    when 'UPDATE' then
      if old.role <> new.role then
        perform write_audit('role_change', 'account', null, null, 'user', new.id::text, null,
          jsonb_build_object('role', old.role), jsonb_build_object('role', new.role));
      end if;
      change := audit_changes(to_jsonb(old), to_jsonb(new), array['is_active', 'email', 'issuer', 'external_id', 'banned'${shown}]);
      if change.new_values is not null then
        perform write_audit('update', 'account', null, null, 'user', new.id::text, null, change.old_values, change.new_values);
      end if;
    when 'DELETE' then
      change := audit_changes(to_jsonb(old), '{}', array['name', 'email', 'role', 'is_active', 'issuer', 'external_id']);
      perform write_audit('delete', 'account', null, null, 'user', old.id::text, null, change.old_values, null);
    else
      perform write_audit('delete', 'account', null, null, 'user', null, null, null, null,
        jsonb_build_object('statement', tg_op, 'rows', (select count(*) from users)));
  end case;
  return null;
end $$;`

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const path = fixedSearchPath(schema)
  const definer = `returns trigger language plpgsql security definer ${path}`
  // The server's own writes say who acts, or that they are recorded apart (server/audit/actor.ts).
  const byHand = `(nullif(current_setting('app.actor', true), '') is null and nullif(current_setting('app.recorded', true), '') is null)`
  // Its writes name no actor: the route that asked for them records them.
  const byBetterAuth = `(nullif(current_setting('app.actor', true), '') is null and nullif(current_setting('app.recorded', true), '') is not null)`
  await run(
    db,
    `
${recordUsers(s, definer, ", 'name'")}
create trigger record_name after update of name on ${s}.users for each row
  when (old.name <> new.name) execute function ${s}.record_users();

-- The server's own writes of these are recorded with who made them.
create function ${s}.record_sign_in_by_hand() ${definer} as $$
declare
  whose integer;
begin
  if tg_op = 'DELETE' then whose := old.user_id; else whose := new.user_id; end if;
  if not exists (select from users where id = whose) then return null; end if;
  perform write_audit('update', 'account', null, null, 'user', whose::text, null, null, null, jsonb_build_object(
    'changed', case tg_table_name when 'two_factors' then 'two_factor' when 'users' then 'two_factor' else 'password' end, 'statement', tg_op));
  return null;
end $$;
create trigger record_by_hand after insert or delete or update of password, user_id, account_id, provider_id on ${s}.accounts for each row
  when ${byHand} execute function ${s}.record_sign_in_by_hand();
create trigger record_by_hand after insert or delete or update of secret, backup_codes, verified on ${s}.two_factors for each row
  when ${byHand} execute function ${s}.record_sign_in_by_hand();
create function ${s}.record_two_factor() ${definer} as $$
begin
  perform write_audit('update', 'account', null, null, 'user', new.id::text, null,
    jsonb_build_object('two_factor_enabled', old.two_factor_enabled), jsonb_build_object('two_factor_enabled', new.two_factor_enabled));
  return null;
end $$;
create trigger record_two_factor after update of two_factor_enabled on ${s}.users for each row
  when (old.two_factor_enabled <> new.two_factor_enabled and not ${byBetterAuth}) execute function ${s}.record_two_factor();

create table ${s}.password_resets (
  id uuid primary key default gen_random_uuid(),
  user_id integer not null references ${s}.users on delete cascade,
  token_sha256 bytea not null unique check (octet_length(token_sha256) = 32),
  -- null: asked for by mail, by whoever knows the address. What a deleted account made is no such link, and goes with it
  created_by integer references ${s}.users on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);
-- a new link ends the former ones
create index password_resets_user on ${s}.password_resets (user_id) where used_at is null;

-- A password that is set, in whatever way, ends the links that could set another one.
create function ${s}.end_password_resets() ${definer} as $$
begin
  update password_resets set expires_at = now() where user_id = new.user_id and used_at is null and expires_at > now();
  return null;
end $$;
create trigger end_password_resets_insert after insert on ${s}.accounts for each row
  when (new.password is not null) execute function ${s}.end_password_resets();
create trigger end_password_resets_update after update of password on ${s}.accounts for each row
  when (old.password is distinct from new.password) execute function ${s}.end_password_resets();

create function ${s}.record_person_link() ${definer} as $$
declare
  hidden constant text[] := array['token_sha256', 'created_at', 'id'];
  kind constant text := case tg_table_name when 'invitations' then 'invitation' else 'password_reset' end;
  before jsonb := case when tg_op in ('UPDATE', 'DELETE') then to_jsonb(old) - hidden end;
  after jsonb := case when tg_op in ('INSERT', 'UPDATE') then to_jsonb(new) - hidden end;
  change record;
begin
  if tg_op = 'UPDATE' then
    change := audit_changes(before, after, array(select jsonb_object_keys(after)));
    perform write_audit('update', 'account', null, null, kind, new.id::text, null, change.old_values, change.new_values,
      case when old.token_sha256 <> new.token_sha256 then '{"token_changed": true}'::jsonb end);
  else
    perform write_audit(case tg_op when 'INSERT' then 'create' else 'delete' end, 'account', null, null, kind,
      case tg_op when 'INSERT' then new.id::text else old.id::text end, null, before, after);
  end if;
  return null;
end $$;
create trigger record_row after insert or delete on ${s}.invitations for each row execute function ${s}.record_person_link();
create trigger record_update after update on ${s}.invitations for each row when (old.* is distinct from new.*)
  execute function ${s}.record_person_link();
create trigger record_row after insert on ${s}.password_resets for each row execute function ${s}.record_person_link();
create trigger record_update after update on ${s}.password_resets for each row when (old.* is distinct from new.*)
  execute function ${s}.record_person_link();
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const definer = `returns trigger language plpgsql security definer ${fixedSearchPath(schema)}`
  await run(
    db,
    `
drop trigger record_row on ${s}.invitations;
drop trigger record_update on ${s}.invitations;
drop trigger end_password_resets_insert on ${s}.accounts;
drop trigger end_password_resets_update on ${s}.accounts;
drop function ${s}.end_password_resets();
drop table ${s}.password_resets;
drop function ${s}.record_person_link();
drop trigger record_two_factor on ${s}.users;
drop function ${s}.record_two_factor();
drop trigger record_by_hand on ${s}.two_factors;
drop trigger record_by_hand on ${s}.accounts;
drop function ${s}.record_sign_in_by_hand();
drop trigger record_name on ${s}.users;
${recordUsers(s, definer, '')}
`,
  )
}
