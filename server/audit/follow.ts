// Follows the growing trail by the sequence numbers of the chain rather than timestamps, which are not in commit order,
// so that a reader that resumes misses nothing.
import { setTimeout as delay } from 'node:timers/promises'
import type { AuditResponse } from '../../shared/api.ts'
import type { Database } from '../database/database.ts'
import { type AuditFilter, chainHead, chainStep, sealedRows } from './queries.ts'

export interface FollowOptions {
  /** Continue after this number; null starts with new rows. */
  after: number | null
  signal: AbortSignal
  everyMs?: number
  /** Checked before each query; false ends the stream. */
  isAllowed?: () => Promise<boolean>
}

const entriesAtOnce = 500

/**
 * Rows that match `filter`, in the order of sealing, about a second after they were committed.
 * Yields null after a query without new rows. Ends when `signal` is aborted; database errors are passed on.
 */
export async function* followAudit(
  database: Database,
  filter: AuditFilter,
  options: FollowOptions,
): AsyncGenerator<{ seq: number; row: AuditResponse } | null> {
  const { signal, everyMs = 500, isAllowed } = options
  let seq = options.after ?? (await chainHead(database))?.seq ?? 0
  while (!signal.aborted) {
    if (isAllowed !== undefined && !(await isAllowed())) return
    const last = await chainStep(database, seq, entriesAtOnce)
    if (last !== null) {
      yield* await sealedRows(database, filter, seq, last)
      seq = last
      continue
    }
    yield null
    await delay(everyMs, undefined, { signal }).catch(() => {
      // aborted: the loop ends
    })
  }
}
