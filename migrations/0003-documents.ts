// What a room leaves behind: the durable log, what it was folded into, who wrote, versions and files.
import type { Kysely } from 'kysely'
import { quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
create table ${s}.board_updates (
  board_id uuid not null references ${s}.boards on delete cascade,
  seq bigint generated always as identity,
  data bytea not null check (octet_length(data) > 0),
  created_at timestamptz not null default now(),
  -- the log of one board, in order; seq is not commit order, so nothing ever asks for "all rows up to a number"
  primary key (board_id, seq)
);

create table ${s}.board_snapshots (
  board_id uuid primary key references ${s}.boards on delete cascade,
  state bytea not null,
  checksum bytea not null check (octet_length(checksum) between 4 and 64),
  created_at timestamptz not null default now()
);
-- as it is sent: no time is spent on compressing what is rewritten as a whole and read as a whole
alter table ${s}.board_snapshots alter column state set storage external;

create table ${s}.board_authors (
  board_id uuid not null references ${s}.boards on delete cascade,
  client_id bigint not null check (client_id >= 0),
  -- retired: an id of the document that was there before a rebuild; nobody may bring it in again
  principal varchar(100) not null check (principal ~ '^(user|guest|agent|anonymous):.' or principal in ('system', 'retired')),
  first_seen timestamptz not null default now(),
  -- clocks that somebody else brought in for an absent owner: compared when the owner comes back
  relayed_by varchar(100),
  relayed_from bigint check (relayed_from >= 0),
  relayed_to bigint,
  primary key (board_id, client_id),
  constraint board_authors_relayed check (num_nonnulls(relayed_by, relayed_from, relayed_to) in (0, 3) and relayed_to > relayed_from)
);

create table ${s}.board_versions (
  id uuid primary key default gen_random_uuid(),
  board_id uuid not null references ${s}.boards on delete cascade,
  name varchar(100) check (char_length(btrim(name)) >= 1),
  state bytea not null,
  checksum bytea not null check (octet_length(checksum) between 4 and 64),
  created_by integer references ${s}.users on delete set null,
  created_at timestamptz not null default now()
);
alter table ${s}.board_versions alter column state set storage external;
-- versions of a board, newest first; which automatic ones to keep
create index board_versions_board on ${s}.board_versions (board_id, created_at desc);

create table ${s}.board_files (
  board_id uuid not null references ${s}.boards on delete cascade,
  -- the content's sha-256 in lower-case hex; or 'thumbnail', of which a board has one
  id varchar(64) not null check (id ~ '^[0-9a-f]{64}$' or id = 'thumbnail'),
  mime varchar(100) not null check (mime ~ '^[a-z]+/[a-z0-9.+-]+$'),
  size integer not null,
  data bytea not null,
  created_by varchar(100) check (created_by ~ '^(user|guest|agent|anonymous):.' or created_by = 'system'),
  created_at timestamptz not null default now(),
  primary key (board_id, id),
  constraint board_files_size check (size = octet_length(data))
);
-- images are compressed already
alter table ${s}.board_files alter column data set storage external;
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `drop table ${s}.board_files, ${s}.board_versions, ${s}.board_authors, ${s}.board_snapshots, ${s}.board_updates;`,
  )
}
