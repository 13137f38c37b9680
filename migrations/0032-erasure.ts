// Whoever was erased stays so: what is recorded of them afterwards, like the end of their last connections, has no
// personal values from the beginning. Links that they made and agents that they own are erased with them.
import type { Kysely } from 'kysely'
import { fixedSearchPath, quoted, run } from './migration.ts'

const eraseAudit = (s: string, path: string, more: string): string => `
create or replace function ${s}.erase_audit(subject_user integer, subject_guest uuid default null) returns bigint
language plpgsql security definer ${path} as $$
declare
  erasure uuid := gen_random_uuid();
  address text := (select lower(email) from users where id = subject_user);
  erased bigint;
begin
  if num_nonnulls(subject_user, subject_guest) <> 1 then
    raise exception 'expected a user or a guest' using errcode = 'invalid_parameter_value';
  end if;
  perform set_config('boardroom.erasing', erasure::text, true);
  update audit_logs set
    actor_name = null, ip_address = null, user_agent = null, salt = null, erased_by = erasure,
    old_values = audit_public(old_values), new_values = audit_public(new_values), details = audit_public(details)
  where erased_by is null and (
    user_id = subject_user or guest_id = subject_guest
    or (resource_type = 'user' and resource_id = subject_user::text)
    or (resource_type = 'guest' and resource_id = subject_guest::text)${more}
    or (action in ('permission_change', 'link_use', 'link_revoke', 'agent_grant')
      and (coalesce(new_values, old_values) ->> 'user_id' = subject_user::text or coalesce(new_values, old_values) ->> 'guest_id' = subject_guest::text))
    or (action = 'login_failed' and lower(details ->> 'email') = address));
  get diagnostics erased = row_count;
  perform set_config('boardroom.erasing', '', true);
  perform write_audit('erase', 'trail', null, null,
    case when subject_user is null then 'guest' else 'user' end, coalesce(subject_user::text, subject_guest::text),
    null, null, null, jsonb_build_object('rows', erased), erasure);
  return erased;
end $$;`

const theirs = `
    or agent_id in (select id::text from agents where owner_id = subject_user)
    or (resource_type = 'agent' and resource_id in (select id::text from agents where owner_id = subject_user))
    or (resource_type = 'share_link' and resource_id in (select id::text from share_links where created_by = subject_user))`

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const path = fixedSearchPath(schema)
  await run(
    db,
    `
alter table ${s}.users add column erased_at timestamptz;
alter table ${s}.guests add column erased_at timestamptz;
${eraseAudit(s, path, theirs)}

create function ${s}.audit_forget_erased() returns trigger language plpgsql security definer ${path} as $$
begin
  if exists (select from users where id = new.user_id and erased_at is not null)
     or exists (select from guests where id = new.guest_id and erased_at is not null)
     or exists (select from agents a join users u on u.id = a.owner_id where a.id::text = new.agent_id and u.erased_at is not null) then
    new.actor_name := null;
    new.ip_address := null;
    new.user_agent := null;
    new.old_values := audit_public(new.old_values);
    new.new_values := audit_public(new.new_values);
    new.details := audit_public(new.details);
  end if;
  return new;
end $$;
create trigger forget_erased before insert on ${s}.audit_logs for each row
  when (num_nonnulls(new.user_id, new.guest_id, new.agent_id) > 0) execute function ${s}.audit_forget_erased();
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop trigger forget_erased on ${s}.audit_logs;
drop function ${s}.audit_forget_erased();
${eraseAudit(s, fixedSearchPath(schema), '')}
alter table ${s}.users drop column erased_at;
alter table ${s}.guests drop column erased_at;
`,
  )
}
