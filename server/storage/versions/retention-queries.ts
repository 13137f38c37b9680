// The SQL that makes automatic versions and prunes them, in the transaction of a fold.
import type { ClientBase } from 'pg'
import { bigintArray, uuidArray } from '../../database/arrays.ts'
import type { VersionReason } from '../../database/tables.ts'
import { asBuffer, type StoredSnapshot, tableIn } from '../log/queries.ts'

export interface KeptVersion extends StoredSnapshot {
  reason: VersionReason
  name?: string
  /** ms since 1970; default: now. */
  at?: number
}

/** Inserts a version, unless it is an automatic one that is identical to the newest. */
export const keepVersion = (client: ClientBase, schema: string, boardId: string, version: KeptVersion) => {
  const versions = tableIn(schema, 'board_versions')
  return client.query({
    text: `insert into ${versions} (board_id, reason, name, state, checksum, created_at)
      select $1::uuid, $2::varchar, $3::varchar, $4::bytea, $5::bytea, coalesce(to_timestamp($6::float8 / 1000), now())
      where $2::varchar <> 'automatic' or $5::bytea is distinct from
        (select checksum from ${versions} where board_id = $1::uuid order by created_at desc limit 1)`,
    values: [
      boardId,
      version.reason,
      version.name ?? null,
      asBuffer(version.state),
      asBuffer(version.checksum),
      version.at ?? null,
    ],
  })
}

/** How many versions from before restores, imports and rebuilds a board keeps, and how many from before removals. */
const mostKeptCopies = 500
const mostBeforeRemovals = 50

/**
 * Deletes versions except the following. Named ones: all. From before a restore, an import or a rebuild: the newest 500.
 * From before a removal: the 50 largest, so that nobody can displace a large one by drawing and clearing a little.
 * Automatic ones: all of the last two hours, then the newest per hour for two days, per day for 30 days, and per month (UTC).
 */
export const pruneVersions = (client: ClientBase, schema: string, boardId: string) => {
  const versions = tableIn(schema, 'board_versions')
  const newestOfEach = (unit: 'hour' | 'day' | 'month', span: string | null) => `
    (select distinct on (date_trunc('${unit}', created_at at time zone 'UTC')) id
     from ${versions} where board_id = $1 and reason = 'automatic'
       ${span === null ? '' : `and created_at > now() - interval '${span}'`}
     order by date_trunc('${unit}', created_at at time zone 'UTC'), created_at desc, id)`
  return client.query({
    text: `delete from ${versions} where board_id = $1 and reason <> 'named' and id not in (
      (select id from ${versions} where board_id = $1 and reason in ('before_restore', 'before_import', 'before_rebuild')
       order by created_at desc limit ${mostKeptCopies})
      union (select id from ${versions} where board_id = $1 and reason = 'before_removal'
       order by octet_length(state) desc, created_at desc limit ${mostBeforeRemovals})
      union (select id from ${versions} where board_id = $1 and reason = 'automatic' and created_at > now() - interval '2 hours')
      union ${newestOfEach('hour', '48 hours')} union ${newestOfEach('day', '30 days')} union ${newestOfEach('month', null)})`,
    values: [boardId],
  })
}

/** Sets when boards last changed, for changes of their documents. @param changes changedAt: ms since 1970 */
export const noteChanges = (
  client: Pick<ClientBase, 'query'>,
  schema: string,
  changes: readonly { boardId: string; changedAt: number }[],
) =>
  client.query({
    text: `update ${tableIn(schema, 'boards')} b set updated_at = to_timestamp(new.at::float8 / 1000)
      from unnest($1::uuid[], $2::bigint[]) as new (id, at)
      where b.id = new.id and b.updated_at < to_timestamp(new.at::float8 / 1000)`,
    values: [
      uuidArray(changes.map(({ boardId }) => boardId)),
      bigintArray(changes.map(({ changedAt }) => Math.round(changedAt))),
    ],
  })
