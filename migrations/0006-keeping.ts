// What may be taken out of the trail, each by one function that records itself: whole months that are old enough,
// and the personal values of one person. Only the owner may call them; the server's role may not.
import type { Kysely } from 'kysely'
import { fixedSearchPath, literal, quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const path = fixedSearchPath(schema)
  await run(
    db,
    `
-- Drops the months that ended before keep ago, after a retention row that names them. Returns how many.
create function ${s}.drop_audit_partitions(keep interval) returns integer
language plpgsql security definer ${path} as $$
declare
  boundary timestamp := date_trunc('month', (clock_timestamp() - keep) at time zone 'UTC');
  month record;
  names text[] := '{}';
  dropped_rows bigint := 0;
  month_rows bigint;
begin
  if clock_timestamp() - keep > clock_timestamp() - interval '90 days' then
    raise exception 'the trail is kept for at least 90 days, not %', keep using errcode = 'invalid_parameter_value';
  end if;
  perform pg_advisory_xact_lock(hashtextextended(${literal(schema)} || '.audit_partitions', 0));
  if exists (select from audit_unsealed where timestamp < boundary at time zone 'UTC') then
    raise exception 'rows before % are not sealed yet: run seal_audit() first', boundary using errcode = 'object_not_in_prerequisite_state';
  end if;
  for month in
    select partition.relname from pg_inherits
    join pg_class partition on partition.oid = inhrelid
    where inhparent = ${literal(`${s}.audit_logs`)}::regclass and partition.relname ~ '^audit_logs_y[0-9]{4}m[0-9]{2}$'
      and to_date(right(partition.relname, 7), 'YYYY"m"MM') + interval '1 month' <= boundary
    order by partition.relname
  loop
    execute format('select count(*) from %I.%I', ${literal(schema)}, month.relname) into month_rows;
    names := names || month.relname::text;
    dropped_rows := dropped_rows + month_rows;
  end loop;
  if names = '{}' then return 0; end if;
  perform write_audit('retention', 'trail', null, null, 'audit_logs', null, null, null, null, jsonb_build_object(
    'before', to_char(boundary, 'YYYY-MM-DD"T"00:00:00"Z"'), 'partitions', names, 'rows', dropped_rows));
  for month in select unnest(names) as relname loop
    execute format('drop table %I.%I', ${literal(schema)}, month.relname);
  end loop;
  return cardinality(names);
end $$;

-- Takes the personal values of one user or guest, and the salt that could prove them, out of the rows that they
-- made or that are about them. Who did what by number stays; the chain keeps the salted hash. Returns how many rows.
create function ${s}.erase_audit(subject_user integer, subject_guest uuid default null) returns bigint
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
    or (action in ('permission_change', 'link_use', 'link_revoke', 'agent_grant')
      and (coalesce(new_values, old_values) ->> 'user_id' = subject_user::text or coalesce(new_values, old_values) ->> 'guest_id' = subject_guest::text))
    or (action = 'login_failed' and lower(details ->> 'email') = address));
  get diagnostics erased = row_count;
  perform set_config('boardroom.erasing', '', true);
  perform write_audit('erase', 'trail', null, null,
    case when subject_user is null then 'guest' else 'user' end, coalesce(subject_user::text, subject_guest::text),
    null, null, null, jsonb_build_object('rows', erased), erasure);
  return erased;
end $$;

-- Moves rows that fell into the default partition into partitions of their months. Returns how many.
create function ${s}.repair_audit_partitions() returns bigint
language plpgsql security definer ${path} as $$
declare
  moved bigint;
  month timestamp;
  partition text;
begin
  perform pg_advisory_xact_lock(hashtextextended(${literal(schema)} || '.audit_partitions', 0));
  lock table audit_logs in access exclusive mode;
  select count(*) into moved from audit_logs_default;
  if moved = 0 then return 0; end if;
  -- DELETE is refused, here too: the full table is put aside, copied out of, and dropped.
  alter table audit_logs detach partition audit_logs_default;
  alter table audit_logs_default rename to audit_logs_moving;
  create table ${s}.audit_logs_default partition of ${s}.audit_logs default;
  perform guard_audit_partition('audit_logs_default'::regclass);
  for month in select distinct date_trunc('month', timestamp at time zone 'UTC') from audit_logs_moving loop
    partition := 'audit_logs_' || to_char(month, '"y"YYYY"m"MM');
    execute format('create table %I.%I (like %1$I.audit_logs including defaults including constraints)', ${literal(schema)}, partition);
    execute format('insert into %I.%I select * from %1$I.audit_logs_moving where timestamp >= %3$L and timestamp < %4$L', ${literal(schema)}, partition,
      month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
    execute format('alter table %1$I.audit_logs attach partition %1$I.%2$I for values from (%3$L) to (%4$L)', ${literal(schema)}, partition,
      to_char(month, 'YYYY-MM-DD"T"00:00:00"Z"'), to_char(month + interval '1 month', 'YYYY-MM-DD"T"00:00:00"Z"'));
    perform guard_audit_partition(format('%I.%I', ${literal(schema)}, partition)::regclass);
  end loop;
  drop table audit_logs_moving;
  return moved;
end $$;

-- What the alarm looks at: rows in the default partition (should be 0), months made ahead (should be 1 or more).
create function ${s}.report_audit_partitions() returns table (default_rows bigint, months_ahead integer)
language sql stable security definer ${path} as $$
  select (select count(*) from audit_logs_default), count(*)::integer
  from pg_inherits join pg_class partition on partition.oid = inhrelid
  where inhparent = 'audit_logs'::regclass and partition.relname ~ '^audit_logs_y[0-9]{4}m[0-9]{2}$'
    and to_date(right(partition.relname, 7), 'YYYY"m"MM') > clock_timestamp() at time zone 'UTC'
$$;

revoke execute on function ${s}.drop_audit_partitions(interval), ${s}.erase_audit(integer, uuid),
  ${s}.repair_audit_partitions(), ${s}.report_audit_partitions() from public;
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop function ${s}.drop_audit_partitions(interval);
drop function ${s}.erase_audit(integer, uuid);
drop function ${s}.repair_audit_partitions();
drop function ${s}.report_audit_partitions();
`,
  )
}
