// What others have written since one looked last: for a node that may have missed something.
import type { Database } from '../../database/database.ts'
import type { Author, Relay } from '../../rooms/ports.ts'
import { type StoredSnapshot, tableIn } from './queries.ts'

/** How far a look reached. */
export interface LogMark {
  /** Checksum of the snapshot then; null where there was none. */
  checksum: Buffer | null
  /** The highest number seen, and the numbers a little below it. */
  highest: number
  seen: readonly number[]
}

/** A row with a lower number may be committed later: of one commit, and of some at once, so many are looked at again. */
const lookBack = 100_000

interface Row {
  seq: string | null
  checksum: Buffer | null
  data: Buffer | null
}

/**
 * The snapshot, where it is another one, and rows of the log that were not there, of one moment; then who wrote.
 * @param mark null: everything is news.
 */
export async function readSince(
  { pool, schema }: Database,
  boardId: string,
  mark: LogMark | null,
): Promise<{ snapshot: StoredSnapshot | null; updates: Uint8Array[]; authors: Author[]; mark: LogMark }> {
  const seen = mark?.seen ?? []
  const { rows } = await pool.query<Row>(
    `select null::bigint as seq, checksum, case when checksum is distinct from $2::bytea then state end as data
       from ${tableIn(schema, 'board_snapshots')} where board_id = $1
     union all
     (select seq, null, data from ${tableIn(schema, 'board_updates')}
       where board_id = $1 and seq > $3 and seq <> all ($4::bigint[]) order by seq)`,
    [boardId, mark?.checksum ?? null, (mark?.highest ?? 0) - lookBack, seen],
  )
  const updates: Uint8Array[] = []
  const numbers: number[] = [...seen]
  let snapshot: StoredSnapshot | null = null
  let checksum: Buffer | null = null
  let highest = mark?.highest ?? 0
  for (const row of rows) {
    if (row.seq === null) {
      checksum = row.checksum
      if (row.checksum !== null && row.data !== null) snapshot = { state: row.data, checksum: row.checksum }
    } else if (row.data !== null) {
      const number = Number(row.seq)
      updates.push(row.data)
      numbers.push(number)
      highest = Math.max(highest, number)
    }
  }
  const isQuiet = snapshot === null && updates.length === 0
  return {
    snapshot,
    updates,
    authors: isQuiet ? [] : await authorsOf({ pool, schema }, boardId),
    mark: { checksum, highest, seen: numbers.filter((number) => number > highest - lookBack) },
  }
}

async function authorsOf(
  { pool, schema }: Pick<Database, 'pool' | 'schema'>,
  boardId: string,
): Promise<Author[]> {
  const { rows } = await pool.query<{ client_id: string; principal: string; relays: Relay[] | null }>(
    `select client_id, principal, relays from ${tableIn(schema, 'board_authors')} where board_id = $1`,
    [boardId],
  )
  return rows.map(({ client_id, principal, relays }) => ({
    clientId: Number(client_id),
    principal,
    ...(relays === null ? {} : { relays }),
  }))
}
