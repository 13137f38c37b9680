// Retention: how long data is kept. The server removes old data hourly, and the command on demand; both use the same
// statements, in batches, each in its own transaction.
import type { Transaction } from 'kysely'
import type { Logger } from 'pino'
import { transactionAs } from '../audit/actor.ts'
import type { Database, Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { BoardroomError } from '../errors.ts'
import { type Actor, systemActor } from '../principal.ts'
import {
  defaultRetention,
  type Retention,
  type RetentionCategory,
  retentionCategories,
} from '../retention.ts'
import {
  countOld,
  forgetProviderLogouts,
  forgetSideRows,
  mayRecord,
  recordRemoval,
  removeOld,
} from './retention-queries.ts'

const mostAtOnce = 2000
/** Smaller batches for boards, because everything on a board is removed with it. */
const mostBoardsAtOnce = 5

interface About {
  what: string
  /** The event that the days are counted from. */
  from: string
}

const about: Record<RetentionCategory, About> = {
  sessions: { what: 'sessions of accounts', from: 'their end' },
  guests: { what: 'guests, including the links they came through', from: 'their end' },
  tokens: { what: 'invitations, password-reset links, unfinished sign-ins', from: 'their end' },
  webhooks: { what: 'webhook events with their deliveries', from: 'the event' },
  agent_edits: { what: 'agents’ edits to elements', from: 'the event' },
  versions: {
    what: 'automatic versions, and copies made before a change; not named ones',
    from: 'their creation',
  },
  trash: { what: 'boards in the trash, with everything on them', from: 'their deletion' },
  notifications: { what: 'notifications about comments', from: 'their creation' },
  access_requests: { what: 'answered access requests', from: 'the answer' },
}

/** Data that no setting removes, listed for completeness. */
const others: readonly { category: string; what: string; kept: string; setting: string }[] = [
  {
    category: 'trail',
    what: 'joins, sign-ins, refusals, access changes, exports',
    kept: 'for ever',
    setting: 'whole months: boardroom audit retention',
  },
  {
    category: 'consents',
    what: 'who accepted which text',
    kept: 'for ever',
    setting: 'none: it is evidence',
  },
  {
    category: 'boards',
    what: 'drawings, files, comments, records, named versions',
    kept: 'as long as the board',
    setting: 'none',
  },
  {
    category: 'exports, tickets',
    what: 'created on demand',
    kept: 'not stored',
    setting: 'none',
  },
]

export interface RetentionLine {
  category: string
  what: string
  kept: string
  setting: string
  /** The number of rows that are too old; null if nothing ever is. */
  older: number | null
}

/** All categories: how long each is kept and why, and how much of it is too old. */
export async function retentionTable(db: Db, retention: Retention): Promise<RetentionLine[]> {
  const lines: RetentionLine[] = []
  for (const category of retentionCategories) {
    const days = retention[category]
    lines.push({
      category,
      what: about[category].what,
      kept: keptFor(category, days),
      setting: days === defaultRetention[category] ? 'default' : 'BOARDROOM_RETENTION',
      older: days === null ? null : await countOld(db, category, days),
    })
  }
  return [...lines, ...others.map((line) => ({ ...line, older: null }))]
}

const keptFor = (category: RetentionCategory, days: number | null): string => {
  if (days === null) return category === 'versions' ? 'for ever, thinned out' : 'for ever'
  return `${days} days after ${about[category].from}`
}

/**
 * Removes old data, category by category.
 * @param onProgress reports how many rows of how many have been removed.
 * @param signal stops it after the current batch; everything removed by then is recorded.
 * @returns the number of removed rows per category. @throws BoardroomError access_denied (not the tables' owner)
 */
export async function applyRetention(
  { db, schema }: Pick<Database, 'db' | 'schema'>,
  actor: Actor,
  retention: Retention,
  {
    onProgress,
    signal,
  }: { onProgress: (category: RetentionCategory, done: number, total: number) => void; signal: AbortSignal },
): Promise<{ category: RetentionCategory; rows: number }[]> {
  if (!(await mayRecord(db, schema)))
    throw new BoardroomError(
      'access_denied',
      "removals are recorded, which only the tables' owner may do; run it with the owner's DATABASE_URL",
    )
  const removed: { category: RetentionCategory; rows: number }[] = []
  for (const category of retentionCategories) {
    const days = retention[category]
    if (days === null || signal.aborted) continue
    const total = await countOld(db, category, days)
    let rows = 0
    // In the transaction of each batch, so that no removal goes unrecorded, however this ends.
    const record = (trx: Transaction<Tables>, count: number) =>
      recordRemoval(trx, schema, { category, days, rows: count })
    for await (const count of removals(db, actor, category, days, record)) {
      rows += count
      onProgress(category, rows, Math.max(rows, total))
      if (signal.aborted) break
    }
    if (rows > 0) removed.push({ category, rows })
  }
  return removed
}

/** The hourly cleaning by the server, which writes no rows to the trail. */
export async function cleanUp(db: Db, retention: Retention, log: Logger, signal: AbortSignal): Promise<void> {
  for (const category of retentionCategories) {
    const days = retention[category]
    if (days === null) continue
    if (signal.aborted) return
    try {
      let rows = 0
      for await (const count of removals(db, systemActor, category, days)) {
        rows += count
        if (signal.aborted) return
      }
      if (rows > 0) log.info({ category, days, rows }, 'removed data past its retention')
    } catch (error) {
      log.warn({ err: error, category }, 'data past its retention was not removed; trying again in an hour')
    }
  }
  for (const forget of [forgetSideRows, forgetProviderLogouts])
    await forget(db).catch((error: unknown) =>
      log.warn({ err: error }, 'what nobody needs any more was not forgotten; trying again in an hour'),
    )
}

/** Batch by batch, how many rows went. */
async function* removals(
  db: Db,
  actor: Actor,
  category: RetentionCategory,
  days: number,
  record: (trx: Transaction<Tables>, rows: number) => Promise<unknown> = async () => undefined,
): AsyncGenerator<number> {
  const most = category === 'trash' ? mostBoardsAtOnce : mostAtOnce
  for (;;) {
    const count = await transactionAs(db, actor, async (trx) => {
      const rows = await removeOld(trx, category, days, most)
      if (rows > 0) await record(trx, rows)
      return rows
    })
    if (count === 0) return
    yield count
  }
}
