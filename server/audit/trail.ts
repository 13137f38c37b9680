// The trail's writer in this process: joins, leaves, reads, sign-ins, refusals, and everything that does not change a
// column deciding access (for those, database triggers write the rows, see migrations/0008-record.ts).
import type { Logger } from 'pino'
import type { Level } from '../../shared/levels.ts'
import type { Database } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import { type AuditEvent, rowOf } from './event.ts'
import { insertEvents } from './queries.ts'
import { RecentReads } from './recent-reads.ts'
import { Repeats } from './repeats.ts'

export interface AuditTrailOptions {
  database: Database
  log: Logger
  /** The id of this process, for `leave` rows after a crash. @see server/audit/leaves.ts */
  serverId: string
  /** The most queued events; beyond it, new ones are refused. */
  maxQueued?: number
  /** How long refusals are counted before a row is written. */
  repeatsWindowMs?: number
}

interface Waiting {
  row: Record<string, unknown>
  resolve: () => void
  reject: (error: BoardroomError) => void
}

const mostRowsAtOnce = 500

/**
 * Group commit: there is one insert at a time, and it includes all queued events. Meanwhile, new events wait for the
 * next insert; if an insert fails, exactly its events are refused, and the next insert is tried again.
 */
export class AuditTrail {
  readonly #database: Database
  readonly #log: Logger
  readonly #serverId: string
  readonly #maxQueued: number
  readonly #waiting: Waiting[] = []
  readonly #repeats: Repeats
  readonly #reads = new RecentReads()
  readonly #sweep: NodeJS.Timeout
  #writing: Promise<void> | null = null
  #closed = false

  constructor(options: AuditTrailOptions) {
    this.#database = options.database
    this.#log = options.log
    this.#serverId = options.serverId
    this.#maxQueued = options.maxQueued ?? 10_000
    const windowMs = options.repeatsWindowMs ?? 60_000
    this.#repeats = new Repeats(windowMs)
    this.#sweep = setInterval(() => this.#writeRepeats(Date.now()), Math.min(windowMs, 5000))
    this.#sweep.unref()
  }

  /**
   * Writes one event.
   * @returns once it is committed; a repeated `access_denied` once it is counted.
   * @throws BoardroomError database_unreachable | closing | internal (the database refuses this event alone)
   */
  record(event: AuditEvent): Promise<void> {
    if (event.action === 'access_denied' && !this.#closed && !this.#repeats.isFirst(event, Date.now())) {
      return Promise.resolve()
    }
    return this.#enqueue(event)
  }

  /**
   * Records that `actor` read content of a board over HTTP, once an hour per board and route.
   * Await it before the body is sent. @throws as {@link record}
   */
  recordRead(actor: Actor, boardId: string, route: string, level: Level | null = null): Promise<void> {
    return this.#reads.once({ actor, boardId, route }, Date.now(), () =>
      this.#enqueue({ action: 'read', actor, boardId, level, details: { route } }),
    )
  }

  /** Resolves when everything passed in so far, including counted repeats, is committed or refused. */
  async flush(): Promise<void> {
    this.#writeRepeats(Number.POSITIVE_INFINITY)
    while (this.#writing) await this.#writing
  }

  /** Flushes, then refuses further events. Does not close the database. */
  async close(): Promise<void> {
    clearInterval(this.#sweep)
    await this.flush()
    this.#closed = true
    await this.flush()
  }

  #enqueue(event: AuditEvent): Promise<void> {
    if (this.#closed) return Promise.reject(new BoardroomError('closing', 'the trail is closed'))
    if (this.#waiting.length >= this.#maxQueued) {
      return Promise.reject(
        new BoardroomError(
          'database_unreachable',
          `${this.#maxQueued} audit rows are already waiting for the database`,
        ),
      )
    }
    const ofConnection = event.action === 'access' || event.action === 'leave'
    const row = rowOf(
      ofConnection ? { ...event, details: { ...event.details, server_id: this.#serverId } } : event,
    )
    return new Promise((resolve, reject) => {
      this.#waiting.push({ row, resolve, reject })
      // Events from the rest of this turn are still included in the first insert.
      this.#writing ??= new Promise((start) => setImmediate(start)).then(() => this.#write())
    })
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, mostRowsAtOnce)
      const refusal = await this.#insert(batch)
      if (!refusal) for (const { resolve } of batch) resolve()
      else if (batch.length > 1 && isAboutData(refusal)) await this.#insertOneByOne(batch)
      else for (const { reject } of batch) reject(asBoardroomError(refusal))
    }
    this.#writing = null
  }

  /** @returns the error, if any. */
  async #insert(batch: Waiting[]): Promise<unknown> {
    try {
      await insertEvents(
        this.#database.db,
        batch.map(({ row }) => row),
      )
      return undefined
    } catch (error) {
      this.#log.error({ err: error, events: batch.length }, 'audit rows not written')
      return error ?? new Error('unknown')
    }
  }

  /** An event that the database refuses must not prevent the others from being written. */
  async #insertOneByOne(batch: Waiting[]): Promise<void> {
    for (const waiting of batch) {
      const refusal = await this.#insert([waiting])
      if (refusal) waiting.reject(asBoardroomError(refusal))
      else waiting.resolve()
    }
  }

  #writeRepeats(now: number): void {
    for (const event of this.#repeats.takeDue(now)) {
      this.#enqueue(event).catch((error: unknown) =>
        this.#log.error({ err: error }, 'counted refusals not written'),
      )
    }
  }
}

/** SQLSTATE 22 (data) and 23 (constraint): caused by the rows, not the database. */
const isAboutData = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^2[23]/.test(error.code)

const asBoardroomError = (error: unknown): BoardroomError =>
  isAboutData(error)
    ? new BoardroomError('internal', 'the database refuses this audit row', { cause: error })
    : new BoardroomError('database_unreachable', 'the audit row could not be written', { cause: error })
