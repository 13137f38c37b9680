// Decides when logs are folded into snapshots: one fold at a time in this process, and one node at a time per board.
import type { Logger } from 'pino'
import type { Database } from '../../database/database.ts'
import type { DocumentWorker } from '../../documents/document-worker.ts'
import { BoardroomError } from '../../errors.ts'
import { type FoldResult, foldBoard } from './fold-board.ts'
import { foldTogether, mostBoardsTogether, mostBytesTogether, mostRowsTogether } from './folding-together.ts'
import { LastChanged } from './last-changed.ts'
import type { LogKeeper } from './log-options.ts'

export interface CompactionOptions {
  database: Database
  worker: DocumentWorker
  log: Logger
  /** A log with fewer rows and bytes is folded only once its board is idle. Larger snapshots raise both thresholds. */
  minRows?: number
  minBytes?: number
  /** How often an automatic version is made while people draw; one is also made when the last one leaves. */
  versionEverySeconds?: number
  /** How often a board's "last changed" is written while people draw; it is also written with every fold. */
  noteChangeEveryMs?: number
  /** Listing versions folds the log first, but not more often than this. */
  catchUpEveryMs?: number
  /** How long a board that nobody is on waits for its fold: reloads take less, and waiting boards are folded together. */
  restMs?: number
  /** How long a board is left alone after its fold failed. */
  retryAfterMs?: number
}

interface LogSize {
  rows: number
  bytes: number
  snapshotBytes: number
  isIdle: boolean
  /** When the log was last folded here or, before that, the board was opened; performance.now(). */
  foldedAt: number
  notedAt: number
}

const newSize = (): LogSize => ({
  rows: 0,
  bytes: 0,
  snapshotBytes: 0,
  isIdle: false,
  foldedAt: performance.now(),
  notedAt: Number.NEGATIVE_INFINITY,
})

export class Compaction implements LogKeeper {
  readonly #database: Database
  readonly #worker: DocumentWorker
  readonly #log: Logger
  readonly #lastChanged: LastChanged
  readonly #minRows: number
  readonly #minBytes: number
  readonly #versionEverySeconds: number
  readonly #retryAfterMs: number
  readonly #noteChangeEveryMs: number
  readonly #catchUpEveryMs: number
  readonly #restMs: number
  readonly #caughtUp = new Map<string, { at: number; done: Promise<void> }>()
  /** Of boards that are open here or wait to be folded. */
  readonly #sizes = new Map<string, LogSize>()
  /** Boards that nobody is on, and since when, longest first. */
  readonly #resting = new Map<string, number>()
  #restTimer: NodeJS.Timeout | null = null
  readonly #due = new Set<string>()
  readonly #notBefore = new Map<string, number>()
  #running: Promise<void> | null = null
  #isClosed = false
  /** No fold starts after this time. */
  #endsAt = Number.POSITIVE_INFINITY

  constructor(options: CompactionOptions) {
    this.#database = options.database
    this.#worker = options.worker
    this.#log = options.log
    this.#lastChanged = new LastChanged(options)
    this.#minRows = options.minRows ?? 2000
    this.#minBytes = options.minBytes ?? 1024 * 1024
    this.#versionEverySeconds = options.versionEverySeconds ?? 300
    this.#retryAfterMs = options.retryAfterMs ?? 10 * 60_000
    this.#noteChangeEveryMs = options.noteChangeEveryMs ?? 30_000
    this.#catchUpEveryMs = options.catchUpEveryMs ?? 15_000
    this.#restMs = options.restMs ?? 0
  }

  /** How many boards wait to be folded. */
  get due(): number {
    return this.#resting.size + this.#due.size + (this.#running === null ? 0 : 1)
  }

  opened(boardId: string, size: { rows: number; bytes: number; snapshotBytes: number }): void {
    this.#sizes.set(boardId, { ...newSize(), ...size })
    this.#consider(boardId)
  }

  grew(boardId: string, rows: number, bytes: number): void {
    const size = this.#sizes.get(boardId) ?? newSize()
    size.rows += rows
    size.bytes += bytes
    this.#sizes.set(boardId, size)
    const now = performance.now()
    if (now - size.notedAt >= this.#noteChangeEveryMs) {
      size.notedAt = now
      this.#lastChanged.note(boardId)
    }
    this.#consider(boardId)
  }

  idle(boardId: string): void {
    const size = this.#sizes.get(boardId)
    if (size === undefined) return
    size.isIdle = true
    if (size.rows === 0 || this.#restMs === 0) {
      this.#consider(boardId)
      return
    }
    this.#resting.delete(boardId) // so that it is inserted at the end
    this.#resting.set(boardId, performance.now())
    this.#restTimer ??= setTimeout(() => this.#rested(), this.#restMs).unref()
  }

