// Records looked up among very many: all of them, newest first, and the one that has a value.
import type { Kysely } from 'kysely'
import { quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
-- records of every template, newest first
create index board_records_newest on ${s}.board_records (created_at desc, id desc) where deleted_at is null;
-- the record that has this value, in whatever field
create index board_record_keys_value on ${s}.board_record_keys (value, template_code);
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop index ${s}.board_record_keys_value;
drop index ${s}.board_records_newest;
`,
  )
}
