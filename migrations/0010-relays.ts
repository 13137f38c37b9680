// Clocks that somebody brought in under the client id of somebody who was away: several people may have, one after
// the other. The columns of 0003 held one run, and nothing was ever written to them.
import type { Kysely } from 'kysely'
import { quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const authors = `${quoted(schema)}.board_authors`
  await run(
    db,
    `alter table ${authors}
       drop constraint board_authors_relayed, drop column relayed_by, drop column relayed_from, drop column relayed_to,
       -- [{by, fromClock, toClock}] in the order of clocks; compared when the owner comes back
       add column relays jsonb
         constraint board_authors_relays check (jsonb_typeof(relays) = 'array' and jsonb_array_length(relays) between 1 and 16);`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const authors = `${quoted(schema)}.board_authors`
  await run(
    db,
    `alter table ${authors}
       drop column relays,
       add column relayed_by varchar(100), add column relayed_from bigint check (relayed_from >= 0),
       add column relayed_to bigint,
       add constraint board_authors_relayed
         check (num_nonnulls(relayed_by, relayed_from, relayed_to) in (0, 3) and relayed_to > relayed_from);`,
  )
}
