// What was written to a log since an earlier read, for a node that may have missed something.
import type { Database } from '../../database/database.ts'
import type { Author, Relay } from '../../rooms/ports.ts'
import { type StoredSnapshot, tableIn } from './queries.ts'

/** How far a read got. */
export interface LogMark {
  /** Checksum of the snapshot at that time; null if there was none. */
  checksum: Buffer | null
  /** The highest number read, and which numbers a little below it were read. */
  highest: number
  seen: readonly number[]
}

/** How many numbers below the highest are read again, because a row with a lower number may be committed later. */
const lookBack = 100_000

interface Row {
  seq: string | null
  checksum: Buffer | null
  data: Buffer | null
}

/**
 * Reads the snapshot, if it changed, and new rows of the log, both in one statement; then the authors.
 * @param mark of the earlier read; null reads everything.
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