  /** Folds one board's log now. @see foldBoard */
  fold(boardId: string, isIdle: boolean): Promise<FoldResult> {
    const parts = { database: this.#database, worker: this.#worker }
    return foldBoard({ ...parts, versionEverySeconds: this.#versionEverySeconds }, boardId, isIdle)
  }

  /**
   * Folds a board's log before its versions are listed, unless that was done a moment ago.
   * @throws BoardroomError board_unreadable; errors of the database
   */
  catchUp(boardId: string): Promise<void> {
    const now = performance.now()
    for (const [id, { at }] of this.#caughtUp) if (now - at >= this.#catchUpEveryMs) this.#caughtUp.delete(id)
    const known = this.#caughtUp.get(boardId)
    if (known !== undefined) return known.done
    const done = this.fold(boardId, false).then(() => {})
    this.#caughtUp.set(boardId, { at: now, done })
    return done
  }

  /**
   * Folds all waiting boards. After a drain, these are all boards that were open, so that the next start can serve
   * snapshots as they are. Starts no fold after `withinMs`, but finishes the current one.
   */
  async close({ withinMs = 3000 }: { withinMs?: number } = {}): Promise<void> {
    this.#endsAt = performance.now() + withinMs
    this.#rested(Number.NEGATIVE_INFINITY)
    await this.#running
    this.#isClosed = true
    this.#due.clear()
    await this.#lastChanged.close()
  }

  /** Resolves when no board is due any more. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  #consider(boardId: string): void {
    const size = this.#sizes.get(boardId)
    if (size === undefined || this.#isClosed) return
    if (size.isIdle && size.rows === 0) {
      this.#sizes.delete(boardId)
      return
    }
    if ((this.#notBefore.get(boardId) ?? 0) > Date.now()) {
      if (size.isIdle) this.#sizes.delete(boardId)
      return
    }
    // A fold rewrites the whole snapshot, so the log must be large enough to be worth it.
    const isLong = size.rows >= this.#minRows + size.snapshotBytes / 1024
    const isLarge = size.bytes >= Math.max(this.#minBytes, size.snapshotBytes / 2)
    // An automatic version is due.
    const isOld = size.rows > 0 && performance.now() - size.foldedAt >= this.#versionEverySeconds * 1000
    if (!size.isIdle && !isLong && !isLarge && !isOld) return
    this.#due.add(boardId)
    this.#running ??= Promise.resolve().then(() => this.#run())
  }

  /** Boards that nobody has been on for `restMs` are due. */
  #rested(restMs = this.#restMs): void {
    if (this.#restTimer !== null) clearTimeout(this.#restTimer)
    this.#restTimer = null
    const now = performance.now()
    for (const [boardId, since] of this.#resting) {
      const leftMs = since + restMs - now
      if (leftMs > 0) {
        this.#restTimer = setTimeout(() => this.#rested(), leftMs).unref()
        return
      }
      this.#resting.delete(boardId)
      this.#consider(boardId)
    }
  }

  async #run(): Promise<void> {
    for (;;) {
      const boardIds = this.#nextDue()
      const [only] = boardIds
      if (only === undefined || performance.now() > this.#endsAt) break
      for (const boardId of boardIds) this.#due.delete(boardId)
      if (boardIds.length === 1) await this.#foldDue(only)
      else await this.#foldAllDue(boardIds)
    }
    this.#running = null
  }

  /** The next board to fold; if its log is short, together with others like it. */
  #nextDue(): string[] {
    const together: string[] = []
    for (const boardId of this.#due) {
      const size = this.#sizes.get(boardId)
      const isShort =
        size?.isIdle === true &&
        size.rows <= mostRowsTogether &&
        size.bytes + size.snapshotBytes <= mostBytesTogether
      if (!isShort && together.length === 0) return [boardId]
      if (isShort) together.push(boardId)
      if (together.length === mostBoardsTogether) break
    }
    return together
  }

  async #foldAllDue(boardIds: readonly string[]): Promise<void> {
    const started = performance.now()
    const sizes = new Map(boardIds.map((boardId) => [boardId, this.#sizes.get(boardId) ?? newSize()]))
    for (const size of sizes.values()) Object.assign(size, { rows: 0, bytes: 0, foldedAt: started })
    const parts = { database: this.#database, worker: this.#worker }
    const done = await foldTogether(parts, boardIds).catch((error: unknown) => {
      this.#log.debug(
        { err: error, boards: boardIds.length },
        'logs could not be folded together; folding them one by one',
      )
      return new Map<string, number>()
    })
    const milliseconds = Math.round(performance.now() - started)
    this.#log.debug({ boards: done.size, milliseconds }, 'logs folded together')
    for (const [boardId, size] of sizes) {
      const snapshotBytes = done.get(boardId)
      if (snapshotBytes === undefined) {
        if (performance.now() <= this.#endsAt) await this.#foldDue(boardId)
        continue
      }
      size.snapshotBytes = snapshotBytes
      this.#notBefore.delete(boardId)
      this.#forgetIdle(boardId, size)
    }
  }

  async #foldDue(boardId: string): Promise<void> {
    const size = this.#sizes.get(boardId)
    if (size === undefined) return
    const { isIdle } = size
    // Counting starts from zero. Updates appended during the fold may be part of it, which does no harm.
    size.rows = 0
    size.bytes = 0
    const started = performance.now()
    size.foldedAt = started
    try {
      const { outcome, rows, kept, snapshotBytes } = await this.fold(boardId, isIdle)
      size.snapshotBytes = snapshotBytes
      this.#notBefore.delete(boardId)
      const milliseconds = Math.round(performance.now() - started)
      this.#log.debug({ boardId, outcome, rows, kept, snapshotBytes, milliseconds }, 'log folded')
    } catch (error) {
      this.#report(boardId, error)
    }
    this.#forgetIdle(boardId, size)
  }

  #forgetIdle(boardId: string, size: LogSize): void {
    if (size.isIdle && size.rows === 0 && this.#sizes.get(boardId) === size) this.#sizes.delete(boardId)
  }

  /** The board can still be loaded; its log just grows. */
  #report(boardId: string, error: unknown): void {
    const isBoard = error instanceof BoardroomError && error.code === 'board_unreadable'
    if (!isBoard) {
      this.#log.warn(
        { err: error, boardId },
        'a log could not be folded; trying again when it grows or its board is idle',
      )
      return
    }
    const now = Date.now()
    for (const [id, at] of this.#notBefore) if (at <= now) this.#notBefore.delete(id)
    this.#notBefore.set(boardId, now + this.#retryAfterMs)
    this.#log.error(
      { err: error, boardId, alarm: 'board_unreadable' },
      'a log cannot be folded; the board stays as it is',
    )
  }
}
