// How long what has an end is kept. The server looks once an hour, the command when somebody asks; both take away
// what is too old by the same statements, in batches, each a transaction of its own.
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
/** A board takes everything with it that was ever on it. */
const mostBoardsAtOnce = 5

interface About {
  what: string
  /** What the days are counted from. */
  from: string
}

const about: Record<RetentionCategory, About> = {
  sessions: { what: 'sessions of accounts', from: 'their end' },
  guests: { what: 'guests, with which links they came by', from: 'their end' },
  tokens: { what: 'invitations, links for a new password, sign-ins that were begun', from: 'their end' },
  webhooks: { what: 'events for webhooks, with their deliveries', from: 'they happened' },
  agent_edits: { what: 'what agents did to elements', from: 'they happened' },
  versions: { what: 'automatic versions and copies before a change; not named ones', from: 'they were kept' },
  trash: { what: 'boards in the trash, with all that is on them', from: 'they were deleted' },
  notifications: { what: 'notifications about comments', from: 'they came' },
  access_requests: { what: 'requests for access that were answered', from: 'the answer' },
}

/** What no setting takes away, so that the table leaves no question open. */
const others: readonly { category: string; what: string; kept: string; setting: string }[] = [
  {
    category: 'trail',
    what: 'joins, sign-ins, refusals, changes of access, exports: what happened',
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
    what: 'made when they are asked for',
    kept: 'not stored',
    setting: 'none',
  },
]

export interface RetentionLine {
  category: string
  what: string
  kept: string
  setting: string
  /** Rows that are too old; null where nothing ever is. */
  older: number | null
}

/** Each category, how long it is kept and why, and how much of it is too old. */
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
 * Takes away what is too old, category by category.
 * @param onProgress so many of so many rows are gone.
 * @param signal ends it after the batch that is under way; what is gone by then is recorded.
 * @returns how many rows of each category that lost some. @throws BoardroomError access_denied (not the tables' owner)
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
      "what is removed is recorded, which only the tables' owner may; run it with the owner's DATABASE_URL",
    )
  const removed: { category: RetentionCategory; rows: number }[] = []
  for (const category of retentionCategories) {
    const days = retention[category]
    if (days === null || signal.aborted) continue
    const total = await countOld(db, category, days)
    let rows = 0
    // In the transaction of each batch, so that nothing goes unrecorded, however this ends.
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

/** The same, by the server itself: every hour, without a line in the trail for what goes by the clock. */
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
      if (rows > 0) log.info({ category, days, rows }, 'removed what was too old')
    } catch (error) {
      log.warn({ err: error, category }, 'what is too old was not removed; trying again in an hour')
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
