// What is committed beside an update of a board (rows of the trail and of the agents' journal) is written once, however often
// the commit is tried and by whichever node.
import type { Kysely } from 'kysely'
import { quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
create table ${s}.side_rows_written (
  id uuid primary key,
  written_at timestamptz not null default now()
);
-- those that nobody tries any more
create index side_rows_written_at on ${s}.side_rows_written (written_at);
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop table ${s}.side_rows_written;
`,
  )
}
