// The trail: partitions by month, append-only for its owner too. Every function that needs the owner's rights is
// a security definer with a fixed search_path.
import type { Kysely } from 'kysely'
import { fixedSearchPath, literal, quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const path = fixedSearchPath(schema)
  await run(
    db,
    `
create table ${s}.audit_logs (
  id uuid not null default gen_random_uuid(),
  timestamp timestamptz not null default clock_timestamp(),
  action varchar(50) not null check (action in (
    'access', 'leave', 'access_denied', 'read', 'permission_change', 'create', 'update', 'delete', 'restore',
    'link_create', 'link_use', 'link_revoke', 'comment', 'export', 'login', 'logout', 'login_failed', 'role_change',
    'agent_grant', 'consent', 'retention', 'erase')),
  category varchar(20) not null check (category in (
    'access', 'permission', 'board', 'link', 'comment', 'account', 'agent', 'trail')),
  actor_kind varchar(10) not null check (actor_kind in ('user', 'guest', 'agent', 'system', 'sql', 'anonymous')),
  actor_name varchar(200),
  user_id integer,
  guest_id uuid,
  agent_id varchar(100),
  -- no foreign key: history outlives the board
  board_id uuid,
  link_id uuid,
  resource_type varchar(50),
  resource_id varchar(100),
  permission_level varchar(20) check (permission_level in ('view', 'comment', 'edit')),
  old_values jsonb check (jsonb_typeof(old_values) = 'object'),
  new_values jsonb check (jsonb_typeof(new_values) = 'object'),
  details jsonb check (jsonb_typeof(details) = 'object'),
  ip_address varchar(45),
  user_agent varchar(500),
  session_id varchar(100),
  -- what personal values are hashed with; null only where erased_by names the row that says so
  salt bytea default uuid_send(gen_random_uuid()) check (octet_length(salt) = 16),
  erased_by uuid,
  primary key (timestamp, id),
  constraint audit_logs_board_action check (
    board_id is not null or action = 'access_denied' or category not in ('access', 'permission', 'board', 'link', 'comment')),
  constraint audit_logs_erased check ((salt is null) = (erased_by is not null))
) partition by range (timestamp);
-- the trail of a board, of a user, of one action, of one category, newest first; the history of one thing
create index audit_logs_board on ${s}.audit_logs (board_id, timestamp);
create index audit_logs_user on ${s}.audit_logs (user_id, timestamp);
create index audit_logs_action on ${s}.audit_logs (action, timestamp);
create index audit_logs_category on ${s}.audit_logs (category, timestamp);
create index audit_logs_resource on ${s}.audit_logs (resource_type, resource_id);
-- what one erasure took away
create index audit_logs_erased on ${s}.audit_logs (erased_by) where erased_by is not null;

-- Rows that are not in the chain yet. A queue and not a search, because timestamps are not commit order.
create table ${s}.audit_unsealed (
  timestamp timestamptz not null,
  id uuid not null,
  primary key (timestamp, id)
);

create table ${s}.audit_chain (
  seq bigint primary key check (seq > 0),
  audit_timestamp timestamptz not null,
  audit_id uuid not null,
  content_hash bytea not null check (octet_length(content_hash) = 32),
  personal_hash bytea not null check (octet_length(personal_hash) = 32),
  prev_hash bytea not null check (octet_length(prev_hash) = 32),
  hash bytea not null unique check (octet_length(hash) = 32),
  sealed_at timestamptz not null default clock_timestamp(),
  -- a row is sealed once; is this row sealed?
  unique (audit_timestamp, audit_id)
);

-- The processes that hold connections: one without ended_at whose advisory lock is free was lost, and the next
-- start writes the leave rows of its connections.
create table ${s}.servers (
  id uuid primary key,
  host text not null,
  pid integer not null,
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz
);

create function ${s}.audit_guard_insert() returns trigger
language plpgsql ${path} as $$
begin
  if abs(extract(epoch from clock_timestamp() - new.timestamp)) > 900 then
    raise exception 'an audit row is written when it happens: % is not now', new.timestamp using errcode = 'check_violation';
  end if;
  if new.salt is null or new.erased_by is not null then
    raise exception 'an audit row is not erased at birth' using errcode = 'check_violation';
  end if;
  -- invoker's rights on purpose: inside the owner's functions current_user is the owner
  if new.action in ('retention', 'erase')
     and current_user <> (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
    raise exception 'only the functions that do it record %', new.action using errcode = 'insufficient_privilege';
  end if;
  insert into audit_unsealed (timestamp, id) values (new.timestamp, new.id);
  return new;
end $$;

-- UPDATE passes in one form alone: erase_audit() taking personal values away. Both halves are checked here, so
-- that an owner who types the setting by hand can erase no more than that, and verification counts it.
create function ${s}.audit_guard_change() returns trigger
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
       and (to_jsonb(new) - audit_erasable_columns()) = (to_jsonb(old) - audit_erasable_columns()) then
      return new;
    end if;
  end if;
  raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'insufficient_privilege';
end $$;

create function ${s}.audit_personal_keys() returns text[]
language sql immutable parallel safe
return array['name', 'email', 'user_name', 'user_email', 'guest_name', 'owner_name', 'label', 'ip_address', 'user_agent'];

create function ${s}.audit_erasable_columns() returns text[]
language sql immutable parallel safe
return array['actor_name', 'ip_address', 'user_agent', 'old_values', 'new_values', 'details', 'salt', 'erased_by'];

-- What stays of a JSON value when its personal keys are taken away.
create function ${s}.audit_public(value jsonb) returns jsonb
language sql immutable parallel safe
return value - ${s}.audit_personal_keys();

create trigger guard_insert before insert on ${s}.audit_logs
  for each row execute function ${s}.audit_guard_insert();
create trigger guard_row before update or delete on ${s}.audit_logs
  for each row execute function ${s}.audit_guard_change();
-- an UPDATE that matches no row is refused as well
create trigger guard_statement before update or delete or truncate on ${s}.audit_logs
  for each statement execute function ${s}.audit_guard_change();
create trigger guard_statement before update or delete or truncate on ${s}.audit_chain
  for each statement execute function ${s}.audit_guard_change();

-- Writes one row as the transaction's actor (the setting app.actor, as server/audit/actor.ts writes it). Without
-- one the change was made by hand: kind sql, with the database user, its address and its application_name.
create function ${s}.write_audit(
  action text, category text, board_id uuid, link_id uuid, resource_type text, resource_id text,
  permission_level text, old_values jsonb, new_values jsonb, details jsonb default null, id uuid default gen_random_uuid()
) returns void
language plpgsql ${path} as $$
declare
  actor jsonb := nullif(current_setting('app.actor', true), '')::jsonb;
begin
  insert into audit_logs (
    id, action, category, board_id, link_id, resource_type, resource_id, permission_level, old_values, new_values, details,
    actor_kind, actor_name, user_id, guest_id, agent_id, session_id, ip_address, user_agent)
  values (
    id, action, category, board_id, link_id, resource_type, resource_id, permission_level, old_values, new_values, details,
    coalesce(actor ->> 'kind', 'sql'),
    case when actor is null then session_user else left(actor ->> 'name', 200) end,
    (actor ->> 'user_id')::integer, (actor ->> 'guest_id')::uuid, left(actor ->> 'agent_id', 100), left(actor ->> 'session_id', 100),
    case when actor is null then host(inet_client_addr()) else left(actor ->> 'ip', 45) end,
    case when actor is null then nullif(current_setting('application_name'), '') else left(actor ->> 'user_agent', 500) end);
end $$;

-- A partition's own guards: statement triggers, TRUNCATE among them, are not inherited.
create function ${s}.guard_audit_partition(partition regclass) returns void
language plpgsql ${path} as $$
begin
  execute format('create trigger guard_statement before update or delete or truncate on %s
    for each statement execute function %I.audit_guard_change()', partition, ${literal(schema)});
end $$;

create table ${s}.audit_logs_default partition of ${s}.audit_logs default;
select ${s}.guard_audit_partition(${literal(`${s}.audit_logs_default`)}::regclass);

-- The current month and so many after it; what exists already stays. Returns how many were made. A month of which
-- the default partition holds rows is left to repair_audit_partitions().
create function ${s}.make_audit_partitions(months_ahead integer default 3) returns integer
language plpgsql security definer ${path} as $$
declare
  month timestamp;
  made integer := 0;
  partition text;
begin
  if months_ahead not between 0 and 24 then
    raise exception 'months_ahead must be 0 to 24, not %', months_ahead using errcode = 'invalid_parameter_value';
  end if;
  perform pg_advisory_xact_lock(hashtextextended(${literal(schema)} || '.audit_partitions', 0));
  for month in
    select generate_series(this_month, this_month + make_interval(months => months_ahead), interval '1 month')
    from date_trunc('month', clock_timestamp() at time zone 'UTC') as this_month
  loop
    partition := 'audit_logs_' || to_char(month, '"y"YYYY"m"MM');
    continue when to_regclass(format('%I.%I', ${literal(schema)}, partition)) is not null;
    continue when exists (
      select from audit_logs_default
      where timestamp >= month at time zone 'UTC' and timestamp < (month + interval '1 month') at time zone 'UTC');
    execute format('create table %1$I.%2$I partition of %1$I.audit_logs for values from (%3$L) to (%4$L)', ${literal(schema)}, partition,
      to_char(month, 'YYYY-MM-DD"T"00:00:00"Z"'), to_char(month + interval '1 month', 'YYYY-MM-DD"T"00:00:00"Z"'));
    perform guard_audit_partition(format('%I.%I', ${literal(schema)}, partition)::regclass);
    made := made + 1;
  end loop;
  return made;
end $$;
select ${s}.make_audit_partitions();
revoke execute on function ${s}.make_audit_partitions(integer), ${s}.guard_audit_partition(regclass) from public;
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop table ${s}.servers, ${s}.audit_chain, ${s}.audit_unsealed, ${s}.audit_logs;
drop function ${s}.make_audit_partitions(integer);
drop function ${s}.guard_audit_partition(regclass);
drop function ${s}.write_audit(text, text, uuid, uuid, text, text, text, jsonb, jsonb, jsonb, uuid);
drop function ${s}.audit_guard_insert();
drop function ${s}.audit_guard_change();
drop function ${s}.audit_public(jsonb);
drop function ${s}.audit_personal_keys();
drop function ${s}.audit_erasable_columns();
`,
  )
}
