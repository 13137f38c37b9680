// Templates with versions and approval, and the records of boards made from them. What must be unique among records is
// kept by trigger in a table of its own, so that the schema of a template says it and an index holds it.
import type { Kysely } from 'kysely'
import { sql } from 'kysely'
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

/** Keys of JSON values in the trail that an erasure takes away. */
async function personalKeysOf(db: Kysely<unknown>, schema: string): Promise<string[]> {
  const { rows } = await sql<{ keys: string[] }>`
    select ${sql.raw(quoted(schema))}.audit_personal_keys() as keys`.execute(db)
  return rows[0]?.keys ?? []
}

const categoryCheck = (s: string, categories: readonly string[], validity = ''): string => `
alter table ${s}.audit_logs drop constraint audit_logs_category_check;
alter table ${s}.audit_logs add constraint audit_logs_category_check
  check (category in (${categories.map(literal).join(', ')})) ${validity};`

const personalKeys = (s: string, keys: readonly string[]): string => `
create or replace function ${s}.audit_personal_keys() returns text[]
language sql immutable parallel safe
return array[${keys.map(literal).join(', ')}];`

/** What a record holds stands in the trail under this key, so that an erasure takes it. */
const recordKey = 'record_values'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const definer = `returns trigger language plpgsql security definer ${fixedSearchPath(schema)}`
  const categories = await categoriesOf(db, schema)
  const keys = await personalKeysOf(db, schema)
  await run(
    db,
    `
${categoryCheck(s, [...new Set([...categories, 'template'])])}
${personalKeys(s, [...new Set([...keys, recordKey])])}

-- No version of Boardroom wrote a row in the older form.
delete from ${s}.board_templates;
alter table ${s}.board_templates
  drop column state,
  add column code varchar(64) not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]*$'),
  add column category varchar(50) not null check (char_length(btrim(category)) >= 1),
  add column version integer not null check (version > 0),
  add column is_current boolean not null default false,
  add column previous_version_id uuid references ${s}.board_templates on delete set null,
  add column content jsonb not null check (jsonb_typeof(content -> 'elements') = 'array'),
  add column variables_schema jsonb not null check (jsonb_typeof(variables_schema) = 'object'),
  -- told from the schema: what no two records may share, and what not everybody may see
  add column unique_fields jsonb not null default '[]' check (${s}.is_text_list(unique_fields)),
  add column masked_fields jsonb not null default '[]' check (${s}.is_text_list(masked_fields)),
  add column board_types jsonb not null default '[]' check (${s}.is_text_list(board_types)),
  add column is_required boolean not null default false,
  add column display_order integer not null default 0,
  add column approved_by integer references ${s}.users on delete set null,
  add column approved_at timestamptz,
  add column approval_notes varchar(2000),
  add constraint board_templates_version unique (code, version),
  add constraint board_templates_current_is_approved check (not is_current or approved_at is not null);
-- exactly one current version a code
create unique index board_templates_one_current on ${s}.board_templates (code) where is_current;
-- the library: current ones of a category, in their order
create index board_templates_library on ${s}.board_templates (is_current, category, display_order, name);
-- what waits for approval; versions that follow one
create index board_templates_waiting on ${s}.board_templates (created_at) where approved_at is null;
create index board_templates_previous on ${s}.board_templates (previous_version_id) where previous_version_id is not null;

-- A version that was sent in stays as it is: boards say which one they were made from.
create function ${s}.guard_template() ${definer} as $$
declare
  may_change constant text[] := array['is_current', 'display_order', 'previous_version_id', 'approved_by', 'approved_at', 'approval_notes', 'created_by', 'updated_at'];
begin
  if (to_jsonb(new) - may_change) <> (to_jsonb(old) - may_change) then
    raise exception 'a version of a template stays as it is: make another version' using errcode = 'restrict_violation';
  end if;
  if old.approved_at is not null and new.approved_at is distinct from old.approved_at then
    raise exception 'an approval is not taken back' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger guard_template before update on ${s}.board_templates for each row execute function ${s}.guard_template();

alter table ${s}.boards add column board_type varchar(50) check (board_type ~ '^[A-Za-z0-9][A-Za-z0-9_.-]*$');

-- What a board made from a template knows of what it is about, one row a board.
create table ${s}.board_records (
  id uuid primary key default gen_random_uuid(),
  board_id uuid not null unique references ${s}.boards on delete cascade,
  template_id uuid not null references ${s}.board_templates on delete restrict,
  -- of the template, for the list
  template_code varchar(64) not null,
  variables jsonb not null check (jsonb_typeof(variables) = 'object'),
  -- what it is found by, folded by the server; national ids are not in it
  search_key text not null default '',
  created_at timestamptz not null default now(),
  created_by integer references ${s}.users on delete set null,
  updated_at timestamptz not null default now(),
  updated_by integer references ${s}.users on delete set null,
  deleted_at timestamptz
);
-- records of one template, newest first
create index board_records_list on ${s}.board_records (template_code, created_at desc, id desc) where deleted_at is null;
-- boards made from this version
create index board_records_template on ${s}.board_records (template_id);

-- Values that no two living records of a template code may share. Kept by trigger.
create table ${s}.board_record_keys (
  template_code varchar(64) not null,
  field varchar(100) not null,
  value text not null,
  record_id uuid not null references ${s}.board_records on delete cascade,
  primary key (template_code, field, value)
);
create index board_record_keys_record on ${s}.board_record_keys (record_id);

create function ${s}.keep_record_keys() ${definer} as $$
begin
  if tg_op = 'UPDATE' then
    delete from board_record_keys where record_id = new.id;
  end if;
  if new.deleted_at is null then
    insert into board_record_keys (template_code, field, value, record_id)
    select new.template_code, field, new.variables ->> field, new.id
    from board_templates t cross join lateral jsonb_array_elements_text(t.unique_fields) as field
    where t.id = new.template_id and new.variables ->> field is not null;
  end if;
  return null;
end $$;
create trigger keep_keys_insert after insert on ${s}.board_records for each row execute function ${s}.keep_record_keys();
create trigger keep_keys_update after update of variables, deleted_at, template_id, template_code on ${s}.board_records
  for each row execute function ${s}.keep_record_keys();

create function ${s}.guard_record() ${definer} as $$
begin
  new.template_code := (select code from board_templates where id = new.template_id);
  return new;
end $$;
create trigger guard_record before insert or update of template_id, template_code on ${s}.board_records for each row
  execute function ${s}.guard_record();

-- The end of a national id, which says whose it is to nobody who does not know it already.
create function ${s}.masked_id(value text) returns text
language sql immutable parallel safe
return case when value is null then null when char_length(value) > 4 then repeat('*', char_length(value) - 2) || right(value, 2) else '****' end;

create function ${s}.masked_record(variables jsonb, masked jsonb) returns jsonb
language sql immutable parallel safe
return variables || coalesce((
  select jsonb_object_agg(field, ${s}.masked_id(variables ->> field)) from jsonb_array_elements_text(masked) as field
  where variables ->> field is not null), '{}');

-- The trail.
create function ${s}.record_templates() ${definer} as $$
declare
  told constant text[] := array['code', 'version', 'category', 'board_types', 'is_required', 'is_current', 'display_order', 'approved_by', 'approved_at', 'approval_notes', 'previous_version_id'];
  touched board_templates;
  change record;
begin
  if tg_op = 'UPDATE' then
    change := audit_changes(to_jsonb(old), to_jsonb(new), told);
    if change.new_values is null then return null; end if;
    perform write_audit('update', 'template', null, null, 'board_template', new.id::text, null, change.old_values, change.new_values,
      jsonb_build_object('code', new.code, 'version', new.version));
    return null;
  end if;
  for touched in
    select new.* where tg_op = 'INSERT' union all select old.* where tg_op = 'DELETE'
    union all select t.* from board_templates t where tg_op = 'TRUNCATE'
  loop
    change := audit_changes('{}', jsonb_strip_nulls(to_jsonb(touched)), told);
    perform write_audit(case tg_op when 'INSERT' then 'create' else 'delete' end, 'template', null, null, 'board_template', touched.id::text, null,
      case when tg_op <> 'INSERT' then change.new_values end, case when tg_op = 'INSERT' then change.new_values end,
      jsonb_build_object('title', touched.name));
  end loop;
  return null;
end $$;
create trigger record_row after insert or delete on ${s}.board_templates for each row execute function ${s}.record_templates();
create trigger record_update after update on ${s}.board_templates for each row when (old.* is distinct from new.*)
  execute function ${s}.record_templates();
create trigger record_truncate before truncate on ${s}.board_templates for each statement execute function ${s}.record_templates();

create function ${s}.record_records() ${definer} as $$
declare
  touched board_records;
  masked jsonb;
  before jsonb;
  after jsonb;
  changed text[];
begin
  for touched in
    select new.* where tg_op in ('INSERT', 'UPDATE') union all select old.* where tg_op = 'DELETE'
    union all select r.* from board_records r where tg_op = 'TRUNCATE'
  loop
    -- a purged board's record goes with it
    continue when tg_op = 'DELETE' and not exists (select from boards where id = touched.board_id);
    masked := (select t.masked_fields from board_templates t where t.id = touched.template_id);
    if tg_op = 'UPDATE' then
      changed := array(select key from jsonb_object_keys(old.variables || new.variables) as key
        where old.variables -> key is distinct from new.variables -> key);
      before := coalesce((select jsonb_object_agg(key, old.variables -> key) from unnest(changed) as key), '{}');
      after := coalesce((select jsonb_object_agg(key, new.variables -> key) from unnest(changed) as key), '{}');
      continue when cardinality(changed) = 0 and old.deleted_at is not distinct from new.deleted_at;
      perform write_audit(
        case when (old.deleted_at is null) = (new.deleted_at is null) then 'update' when new.deleted_at is null then 'restore' else 'delete' end,
        'board', touched.board_id, null, 'board_record', touched.id::text, null,
        jsonb_build_object('${recordKey}', masked_record(before, masked), 'deleted_at', old.deleted_at),
        jsonb_build_object('${recordKey}', masked_record(after, masked), 'deleted_at', new.deleted_at),
        jsonb_build_object('template', touched.template_code, 'fields', to_jsonb(changed)));
    else
      perform write_audit(case tg_op when 'INSERT' then 'create' else 'delete' end, 'board', touched.board_id, null, 'board_record', touched.id::text, null,
        case when tg_op <> 'INSERT' then jsonb_build_object('${recordKey}', masked_record(touched.variables, masked)) end,
        case when tg_op = 'INSERT' then jsonb_build_object('${recordKey}', masked_record(touched.variables, masked)) end,
        jsonb_build_object('template', touched.template_code));
    end if;
  end loop;
  return null;
end $$;
create trigger record_row after insert or delete on ${s}.board_records for each row execute function ${s}.record_records();
create trigger record_update after update on ${s}.board_records for each row when (old.* is distinct from new.*)
  execute function ${s}.record_records();
create trigger record_truncate before truncate on ${s}.board_records for each statement execute function ${s}.record_records();
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const categories = await categoriesOf(db, schema)
  const keys = await personalKeysOf(db, schema)
  // Rows of the trail are hashed with the keys of their time: one that was used stays.
  const { rows } = await sql<{ used: boolean }>`
    select exists (select from ${sql.raw(quoted(schema))}.audit_logs where resource_type = 'board_record') as used`.execute(
    db,
  )
  await run(
    db,
    `
drop table ${s}.board_record_keys, ${s}.board_records;
alter table ${s}.boards drop column board_type;
drop trigger record_row on ${s}.board_templates;
drop trigger record_update on ${s}.board_templates;
drop trigger record_truncate on ${s}.board_templates;
drop trigger guard_template on ${s}.board_templates;
delete from ${s}.board_templates;
drop index ${s}.board_templates_one_current;
drop index ${s}.board_templates_library;
drop index ${s}.board_templates_waiting;
alter table ${s}.board_templates
  drop constraint board_templates_version, drop constraint board_templates_current_is_approved,
  drop column code, drop column category, drop column version, drop column is_current, drop column previous_version_id,
  drop column content, drop column variables_schema, drop column unique_fields, drop column masked_fields,
  drop column board_types, drop column is_required, drop column display_order, drop column approved_by,
  drop column approved_at, drop column approval_notes,
  add column state bytea not null;
drop function ${s}.guard_template();
drop function ${s}.guard_record();
drop function ${s}.keep_record_keys();
drop function ${s}.record_templates();
drop function ${s}.record_records();
drop function ${s}.masked_record(jsonb, jsonb);
drop function ${s}.masked_id(text);
${personalKeys(
  s,
  keys.filter((key) => rows[0]?.used === true || key !== recordKey),
)}
${categoryCheck(
  s,
  categories.filter((category) => category !== 'template'),
  'not valid',
)}
`,
  )
}
