// Erasure finds what others did about an address too: their invitations of it, and levels given to it.
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
    or (resource_type = 'guest' and resource_id = subject_guest::text)
    or agent_id in (select id::text from agents where owner_id = subject_user)
    or (resource_type = 'agent' and resource_id in (select id::text from agents where owner_id = subject_user))
    or (resource_type = 'share_link' and resource_id in (select id::text from share_links where created_by = subject_user))${more}
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

const byAddress = `
    or (resource_type = 'invitation' and resource_id in (select id::text from invitations where accepted_by = subject_user))
    or address in (lower(old_values ->> 'email'), lower(new_values ->> 'email'), lower(details ->> 'email'),
      lower(old_values ->> 'user_email'), lower(new_values ->> 'user_email'), lower(details ->> 'user_email'))`

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  await run(db, eraseAudit(quoted(schema), fixedSearchPath(schema), byAddress))
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  await run(db, eraseAudit(quoted(schema), fixedSearchPath(schema), ''))
}
