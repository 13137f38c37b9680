// Service keys can do something: scopes say what, a rotation leaves the former secret good for a while, and `hint` is
// what a person recognises a key by. Each change is recorded; no secret of either age is.
import type { Kysely } from 'kysely'
import { fixedSearchPath, quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
alter table ${s}.service_keys
  add column scopes text[] not null default '{}' check (cardinality(scopes) <= 30),
  add column hint varchar(20),
  -- what the key was before it was rotated, and until when that is still good
  add column former_sha256 bytea unique check (octet_length(former_sha256) = 32),
  add column former_until timestamptz,
  add column rotated_at timestamptz,
  add constraint service_keys_former check ((former_sha256 is null) = (former_until is null));

create function ${s}.record_service_keys() returns trigger language plpgsql security definer ${fixedSearchPath(schema)} as $$
declare
  shown constant text[] := array['name', 'issuer', 'scopes', 'expires_at', 'revoked_at', 'former_until'];
  change record;
begin
  change := audit_changes(case when tg_op = 'INSERT' then '{}' else to_jsonb(old) end,
    case when tg_op = 'DELETE' then '{}' else to_jsonb(new) end, shown);
  perform write_audit(case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end,
    'account', null, null, 'service_key', case when tg_op = 'DELETE' then old.id else new.id end::text, null,
    case when tg_op <> 'INSERT' then change.old_values end, case when tg_op <> 'DELETE' then change.new_values end,
    case when tg_op = 'UPDATE' and old.token_sha256 <> new.token_sha256 then '{"token_changed": true}'::jsonb end);
  return null;
end $$;
drop trigger record_row on ${s}.service_keys;
drop trigger record_update on ${s}.service_keys;
drop trigger record_truncate on ${s}.service_keys;
create trigger record_row after insert or delete on ${s}.service_keys for each row execute function ${s}.record_service_keys();
create trigger record_update after update of name, issuer, scopes, token_sha256, former_sha256, former_until, expires_at, revoked_at
  on ${s}.service_keys for each row when (
    (old.name, old.issuer, old.scopes, old.token_sha256, old.former_sha256, old.former_until, old.expires_at, old.revoked_at)
    is distinct from
    (new.name, new.issuer, new.scopes, new.token_sha256, new.former_sha256, new.former_until, new.expires_at, new.revoked_at))
  execute function ${s}.record_service_keys();
create function ${s}.record_service_keys_gone() returns trigger language plpgsql security definer ${fixedSearchPath(schema)} as $$
declare
  gone service_keys;
begin
  for gone in select * from service_keys loop
    perform write_audit('delete', 'account', null, null, 'service_key', gone.id::text, null,
      jsonb_build_object('name', gone.name, 'issuer', gone.issuer, 'scopes', gone.scopes, 'revoked_at', gone.revoked_at),
      null, jsonb_build_object('statement', tg_op));
  end loop;
  return null;
end $$;
create trigger record_truncate before truncate on ${s}.service_keys for each statement execute function ${s}.record_service_keys_gone();
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop trigger record_row on ${s}.service_keys;
drop trigger record_update on ${s}.service_keys;
drop trigger record_truncate on ${s}.service_keys;
drop function ${s}.record_service_keys();
drop function ${s}.record_service_keys_gone();
alter table ${s}.service_keys drop constraint service_keys_former, drop column scopes, drop column hint,
  drop column former_sha256, drop column former_until, drop column rotated_at;
create trigger record_row after insert or delete on ${s}.service_keys for each row execute function ${s}.record_row();
create trigger record_update after update of name, issuer, token_sha256, expires_at, revoked_at on ${s}.service_keys for each row
  when ((old.name, old.issuer, old.token_sha256, old.expires_at, old.revoked_at) is distinct from (new.name, new.issuer, new.token_sha256, new.expires_at, new.revoked_at))
  execute function ${s}.record_row();
create trigger record_truncate before truncate on ${s}.service_keys for each statement execute function ${s}.record_row();
`,
  )
}
