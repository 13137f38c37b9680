// Whether the trail has counted a row of the agents' journal. Rows that there were are counted; so are those of the version
// before, which writes its own line of the trail: only who says that a row is not leaves that to later.
import type { Kysely } from 'kysely'
import { quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
alter table ${s}.agent_edits add column in_trail boolean not null default true;
-- what the trail is still to be told
create index agent_edits_untold on ${s}.agent_edits (id) where not in_trail;
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
alter table ${s}.agent_edits drop column in_trail;
`,
  )
}
