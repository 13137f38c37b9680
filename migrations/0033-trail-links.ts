// The trail of one link.
import type { Kysely } from 'kysely'
import { quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
-- what came in by one link, newest first
create index audit_logs_link on ${s}.audit_logs (link_id, timestamp) where link_id is not null;
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  await run(db, `drop index ${quoted(schema)}.audit_logs_link;`)
}
