// Every column that decides access is recorded by trigger, whoever changes it: in the same transaction, as the
// transaction's actor, or as sql with the database user. Secrets are left out: that they changed is what is said.
import type { Kysely } from 'kysely'
import { fixedSearchPath, quoted, run } from './migration.ts'

const tables = [
  'boards',
  'board_permissions',
  'share_links',
  'share_link_uses',
  'users',
  'user_agent_permissions',
  'agents',
  'service_keys',
  'guests',
]

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  // A definer's rights, so that whoever may change a row need not be able to write the trail.
  const definer = `returns trigger language plpgsql security definer ${fixedSearchPath(schema)}`
  await run(
    db,
    `
-- Of two rows, the keys that differ: their old and new values; null and null where none does.
create function ${s}.audit_changes(before jsonb, after jsonb, keys text[], out old_values jsonb, out new_values jsonb)
language sql immutable parallel safe
begin atomic
  select jsonb_object_agg(key, before -> key), jsonb_object_agg(key, after -> key)
  from unnest(keys) as key where before -> key is distinct from after -> key;
end;

create function ${s}.record_boards() ${definer} as $$
declare
  deciding constant text[] := array['owner_id', 'is_public', 'members_level'];
  change record;
  gone boards;
begin
  if tg_op = 'INSERT' then
    perform write_audit('create', 'board', new.id, null, 'board', new.id::text, new.members_level, null, jsonb_build_object(
      'title', new.title, 'owner_id', new.owner_id, 'is_public', new.is_public, 'members_level', new.members_level));
  elsif tg_op = 'UPDATE' then
    change := audit_changes(to_jsonb(old), to_jsonb(new), deciding);
    if change.new_values is not null then
      perform write_audit('permission_change', 'permission', new.id, null, 'board', new.id::text,
        coalesce(new.members_level, case when new.is_public then 'view' end), change.old_values, change.new_values);
    end if;
    if old.title <> new.title then
      perform write_audit('update', 'board', new.id, null, 'board', new.id::text, null,
        jsonb_build_object('title', old.title), jsonb_build_object('title', new.title));
    end if;
    if (old.deleted_at is null) <> (new.deleted_at is null) then
      perform write_audit(case when new.deleted_at is null then 'restore' else 'delete' end, 'board', new.id, null, 'board', new.id::text, null,
        jsonb_build_object('deleted_at', old.deleted_at), jsonb_build_object('deleted_at', new.deleted_at));
    end if;
  else
    -- Before the row goes, and for all that goes with it, which is not recorded row by row.
    for gone in select old.* where tg_op = 'DELETE' union all select boards.* from boards where tg_op = 'TRUNCATE' loop
      perform write_audit('delete', 'board', gone.id, null, 'board', gone.id::text, null, jsonb_build_object(
        'title', gone.title, 'owner_id', gone.owner_id, 'is_public', gone.is_public, 'members_level', gone.members_level,
        'permissions', (select coalesce(jsonb_agg(jsonb_build_object('user_id', p.user_id, 'level', p.level) order by p.id), '[]') from board_permissions p where p.board_id = gone.id),
        'share_links', (select coalesce(jsonb_agg(l.id order by l.created_at), '[]') from share_links l where l.board_id = gone.id)),
        null, jsonb_build_object('purged', true, 'statement', tg_op));
    end loop;
    return old;
  end if;
  return null;
end $$;
create trigger record_insert after insert on ${s}.boards for each row execute function ${s}.record_boards();
create trigger record_update after update of owner_id, is_public, members_level, title, deleted_at on ${s}.boards
  for each row when (old.* is distinct from new.*) execute function ${s}.record_boards();
create trigger record_delete before delete on ${s}.boards for each row execute function ${s}.record_boards();
create trigger record_truncate before truncate on ${s}.boards for each statement execute function ${s}.record_boards();

create function ${s}.record_board_permissions() ${definer} as $$
declare
  gone record;
begin
  if tg_op = 'TRUNCATE' then
    for gone in
      select board_id, jsonb_agg(jsonb_build_object('id', id, 'user_id', user_id, 'level', level) order by id) as rows
      from board_permissions group by board_id
    loop
      perform write_audit('permission_change', 'permission', gone.board_id, null, 'board_permission', null, null,
        jsonb_build_object('permissions', gone.rows), null, jsonb_build_object('statement', tg_op));
    end loop;
    return null;
  end if;
  -- A purged board's permissions stand in its own row.
  if tg_op = 'DELETE' and not exists (select from boards where id = old.board_id) then return null; end if;
  if tg_op = 'UPDATE' and old.board_id = new.board_id then
    perform write_audit('permission_change', 'permission', new.board_id, null, 'board_permission', new.id::text, new.level,
      jsonb_build_object('user_id', old.user_id, 'level', old.level), jsonb_build_object('user_id', new.user_id, 'level', new.level));
    return null;
  end if;
  if tg_op <> 'INSERT' then
    perform write_audit('permission_change', 'permission', old.board_id, null, 'board_permission', old.id::text, old.level,
      jsonb_build_object('user_id', old.user_id, 'level', old.level), null);
  end if;
  if tg_op <> 'DELETE' then
    perform write_audit('permission_change', 'permission', new.board_id, null, 'board_permission', new.id::text, new.level,
      null, jsonb_build_object('user_id', new.user_id, 'level', new.level));
  end if;
  return null;
end $$;
create trigger record_insert after insert or delete on ${s}.board_permissions for each row execute function ${s}.record_board_permissions();
create trigger record_update after update of board_id, user_id, level on ${s}.board_permissions for each row
  when ((old.board_id, old.user_id, old.level) is distinct from (new.board_id, new.user_id, new.level))
  execute function ${s}.record_board_permissions();
create trigger record_truncate before truncate on ${s}.board_permissions for each statement execute function ${s}.record_board_permissions();

create function ${s}.record_share_links() ${definer} as $$
declare
  deciding constant text[] := array['board_id', 'level', 'label', 'has_password', 'expires_at', 'max_uses', 'created_by'];
  link share_links;
  change record;
  secrets jsonb;
begin
  if tg_op = 'INSERT' then
    change := audit_changes('{}', to_jsonb(new) || jsonb_build_object('has_password', new.password_hash is not null), deciding);
    perform write_audit('link_create', 'link', new.board_id, new.id, 'share_link', new.id::text, new.level, null, change.new_values);
    return null;
  end if;
  if tg_op = 'UPDATE' then
    if old.revoked_at is null and new.revoked_at is not null then
      perform write_audit('link_revoke', 'link', new.board_id, new.id, 'share_link', new.id::text, new.level,
        jsonb_build_object('revoked_at', null), jsonb_build_object('revoked_at', new.revoked_at));
    end if;
    change := audit_changes(
      to_jsonb(old) || jsonb_build_object('has_password', old.password_hash is not null),
      to_jsonb(new) || jsonb_build_object('has_password', new.password_hash is not null),
      deciding || case when new.revoked_at is null then array['revoked_at'] else array[]::text[] end);
    secrets := nullif(jsonb_strip_nulls(jsonb_build_object(
      'password_changed', case when old.password_hash is distinct from new.password_hash then true end,
      'token_changed', case when old.token_sha256 <> new.token_sha256 then true end)), '{}');
    if change.new_values is not null or secrets is not null then
      perform write_audit('update', 'link', new.board_id, new.id, 'share_link', new.id::text, new.level, change.old_values, change.new_values, secrets);
    end if;
    return null;
  end if;
  for link in select old.* where tg_op = 'DELETE' union all select l.* from share_links l where tg_op = 'TRUNCATE' loop
    continue when not exists (select from boards where id = link.board_id);
    change := audit_changes(to_jsonb(link) || jsonb_build_object('has_password', link.password_hash is not null), '{}', deciding || array['revoked_at']);
    perform write_audit('link_revoke', 'link', link.board_id, link.id, 'share_link', link.id::text, link.level, change.old_values, null,
      jsonb_build_object('statement', tg_op));
  end loop;
  return null;
end $$;
create trigger record_row after insert or delete on ${s}.share_links for each row execute function ${s}.record_share_links();
create trigger record_update after update of board_id, level, token_sha256, label, password_hash, expires_at, max_uses, revoked_at, created_by
  on ${s}.share_links for each row when (old.* is distinct from new.*) execute function ${s}.record_share_links();
create trigger record_truncate before truncate on ${s}.share_links for each statement execute function ${s}.record_share_links();

create function ${s}.record_share_link_uses() ${definer} as $$
declare
  use record;
  given boolean := tg_op = 'INSERT' or (tg_op = 'UPDATE' and new.revoked_at is null);
begin
  for use in
    select touched.*, l.board_id, l.level from (
      select new.* where tg_op in ('INSERT', 'UPDATE')
      union all select old.* where tg_op = 'DELETE'
      union all select u.* from share_link_uses u where tg_op = 'TRUNCATE'
    ) touched
    join share_links l on l.id = touched.link_id
    -- A guest who is swept away has lost everything already.
    where tg_op <> 'DELETE' or touched.guest_id is null or exists (select from guests where id = touched.guest_id)
  loop
    perform write_audit(case when given then 'link_use' else 'link_revoke' end, 'link', use.board_id, use.link_id, 'share_link_use', use.id::text, use.level,
      case when not given then jsonb_build_object('user_id', use.user_id, 'guest_id', use.guest_id, 'guest_name', use.name) end,
      case when given then jsonb_build_object('user_id', use.user_id, 'guest_id', use.guest_id, 'guest_name', use.name) end,
      case when tg_op <> 'INSERT' then jsonb_build_object('statement', tg_op) end);
  end loop;
  return null;
end $$;
create trigger record_row after insert or delete on ${s}.share_link_uses for each row execute function ${s}.record_share_link_uses();
create trigger record_update after update of link_id, user_id, guest_id, revoked_at on ${s}.share_link_uses for each row
  when ((old.link_id, old.user_id, old.guest_id, old.revoked_at is null) is distinct from (new.link_id, new.user_id, new.guest_id, new.revoked_at is null))
  execute function ${s}.record_share_link_uses();
create trigger record_truncate before truncate on ${s}.share_link_uses for each statement execute function ${s}.record_share_link_uses();

create function ${s}.record_users() ${definer} as $$
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
      change := audit_changes(to_jsonb(old), to_jsonb(new), array['is_active', 'email', 'issuer', 'external_id', 'banned']);
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
end $$;
create trigger record_row after insert or delete on ${s}.users for each row execute function ${s}.record_users();
create trigger record_update after update of role, is_active, email, issuer, external_id, banned on ${s}.users
  for each row when (old.* is distinct from new.*) execute function ${s}.record_users();
create trigger record_truncate before truncate on ${s}.users for each statement execute function ${s}.record_users();

-- Agent grants, agents, service keys and living guests: the whole row but its secrets and its bookkeeping.
create function ${s}.record_row() ${definer} as $$
declare
  hidden constant text[] := array['token_sha256', 'last_used_at', 'created_at', 'id'];
  action constant text := case when tg_table_name in ('agents', 'user_agent_permissions') then 'agent_grant'
    else case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end end;
  category constant text := case when action = 'agent_grant' then 'agent' else 'account' end;
  kind constant text := case tg_table_name when 'agents' then 'agent' when 'guests' then 'guest'
    when 'service_keys' then 'service_key' else 'user_agent_permission' end;
  before jsonb := case when tg_op in ('UPDATE', 'DELETE') then to_jsonb(old) end;
  after jsonb := case when tg_op in ('INSERT', 'UPDATE') then to_jsonb(new) end;
  gone jsonb;
begin
  if tg_op = 'TRUNCATE' then
    for gone in execute format('select to_jsonb(t) from %I.%I t', tg_table_schema, tg_table_name) loop
      perform write_audit(action, category, (gone ->> 'board_id')::uuid, null, kind, gone ->> 'id', null, gone - hidden, null, jsonb_build_object('statement', tg_op));
    end loop;
  else
    perform write_audit(action, category, (coalesce(after, before) ->> 'board_id')::uuid, null, kind, coalesce(after, before) ->> 'id', null,
      before - hidden, after - hidden,
      case when before ->> 'token_sha256' <> after ->> 'token_sha256' then '{"token_changed": true}'::jsonb end);
  end if;
  return null;
end $$;
create trigger record_row after insert or delete on ${s}.user_agent_permissions for each row execute function ${s}.record_row();
create trigger record_update after update on ${s}.user_agent_permissions for each row when (old.* is distinct from new.*) execute function ${s}.record_row();
create trigger record_truncate before truncate on ${s}.user_agent_permissions for each statement execute function ${s}.record_row();
create trigger record_row after insert or delete on ${s}.agents for each row execute function ${s}.record_row();
create trigger record_update after update of name, token_sha256, is_active on ${s}.agents for each row
  when ((old.name, old.token_sha256, old.is_active) is distinct from (new.name, new.token_sha256, new.is_active)) execute function ${s}.record_row();
create trigger record_truncate before truncate on ${s}.agents for each statement execute function ${s}.record_row();
create trigger record_row after insert or delete on ${s}.service_keys for each row execute function ${s}.record_row();
create trigger record_update after update of name, issuer, token_sha256, expires_at, revoked_at on ${s}.service_keys for each row
  when ((old.name, old.issuer, old.token_sha256, old.expires_at, old.revoked_at) is distinct from (new.name, new.issuer, new.token_sha256, new.expires_at, new.revoked_at))
  execute function ${s}.record_row();
create trigger record_truncate before truncate on ${s}.service_keys for each statement execute function ${s}.record_row();
create trigger record_delete after delete on ${s}.guests for each row when (old.expires_at > clock_timestamp()) execute function ${s}.record_row();
create trigger record_truncate before truncate on ${s}.guests for each statement execute function ${s}.record_row();
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const triggers = ['record_row', 'record_insert', 'record_update', 'record_delete', 'record_truncate']
  const drops = tables.flatMap((table) =>
    triggers.map((trigger) => `drop trigger if exists ${trigger} on ${s}.${table};`),
  )
  await run(
    db,
    `${drops.join('\n')}
drop function ${s}.record_boards();
drop function ${s}.record_board_permissions();
drop function ${s}.record_share_links();
drop function ${s}.record_share_link_uses();
drop function ${s}.record_users();
drop function ${s}.record_row();
drop function ${s}.audit_changes(jsonb, jsonb, text[]);
`,
  )
}
