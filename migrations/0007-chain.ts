// The chain over the trail: what enters a hash, sealing, and checking. Whoever checks leaves nothing behind.
import type { Kysely } from 'kysely'
import { fixedSearchPath, literal, quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const path = fixedSearchPath(schema)
  await run(
    db,
    `
-- A row without its personal values, in canonical form: Postgres's binary form of the columns below, each with its
-- type and length, so that no two rows read alike. Stable and without sub-queries, so that the planner writes it
-- into the query that asks.
create function ${s}.audit_content_hash(entry ${s}.audit_logs) returns bytea
language sql stable parallel safe
return sha256(record_send(row(
  (entry).id, (entry).timestamp, (entry).action, (entry).category, (entry).actor_kind, (entry).user_id, (entry).guest_id,
  (entry).agent_id, (entry).board_id, (entry).link_id, (entry).resource_type, (entry).resource_id, (entry).permission_level,
  ${s}.audit_public((entry).old_values), ${s}.audit_public((entry).new_values), ${s}.audit_public((entry).details),
  (entry).session_id)));

-- A row's personal values, salted: nobody can guess them back once the salt is gone.
create function ${s}.audit_personal_hash(entry ${s}.audit_logs) returns bytea
language sql stable parallel safe
return sha256(record_send(row(
  (entry).salt, (entry).actor_name, (entry).ip_address, (entry).user_agent,
  case when (entry).old_values ?| ${s}.audit_personal_keys() then (entry).old_values end,
  case when (entry).new_values ?| ${s}.audit_personal_keys() then (entry).new_values end,
  case when (entry).details ?| ${s}.audit_personal_keys() then (entry).details end)));

create function ${s}.audit_chain_hash(prev_hash bytea, seq bigint, content_hash bytea, personal_hash bytea) returns bytea
language sql immutable parallel safe
return sha256(prev_hash || int8send(seq) || content_hash || personal_hash);

-- What stands before the first entry, and for a row that was gone before it could be sealed: 32 times 0.
create function ${s}.audit_nothing() returns bytea
language sql immutable parallel safe
return '\\x0000000000000000000000000000000000000000000000000000000000000000'::bytea;

-- Appends rows that wait to the chain, at most so many. Returns how many; null where another process is at it.
create function ${s}.seal_audit(most integer default 1000) returns integer
language plpgsql security definer ${path} as $$
declare
  last_seq bigint;
  last_hash bytea;
  waiting record;
  timestamps timestamptz[] := '{}';
  ids uuid[] := '{}';
  contents bytea[] := '{}';
  personals bytea[] := '{}';
  hashes bytea[];
begin
  if not pg_try_advisory_xact_lock(hashtextextended(${literal(schema)} || '.audit_chain', 0)) then return null; end if;
  select chain.seq, chain.hash into last_seq, last_hash from audit_chain chain order by chain.seq desc limit 1;
  last_seq := coalesce(last_seq, 0);
  hashes := array[coalesce(last_hash, audit_nothing())];
  for waiting in
    select unsealed.timestamp, unsealed.id, entry.id is null as is_gone,
      audit_content_hash(entry) as content_hash, audit_personal_hash(entry) as personal_hash
    from (select u.timestamp, u.id from audit_unsealed u order by u.timestamp, u.id limit most) unsealed
    left join audit_logs entry on entry.timestamp = unsealed.timestamp and entry.id = unsealed.id
    order by unsealed.timestamp, unsealed.id
  loop
    timestamps := timestamps || waiting.timestamp;
    ids := ids || waiting.id;
    -- A row that was taken away before it could be sealed is missing for ever.
    contents := contents || case when waiting.is_gone then audit_nothing() else waiting.content_hash end;
    personals := personals || case when waiting.is_gone then audit_nothing() else waiting.personal_hash end;
    hashes := hashes || audit_chain_hash(hashes[cardinality(hashes)], last_seq + cardinality(ids), contents[cardinality(ids)], personals[cardinality(ids)]);
  end loop;
  insert into audit_chain (seq, audit_timestamp, audit_id, content_hash, personal_hash, prev_hash, hash)
  select last_seq + n, timestamps[n], ids[n], contents[n], personals[n], hashes[n], hashes[n + 1]
  from generate_series(1, cardinality(ids)) as n;
  delete from audit_unsealed u using unnest(timestamps, ids) as sealed (timestamp, id)
  where u.timestamp = sealed.timestamp and u.id = sealed.id;
  return cardinality(ids);
end $$;

-- Checks the entries first_seq to last_seq against each other and against their rows; newest_before is the newest
-- row that was sealed before them. One line: how many entries, how many of them erased, the newest row up to here,
-- and the first problem, if any.
create function ${s}.verify_audit_chain(first_seq bigint, last_seq bigint, newest_before timestamptz default null)
returns table (entries bigint, erased bigint, newest timestamptz, problem text, problem_seq bigint, problem_timestamp timestamptz, problem_id uuid)
language plpgsql stable security definer ${path} set work_mem = '64MB' as $$
#variable_conflict use_column
declare
  oldest timestamptz;
  latest timestamptz;
  dropped_before timestamptz := (select max((details ->> 'before')::timestamptz) from audit_logs where action = 'retention');
begin
  -- Entries that follow each other are of rows that followed each other: only those are read. (offset 0 keeps the
  -- planner from looking for the minimum along the index on timestamps, through all of the chain.)
  select min(audit_timestamp), max(audit_timestamp) into oldest, latest
  from (select audit_timestamp from audit_chain where seq between first_seq and last_seq offset 0) stretch;
  return query
  with checked as (
    select chain.seq, chain.audit_timestamp, chain.audit_id, entry.erased_by is not null as is_erased,
      case
        when chain.seq <> coalesce(lag(chain.seq) over links + 1, first_seq) then 'entry_missing'
        when chain.prev_hash <> coalesce(lag(chain.hash) over links,
            (select earlier.hash from audit_chain earlier where earlier.seq = first_seq - 1), audit_nothing())
          or chain.hash <> audit_chain_hash(chain.prev_hash, chain.seq, chain.content_hash, chain.personal_hash)
          then 'entry_changed'
        when entry.id is null then case when chain.audit_timestamp < dropped_before then null else 'row_missing' end
        when chain.content_hash <> audit_content_hash(entry) then 'row_changed'
        when entry.erased_by is null and chain.personal_hash <> audit_personal_hash(entry) then 'row_changed'
        when chain.audit_timestamp < greatest(newest_before, max(chain.audit_timestamp) over (
            order by chain.seq rows between unbounded preceding and 1 preceding)) - interval '15 minutes'
          then 'row_out_of_order'
      end as problem
    from audit_chain chain
    left join audit_logs entry on entry.timestamp = chain.audit_timestamp and entry.id = chain.audit_id
      and entry.timestamp between oldest and latest
    where chain.seq between first_seq and last_seq
    window links as (order by chain.seq)
  ), counted as (
    select count(*) as entries, count(*) filter (where is_erased) as erased,
      greatest(newest_before, max(audit_timestamp)) as newest, min(seq) filter (where problem is not null) as problem_seq
    from checked
  )
  select counted.entries, counted.erased, counted.newest, checked.problem, checked.seq, checked.audit_timestamp, checked.audit_id
  from counted left join checked on checked.seq = counted.problem_seq;
end $$;

-- Looks at the next rows after one, in order of time, for one without an entry though it is older than a minute.
-- One line: how many rows, the last of them, and the first that is unsealed.
create function ${s}.verify_audit_rows(after_timestamp timestamptz, after_id uuid, most integer)
returns table (rows bigint, last_timestamp timestamptz, last_id uuid, unsealed_timestamp timestamptz, unsealed_id uuid)
language sql stable security definer ${path} as $$
  with part as (
    select entry.timestamp, entry.id from audit_logs entry
    where (entry.timestamp, entry.id) > (after_timestamp, after_id)
    order by entry.timestamp, entry.id limit most
  ), unsealed as (
    select part.timestamp, part.id from part
    where part.timestamp < clock_timestamp() - interval '1 minute'
      and not exists (select from audit_chain chain where chain.audit_timestamp = part.timestamp and chain.audit_id = part.id)
    order by part.timestamp, part.id limit 1
  ), last as (
    select part.timestamp, part.id from part order by part.timestamp desc, part.id desc limit 1
  )
  select (select count(*) from part), last.timestamp, last.id, unsealed.timestamp, unsealed.id
  from (select) one left join last on true left join unsealed on true
$$;

-- The first erased row that no erase row speaks for: unknown, or more rows than it says.
create function ${s}.verify_audit_erasures() returns table (problem_timestamp timestamptz, problem_id uuid)
language sql stable security definer ${path} as $$
  select taken.first_timestamp, taken.first_id from (
    select erased_by, count(*) as rows, min(timestamp) as first_timestamp, (array_agg(id order by timestamp, id))[1] as first_id
    from audit_logs where erased_by is not null group by erased_by
  ) taken
  left join audit_logs erasure on erasure.action = 'erase' and erasure.id = taken.erased_by
  where erasure.id is null or taken.rows > (erasure.details ->> 'rows')::bigint
  order by 1, 2 limit 1
$$;

revoke execute on function ${s}.seal_audit(integer), ${s}.verify_audit_chain(bigint, bigint, timestamptz),
  ${s}.verify_audit_rows(timestamptz, uuid, integer), ${s}.verify_audit_erasures() from public;
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop function ${s}.seal_audit(integer);
drop function ${s}.verify_audit_chain(bigint, bigint, timestamptz);
drop function ${s}.verify_audit_rows(timestamptz, uuid, integer);
drop function ${s}.verify_audit_erasures();
drop function ${s}.audit_nothing();
drop function ${s}.audit_chain_hash(bytea, bigint, bytea, bytea);
drop function ${s}.audit_personal_hash(${s}.audit_logs);
drop function ${s}.audit_content_hash(${s}.audit_logs);
`,
  )
}
