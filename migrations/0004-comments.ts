// Threads pinned to a place on the board, their comments, and how far each reader has come.
import type { Kysely } from 'kysely'
import { quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const principal = (column: string) =>
    `${column} ~ '^(user|guest|agent|anonymous):.' or ${column} = 'system'`
  await run(
    db,
    `
create table ${s}.threads (
  id uuid primary key default gen_random_uuid(),
  board_id uuid not null references ${s}.boards on delete cascade,
  anchor jsonb not null check (
    jsonb_typeof(anchor) = 'object'
    and jsonb_typeof(anchor -> 'x') is not distinct from 'number'
    and jsonb_typeof(anchor -> 'y') is not distinct from 'number'
    and coalesce(jsonb_typeof(anchor -> 'element_id'), 'string') = 'string'
    and anchor - 'x' - 'y' - 'element_id' = '{}'
  ),
  created_by varchar(100) not null check (${principal('created_by')}),
  created_by_name varchar(100) not null,
  created_at timestamptz not null default now(),
  resolved_at timestamptz,
  resolved_by varchar(100) check (${principal('resolved_by')}),
  constraint threads_resolved check ((resolved_at is null) = (resolved_by is null))
);
-- threads of a board, newest first
create index threads_board on ${s}.threads (board_id, created_at desc);

create table ${s}.comments (
  id uuid primary key default gen_random_uuid(),
  thread_id uuid not null references ${s}.threads on delete cascade,
  author varchar(100) not null check (${principal('author')}),
  author_name varchar(100) not null,
  body text not null check (char_length(body) between 1 and 10000),
  created_at timestamptz not null default now(),
  edited_at timestamptz,
  deleted_at timestamptz
);
-- comments of a thread, oldest first; unread ones
create index comments_thread on ${s}.comments (thread_id, created_at);

create table ${s}.comment_reads (
  thread_id uuid not null references ${s}.threads on delete cascade,
  reader varchar(100) not null check (${principal('reader')}),
  read_at timestamptz not null default now(),
  primary key (thread_id, reader)
);
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(db, `drop table ${s}.comment_reads, ${s}.comments, ${s}.threads;`)
}
