// Why a version was kept; and file contents stored once, however many boards show them.
import type { Kysely } from 'kysely'
import { fixedSearchPath, quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const definer = `returns trigger language plpgsql security definer ${fixedSearchPath(schema)}`
  await run(
    db,
    `
alter table ${s}.board_versions
  add column reason varchar(20) not null default 'automatic' check (reason in
    ('automatic', 'named', 'before_removal', 'before_restore', 'before_import', 'before_rebuild'));
update ${s}.board_versions set reason = case
  when name is not null then 'named' when created_by is not null then 'before_restore' else 'automatic' end
  where name is not null or created_by is not null;
alter table ${s}.board_versions add constraint board_versions_named
  check (case reason when 'named' then name is not null when 'before_rebuild' then true else name is null end);

-- Read through board_files alone: whoever knows a hash knows nothing of the content.
create table ${s}.file_contents (
  sha256 varchar(64) primary key check (sha256 ~ '^[0-9a-f]{64}$'),
  data bytea not null,
  -- written by every use, which so waits for a removal that is under way
  used_at timestamptz not null default now()
);
-- images are compressed already
alter table ${s}.file_contents alter column data set storage external;
insert into ${s}.file_contents (sha256, data)
  select distinct on (hash) hash, data
  from (select encode(sha256(data), 'hex') as hash, data from ${s}.board_files) as files order by hash;
alter table ${s}.board_files add column content varchar(64) references ${s}.file_contents;
update ${s}.board_files set content = encode(sha256(data), 'hex');
alter table ${s}.board_files
  alter column content set not null,
  drop constraint board_files_size,
  drop column data,
  add constraint board_files_size check (size >= 0),
  add constraint board_files_content check (id = content or id = 'thumbnail');
-- is this content still shown anywhere?
create index board_files_content on ${s}.board_files (content);

-- A content goes with the last file that shows it. Locked first and looked at again in a statement of its own, which
-- sees what whoever held the lock has left.
create function ${s}.forget_file_contents() ${definer} as $$
begin
  perform from file_contents c where c.sha256 in (select g.content from gone g) order by c.sha256 for update;
  delete from file_contents c where c.sha256 in (select g.content from gone g)
    and not exists (select from board_files f where f.content = c.sha256);
  return null;
end $$;
create trigger forget_deleted after delete on ${s}.board_files referencing old table as gone
  for each statement execute function ${s}.forget_file_contents();
create trigger forget_updated after update on ${s}.board_files referencing old table as gone
  for each statement execute function ${s}.forget_file_contents();
create function ${s}.forget_all_file_contents() ${definer} as $$
begin
  delete from file_contents;
  return null;
end $$;
create trigger forget_truncated after truncate on ${s}.board_files
  for each statement execute function ${s}.forget_all_file_contents();
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop trigger forget_deleted on ${s}.board_files;
drop trigger forget_updated on ${s}.board_files;
drop trigger forget_truncated on ${s}.board_files;
drop function ${s}.forget_file_contents();
drop function ${s}.forget_all_file_contents();
alter table ${s}.board_files add column data bytea;
update ${s}.board_files f set data = c.data from ${s}.file_contents c where c.sha256 = f.content;
alter table ${s}.board_files
  alter column data set not null,
  alter column data set storage external,
  drop constraint board_files_content,
  drop constraint board_files_size,
  drop column content,
  add constraint board_files_size check (size = octet_length(data));
drop table ${s}.file_contents;
alter table ${s}.board_versions drop constraint board_versions_named, drop column reason;
`,
  )
}
