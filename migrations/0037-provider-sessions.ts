// What the provider of single sign-on calls its own session, so that it can end ours (OpenID Connect back-channel logout).
import type { Kysely } from 'kysely'
import { quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
alter table ${s}.sessions add column provider_session text check (length(provider_session) between 1 and 255);
-- the session that the provider ends
create index sessions_provider on ${s}.sessions (provider_session) where provider_session is not null;
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
alter table ${s}.sessions drop column provider_session;
`,
  )
}
