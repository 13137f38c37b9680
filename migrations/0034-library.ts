// Shapes that are kept to be drawn again, by everybody and by the team.
import type { Kysely } from 'kysely'
import { quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
create table ${s}.library_items (
  id uuid primary key default gen_random_uuid(),
  -- null: the team's
  user_id integer references ${s}.users on delete cascade,
  name varchar(200) check (name <> ''),
  elements jsonb not null check (jsonb_typeof(elements) = 'array'),
  created_by integer references ${s}.users on delete set null,
  created_at timestamptz not null default clock_timestamp()
);
-- one library, in the order in which it grew
create index library_items_user on ${s}.library_items (user_id, created_at, id);
create index library_items_created_by on ${s}.library_items (created_by) where created_by is not null;
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  await run(db, `drop table ${quoted(schema)}.library_items;`)
}
