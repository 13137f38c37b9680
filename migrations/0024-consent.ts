// Consent in the form in which it is asked for: texts that stand once published, and records of who accepted which of
// them, that change in nothing but `withdrawn_at`. Both decide access: recorded and announced by trigger.
import { type Kysely, sql } from 'kysely'
import { fixedSearchPath, literal, quoted, run } from './migration.ts'

/** The categories that the trail takes now, in the order of its check. */
async function categoriesOf(db: Kysely<unknown>, schema: string): Promise<string[]> {
  const { rows } = await sql<{ definition: string }>`
    select pg_get_constraintdef(oid) as definition from pg_constraint
    where conname = 'audit_logs_category_check' and conrelid = ${`${quoted(schema)}.audit_logs`}::regclass`.execute(
    db,
  )
  return [...(rows[0]?.definition ?? '').matchAll(/'([a-z]+)'/g)].map(([, category]) => category ?? '')
}

/** Rows of a category stay when it goes: the trail is never rewritten. */
const categoryCheck = (s: string, categories: readonly string[], validity = ''): string => `
alter table ${s}.audit_logs drop constraint audit_logs_category_check;
alter table ${s}.audit_logs add constraint audit_logs_category_check
  check (category in (${categories.map(literal).join(', ')})) ${validity};`

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const definer = `returns trigger language plpgsql security definer ${fixedSearchPath(schema)}`
  const categories = await categoriesOf(db, schema)
  await run(
    db,
    `
${categoryCheck(s, [...new Set([...categories, 'consent'])])}

create function ${s}.is_text_list(value jsonb) returns boolean
language sql immutable parallel safe
return jsonb_typeof(value) = 'array' and not jsonb_path_exists(value, 'strict $[*] ? (@.type() != "string")');

-- Every text that was ever asked to be accepted. Never changed: a record names the versions that were accepted.
create table ${s}.consent_texts (
  id uuid primary key default gen_random_uuid(),
  -- null: the instance's
  board_id uuid references ${s}.boards on delete cascade,
  consent_version varchar(50) not null check (consent_version <> ''),
  privacy_policy_version varchar(50) not null check (privacy_policy_version <> ''),
  body text not null check (char_length(btrim(body)) between 1 and 200000),
  required_categories jsonb not null default '[]' check (${s}.is_text_list(required_categories)),
  optional_categories jsonb not null default '[]' check (${s}.is_text_list(optional_categories)),
  created_at timestamptz not null default now(),
  created_by integer references ${s}.users on delete set null,
  -- asked no more
  ended_at timestamptz,
  constraint consent_texts_once unique nulls not distinct (board_id, consent_version, privacy_policy_version)
);
-- what a board asks now, one text at most: the access decision
create unique index consent_texts_asked on ${s}.consent_texts (board_id) where ended_at is null and board_id is not null;

alter table ${s}.consent_records rename column recorded_at to accepted_at;
alter table ${s}.consent_records
  -- the evidence outlives the person's row, as the trail does
  drop constraint consent_records_user_id_fkey,
  drop constraint consent_records_guest_id_fkey,
  drop constraint consent_records_to_something,
  add column board_id uuid references ${s}.boards on delete cascade,
  add column withdrawn_at timestamptz,
  add column consent_categories jsonb not null default '[]',
  add column created_at timestamptz not null default now();
update ${s}.consent_records set
  withdrawn_at = case when not agreed then accepted_at end, created_at = accepted_at,
  consent_version = coalesce(consent_version, 'none'), privacy_policy_version = coalesce(privacy_policy_version, 'none');
-- of several that stand, the newest
update ${s}.consent_records r set withdrawn_at = r.accepted_at where r.withdrawn_at is null and exists (
  select from ${s}.consent_records n where n.withdrawn_at is null and (n.user_id, n.guest_id) is not distinct from (r.user_id, r.guest_id)
    and (n.consent_version, n.privacy_policy_version) = (r.consent_version, r.privacy_policy_version)
    and (n.accepted_at, n.id) > (r.accepted_at, r.id));
alter table ${s}.consent_records
  drop column agreed,
  alter column consent_version set not null,
  alter column privacy_policy_version set not null,
  add constraint consent_records_versions check (consent_version <> '' and privacy_policy_version <> ''),
  add constraint consent_records_categories check (${s}.is_text_list(consent_categories)),
  add constraint consent_records_order check (withdrawn_at >= accepted_at);
-- consents of a time
create index consent_records_accepted on ${s}.consent_records (accepted_at);
-- one that stands, a person, board (or instance) and version; what a board's purge takes along
create unique index consent_records_standing on ${s}.consent_records
  (user_id, guest_id, board_id, consent_version, privacy_policy_version) nulls not distinct where withdrawn_at is null;
create index consent_records_board on ${s}.consent_records (board_id) where board_id is not null;

-- A record is what somebody said: it changes in nothing but its withdrawal, which is final. An erasure takes the
-- address and the browser out of it and nothing else.
create function ${s}.guard_consent() ${definer} as $$
begin
  if (to_jsonb(new) - array['ip_address', 'user_agent']) = (to_jsonb(old) - array['ip_address', 'user_agent'])
     and new.ip_address is null and new.user_agent is null and nullif(current_setting('boardroom.erasing', true), '') is not null then
    return new;
  end if;
  if (to_jsonb(new) - 'withdrawn_at') <> (to_jsonb(old) - 'withdrawn_at') or old.withdrawn_at is not null then
    raise exception 'a consent record changes in nothing but withdrawn_at, once' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger guard_consent before update on ${s}.consent_records for each row when (old.* is distinct from new.*)
  execute function ${s}.guard_consent();

-- A text may only end.
create function ${s}.guard_consent_text() ${definer} as $$
begin
  if (to_jsonb(new) - array['ended_at', 'created_by']) <> (to_jsonb(old) - array['ended_at', 'created_by']) then
    raise exception 'a published text stays as it is: publish another version' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger guard_consent_text before update on ${s}.consent_texts for each row execute function ${s}.guard_consent_text();

-- The trail.
create function ${s}.record_consents() ${definer} as $$
declare
  told constant text[] := array['user_id', 'guest_id', 'consent_version', 'privacy_policy_version', 'consent_categories'];
  gone record;
begin
  if tg_op = 'TRUNCATE' then
    perform write_audit('consent', 'consent', null, null, 'consent_record', null, null, null, null,
      jsonb_build_object('statement', tg_op, 'rows', (select count(*) from consent_records)));
    return null;
  end if;
  if tg_op = 'INSERT' then
    perform write_audit('consent', 'consent', new.board_id, null, 'consent_record', new.id::text, null, null,
      (select jsonb_object_agg(key, to_jsonb(new) -> key) from unnest(told) as key));
  elsif tg_op = 'UPDATE' then
    perform write_audit('consent', 'consent', new.board_id, null, 'consent_record', new.id::text, null,
      (select jsonb_object_agg(key, to_jsonb(old) -> key) from unnest(told || array['withdrawn_at']) as key),
      (select jsonb_object_agg(key, to_jsonb(new) -> key) from unnest(told || array['withdrawn_at']) as key));
  elsif old.board_id is null or exists (select from boards where id = old.board_id) then
    perform write_audit('consent', 'consent', old.board_id, null, 'consent_record', old.id::text, null,
      (select jsonb_object_agg(key, to_jsonb(old) -> key) from unnest(told) as key), null, jsonb_build_object('statement', tg_op));
  end if;
  return null;
end $$;
create trigger record_row after insert or delete on ${s}.consent_records for each row execute function ${s}.record_consents();
create trigger record_update after update of withdrawn_at on ${s}.consent_records for each row
  when (old.withdrawn_at is distinct from new.withdrawn_at) execute function ${s}.record_consents();
create trigger record_truncate before truncate on ${s}.consent_records for each statement execute function ${s}.record_consents();

create function ${s}.record_consent_texts() ${definer} as $$
declare
  told constant text[] := array['consent_version', 'privacy_policy_version', 'required_categories', 'optional_categories', 'ended_at'];
  touched consent_texts;
begin
  for touched in
    select new.* where tg_op in ('INSERT', 'UPDATE') union all select old.* where tg_op = 'DELETE'
    union all select t.* from consent_texts t where tg_op = 'TRUNCATE'
  loop
    continue when tg_op = 'DELETE' and touched.board_id is not null and not exists (select from boards where id = touched.board_id);
    perform write_audit('permission_change', 'consent', touched.board_id, null, 'consent_text', touched.id::text, null,
      case when tg_op = 'UPDATE' then jsonb_build_object('consent_version', old.consent_version, 'ended_at', old.ended_at)
        when tg_op <> 'INSERT' then (select jsonb_object_agg(key, to_jsonb(touched) -> key) from unnest(told) as key) end,
      case when tg_op = 'UPDATE' then jsonb_build_object('consent_version', new.consent_version, 'ended_at', new.ended_at)
        when tg_op = 'INSERT' then (select jsonb_object_agg(key, to_jsonb(touched) -> key) from unnest(told) as key) end,
      jsonb_build_object('text_sha256', encode(sha256(convert_to(touched.body, 'UTF8')), 'hex')));
  end loop;
  return null;
end $$;
create trigger record_row after insert or delete on ${s}.consent_texts for each row execute function ${s}.record_consent_texts();
create trigger record_update after update of ended_at on ${s}.consent_texts for each row
  when (old.ended_at is distinct from new.ended_at) execute function ${s}.record_consent_texts();
create trigger record_truncate before truncate on ${s}.consent_texts for each statement execute function ${s}.record_consent_texts();

-- Live.
create trigger notify_user after insert or delete on ${s}.consent_records for each row execute function ${s}.notify_about('u:', 'user_id');
create trigger notify_guest after insert or delete on ${s}.consent_records for each row execute function ${s}.notify_about('g:', 'guest_id');
create trigger notify_update after update of withdrawn_at on ${s}.consent_records for each row
  when (old.withdrawn_at is distinct from new.withdrawn_at) execute function ${s}.notify_about('u:', 'user_id');
create trigger notify_update_guest after update of withdrawn_at on ${s}.consent_records for each row
  when (old.withdrawn_at is distinct from new.withdrawn_at) execute function ${s}.notify_about('g:', 'guest_id');
create trigger notify_truncate after truncate on ${s}.consent_records for each statement execute function ${s}.notify_everybody();
create trigger notify_row after insert or delete on ${s}.consent_texts for each row execute function ${s}.notify_about('b:', 'board_id');
create trigger notify_update after update of ended_at on ${s}.consent_texts for each row
  when (old.ended_at is distinct from new.ended_at) execute function ${s}.notify_about('b:', 'board_id');
create trigger notify_truncate after truncate on ${s}.consent_texts for each statement execute function ${s}.notify_everybody();
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const categories = await categoriesOf(db, schema)
  await run(
    db,
    `
drop table ${s}.consent_texts;
drop trigger record_row on ${s}.consent_records;
drop trigger record_update on ${s}.consent_records;
drop trigger record_truncate on ${s}.consent_records;
drop trigger notify_user on ${s}.consent_records;
drop trigger notify_guest on ${s}.consent_records;
drop trigger notify_update on ${s}.consent_records;
drop trigger notify_update_guest on ${s}.consent_records;
drop trigger notify_truncate on ${s}.consent_records;
drop trigger guard_consent on ${s}.consent_records;
drop function ${s}.guard_consent();
drop function ${s}.guard_consent_text();
drop function ${s}.record_consents();
drop function ${s}.record_consent_texts();
drop index ${s}.consent_records_accepted;
drop index ${s}.consent_records_standing;
-- people who are gone have no place in the older form
delete from ${s}.consent_records r where board_id is not null
  or not exists (select from ${s}.users u where u.id = r.user_id union all select from ${s}.guests g where g.id = r.guest_id);
alter table ${s}.consent_records
  drop constraint consent_records_versions, drop constraint consent_records_categories, drop constraint consent_records_order,
  add column agreed boolean not null default true;
update ${s}.consent_records set agreed = withdrawn_at is null;
alter table ${s}.consent_records
  alter column agreed drop default,
  alter column consent_version drop not null,
  alter column privacy_policy_version drop not null,
  drop column board_id, drop column withdrawn_at, drop column consent_categories, drop column created_at,
  add constraint consent_records_to_something check (num_nonnulls(consent_version, privacy_policy_version) >= 1),
  add constraint consent_records_user_id_fkey foreign key (user_id) references ${s}.users on delete cascade,
  add constraint consent_records_guest_id_fkey foreign key (guest_id) references ${s}.guests on delete cascade;
alter table ${s}.consent_records rename column accepted_at to recorded_at;
drop function ${s}.is_text_list(jsonb);
${categoryCheck(
  s,
  categories.filter((category) => category !== 'consent'),
  'not valid',
)}
`,
  )
}
