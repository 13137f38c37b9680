// The last active sysadmin stays and can come in, whoever asks: a route, a command, or somebody who types SQL.
import type { Kysely } from 'kysely'
import { fixedSearchPath, literal, quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const path = fixedSearchPath(schema)
  await run(
    db,
    `
-- Two who take the role from each other at one moment: the second waits until the first is done. At read committed it
-- sees then what the first did. At higher levels it sees what it began with, so it locks the rows that it counts on,
-- which fails where one has changed since.
create function ${s}.await_sysadmins() returns void language plpgsql security definer ${path} as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(${literal(`${schema}.last_sysadmin`)}, 0));
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    perform from users where role = 'sysadmin' and is_active and not banned for share;
    perform from accounts where user_id in (select id from users where role = 'sysadmin' and is_active and not banned) for share;
  end if;
end $$;
create function ${s}.keep_a_sysadmin() returns trigger language plpgsql security definer ${path} as $$
begin
  perform await_sysadmins();
  if tg_op = 'TRUNCATE' then
    if exists (select from users where role = 'sysadmin') then
      raise exception 'this would remove the last sysadmin; delete the rows that are to go'
        using errcode = 'check_violation', constraint = 'users_last_sysadmin';
    end if;
  elsif not exists (select from users where role = 'sysadmin' and is_active and not banned) then
    raise exception 'this is the last active sysadmin; give somebody else that role first'
      using errcode = 'check_violation', constraint = 'users_last_sysadmin';
  end if;
  return null;
end $$;
create trigger keep_a_sysadmin_update after update of role, is_active, banned on ${s}.users for each row
  when (old.role = 'sysadmin' and old.is_active and not old.banned
    and not (new.role = 'sysadmin' and new.is_active and not new.banned))
  execute function ${s}.keep_a_sysadmin();
create trigger keep_a_sysadmin_delete after delete on ${s}.users for each row
  when (old.role = 'sysadmin' and old.is_active and not old.banned)
  execute function ${s}.keep_a_sysadmin();
create trigger keep_a_sysadmin_truncate before truncate on ${s}.users for each statement
  execute function ${s}.keep_a_sysadmin();

-- What a sysadmin signs in with goes only while another one can come in. Users of an embedder sign in elsewhere.
create function ${s}.keep_a_way_in() returns trigger language plpgsql security definer ${path} as $$
begin
  perform await_sysadmins();
  if tg_op <> 'TRUNCATE' and not exists (select from users where id = old.user_id and role = 'sysadmin' and is_active) then
    return null;
  end if;
  if exists (
    select from users u where u.role = 'sysadmin' and u.is_active and not u.banned and (u.issuer is not null
      or tg_op <> 'TRUNCATE' and exists (
        select from accounts a where a.user_id = u.id and (a.provider_id <> 'credential' or a.password is not null)))
  ) or not exists (select from users where role = 'sysadmin') then
    return null;
  end if;
  raise exception 'the last active sysadmin would have no way to sign in; give somebody else that role first'
    using errcode = 'check_violation', constraint = 'users_last_sysadmin';
end $$;
create trigger keep_a_way_in_delete after delete on ${s}.accounts for each row execute function ${s}.keep_a_way_in();
create trigger keep_a_way_in_update after update of user_id, provider_id, password on ${s}.accounts for each row
  when (old.user_id <> new.user_id or old.provider_id <> new.provider_id or old.password is not null and new.password is null)
  execute function ${s}.keep_a_way_in();
create trigger keep_a_way_in_truncate before truncate on ${s}.accounts for each statement execute function ${s}.keep_a_way_in();
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop trigger keep_a_sysadmin_update on ${s}.users;
drop trigger keep_a_sysadmin_delete on ${s}.users;
drop trigger keep_a_sysadmin_truncate on ${s}.users;
drop function ${s}.keep_a_sysadmin();
drop trigger keep_a_way_in_delete on ${s}.accounts;
drop trigger keep_a_way_in_update on ${s}.accounts;
drop trigger keep_a_way_in_truncate on ${s}.accounts;
drop function ${s}.keep_a_way_in();
drop function ${s}.await_sysadmins();
`,
  )
}
