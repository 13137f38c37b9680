// The trail as it grows. It follows the numbers of the chain, which are given one after the other, and not
// timestamps, which are not in the order of commits: so a reader that resumes misses nothing.
import { setTimeout as delay } from 'node:timers/promises'
import type { AuditResponse } from '../../shared/api.ts'
import type { Database } from '../database/database.ts'
import { type AuditFilter, chainHead, chainStep, sealedRows } from './queries.ts'

export interface FollowOptions {
  /** Go on after this number; null begins with what comes from now on. */
  after: number | null
  signal: AbortSignal
  everyMs?: number
  /** Asked before each look; false ends the stream. */
  isAllowed?: () => Promise<boolean>
}

const entriesAtOnce = 500

/**
 * Rows that `filter` lets through, in the order of their sealing, about a second after they were committed.
 * Yields null when it has looked and found nothing new. Ends when `signal` says so; throws what the database throws.
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
