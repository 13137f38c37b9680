// Folding logs into snapshots: reads the database and not the memory of a room, one board at a time in this
// process and one node at a time for each board. What is folded is exactly what was deleted, in one transaction.
import type { Logger } from 'pino'
import type { Database } from '../../database/database.ts'
import { withClient } from '../../database/with-client.ts'
import type { DocumentWorker } from '../../documents/document-worker.ts'
import { checksumOf } from '../../documents/folding.ts'
import { BoardroomError } from '../../errors.ts'
import { isMissingReference } from '../failures.ts'
import { keepVersion, noteChanges, pruneVersions } from '../versions/retention-queries.ts'
import { foldTogether, mostBoardsTogether, mostBytesTogether, mostRowsTogether } from './folding-together.ts'
import type { LogKeeper } from './log-options.ts'
import {
  ageOfLastVersion,
  lockFolding,
  putBackUpdates,
  readSnapshot,
  takeUpdates,
  writeSearchKey,
  writeSnapshot,
} from './queries.ts'

export interface CompactionOptions {
  database: Database
  worker: DocumentWorker
  log: Logger
  /** A log of fewer rows and bytes waits until its board is idle. Both grow with the snapshot that is rewritten. */
  minRows?: number
  minBytes?: number
  /** While people draw, an automatic version is made so often; when the last one leaves, always. */
  versionEverySeconds?: number
  /** While people draw, the board's "last changed" is written so often; whenever its log is folded, always. */
  noteChangeEveryMs?: number
  /** Looking at versions folds the log first, but not more often than this. */
  catchUpEveryMs?: number
  /** A board that nobody is on waits so long for its folding: who reloads the page is back before, and many wait together. */
  restMs?: number
  /** A board whose folding failed is left alone for so long. */
  retryAfterMs?: number
}

/** rows: how many left the log; kept: how many wait there for edits that they depend on. */
export interface FoldResult {
  outcome: 'folded' | 'nothing' | 'busy' | 'gone'
  rows: number
  kept: number
  snapshotBytes: number
}

interface LogSize {
  rows: number
  bytes: number
  snapshotBytes: number
  isIdle: boolean
  /** When its log was last folded here or, before that, its board opened; performance.now(). */
  foldedAt: number
  notedAt: number
}

/** "Last changed" of all boards that change within this is written in one statement. */
const noteTogetherMs = 500

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
  readonly #minRows: number
  readonly #minBytes: number
  readonly #versionEverySeconds: number
  readonly #retryAfterMs: number
  readonly #noteChangeEveryMs: number
  readonly #catchUpEveryMs: number
  readonly #restMs: number
  readonly #caughtUp = new Map<string, { at: number; done: Promise<void> }>()
  /** When each board changed whose "last changed" is to be written. */
  readonly #toNote = new Map<string, number>()
  #noteTimer: NodeJS.Timeout | null = null
  readonly #noting = new Set<Promise<void>>()
  /** Of the boards that are open here, or wait for their folding. */
  readonly #sizes = new Map<string, LogSize>()
  /** Boards that nobody is on, and since when. */
  readonly #resting = new Map<string, number>()
  #restTimer: NodeJS.Timeout | null = null
  readonly #due = new Set<string>()
  readonly #notBefore = new Map<string, number>()
  #running: Promise<void> | null = null
  #isClosed = false
  /** From here on no other board is begun. */
  #endsAt = Number.POSITIVE_INFINITY

  constructor(options: CompactionOptions) {
    this.#database = options.database
    this.#worker = options.worker
    this.#log = options.log
    this.#minRows = options.minRows ?? 2000
    this.#minBytes = options.minBytes ?? 1024 * 1024
    this.#versionEverySeconds = options.versionEverySeconds ?? 300
    this.#retryAfterMs = options.retryAfterMs ?? 10 * 60_000
    this.#noteChangeEveryMs = options.noteChangeEveryMs ?? 30_000
    this.#catchUpEveryMs = options.catchUpEveryMs ?? 15_000
    this.#restMs = options.restMs ?? 0
  }

  /** Boards whose logs wait to be folded. */
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
      this.#noteChange(boardId)
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
    this.#resting.delete(boardId) // its place is the last
    this.#resting.set(boardId, performance.now())
    this.#restTimer ??= setTimeout(() => this.#rested(), this.#restMs).unref()
  }

  /**
   * Fold one board's log now.
   * @param isIdle nobody is on the board: an automatic version is made in any case.
   * @throws BoardroomError board_unreadable (nothing was changed); errors of the database
   */
  async fold(boardId: string, isIdle: boolean): Promise<FoldResult> {
    const { pool, schema } = this.#database
    try {
      return await withClient(pool, async (client) => {
        // Read committed on purpose: what is read behind the lock is what its last holder left.
        await client.query(
          `begin isolation level read committed; set local idle_in_transaction_session_timeout = '10min'`,
        )
        const result = await this.#foldWithin(client, schema, boardId, isIdle)
        await client.query(result.outcome === 'folded' ? 'commit' : 'rollback')
        return result
      })
    } catch (error) {
      if (isMissingReference(error)) return { outcome: 'gone', rows: 0, kept: 0, snapshotBytes: 0 }
      throw error
    }
  }

  /**
   * Fold what a board's log holds, for somebody who wants to see its versions; seldom, however often they ask.
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
   * Folds what is due, which after a drain is every board that was open, so that the next start serves stored bytes;
   * begins no other board after `withinMs`, and finishes the one it is at.
   */
  async close({ withinMs = 3000 }: { withinMs?: number } = {}): Promise<void> {
    this.#endsAt = performance.now() + withinMs
    this.#rested(Number.NEGATIVE_INFINITY)
    await this.#running
    this.#isClosed = true
    this.#due.clear()
    this.#noteChanges()
    await Promise.all(this.#noting)
  }

  /** Resolves when nothing is due any more. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  async #foldWithin(
    client: Parameters<typeof takeUpdates>[0],
    schema: string,
    boardId: string,
    isIdle: boolean,
  ): Promise<FoldResult> {
    if (!(await lockFolding(client, schema, boardId))) {
      return { outcome: 'busy', rows: 0, kept: 0, snapshotBytes: 0 }
    }
    const snapshot = await readSnapshot(client, schema, boardId)
    const snapshotBytes = snapshot?.state.length ?? 0
    if (
      snapshot !== null &&
      !checksumOf(snapshot.state).every((byte, at) => byte === snapshot.checksum[at])
    ) {
      throw new BoardroomError('board_unreadable', 'the snapshot does not match its checksum')
    }
    const { updates, times } = await takeUpdates(client, schema, boardId)
    if (updates.length === 0) return { outcome: 'nothing', rows: 0, kept: 0, snapshotBytes }
    const age = await ageOfLastVersion(client, schema, boardId)
    const withVersion = isIdle || age === null || age >= this.#versionEverySeconds
    const folded = await this.#worker
      .run('fold', { snapshot: snapshot?.state ?? null, updates, times, withVersion })
      .catch((error: unknown) => {
        if (error instanceof BoardroomError) throw error
        throw new BoardroomError('board_unreadable', 'the log cannot be folded', { cause: error })
      })
    const kept = folded.keptBack.length
    const rows = updates.length - kept
    if (rows === 0) return { outcome: 'nothing', rows, kept, snapshotBytes }
    const keptBack = folded.keptBack.flatMap((at) => updates[at] ?? [])
    if (kept > 0) await putBackUpdates(client, schema, boardId, keptBack)
    await writeSnapshot(client, schema, boardId, folded)
    await writeSearchKey(client, schema, boardId, folded.searchKey)
    for (const { version, at } of folded.beforeRemovals) {
      const former = { reason: 'before_removal', state: version, checksum: checksumOf(version), at } as const
      await keepVersion(client, schema, boardId, former)
    }
    if (folded.version !== null) {
      const version = { state: folded.version, checksum: checksumOf(folded.version) }
      await keepVersion(client, schema, boardId, { reason: 'automatic', ...version })
    }
    await pruneVersions(client, schema, boardId)
    await noteChanges(client, schema, [{ boardId, changedAt: times.at(-1) ?? Date.now() }])
    return { outcome: 'folded', rows, kept, snapshotBytes: folded.state.length }
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
    // A fold rewrites the whole snapshot: it must be worth that.
    const isLong = size.rows >= this.#minRows + size.snapshotBytes / 1024
    const isLarge = size.bytes >= Math.max(this.#minBytes, size.snapshotBytes / 2)
    // Or it is time for a version.
    const isOld = size.rows > 0 && performance.now() - size.foldedAt >= this.#versionEverySeconds * 1000
    if (!size.isIdle && !isLong && !isLarge && !isOld) return
    this.#due.add(boardId)
    this.#running ??= Promise.resolve().then(() => this.#run())
  }

  /** Those that rest since `until` have rested. */
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

  /** The board that waits longest; where its log is short, with others like it. */
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
      this.#log.debug({ err: error, boards: boardIds.length }, 'logs are folded one by one')
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
    // What is appended from here on is counted anew; some of it may be folded already, which does no harm.
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

  /** Soon, in one statement for all that change meanwhile. */
  #noteChange(boardId: string): void {
    this.#toNote.set(boardId, Date.now())
    this.#noteTimer ??= setTimeout(() => this.#noteChanges(), noteTogetherMs).unref()
  }

  #noteChanges(): void {
    if (this.#noteTimer !== null) clearTimeout(this.#noteTimer)
    this.#noteTimer = null
    if (this.#toNote.size === 0) return
    const changes = Array.from(this.#toNote, ([boardId, changedAt]) => ({ boardId, changedAt }))
    this.#toNote.clear()
    const { pool, schema } = this.#database
    const noted = noteChanges(pool, schema, changes).then(
      () => {},
      (error: unknown) =>
        this.#log.warn({ err: error, boards: changes.length }, 'when boards changed was not noted'),
    )
    this.#noting.add(noted)
    noted.finally(() => this.#noting.delete(noted))
  }

  /** The board stays as it is: its log only grows, and it can still be loaded. */
  #report(boardId: string, error: unknown): void {
    const isBoard = error instanceof BoardroomError && error.code === 'board_unreadable'
    if (!isBoard) {
      this.#log.warn(
        { err: error, boardId },
        'a log was not folded; it will be when it grows or its board is idle',
      )
      return
    }
    const now = Date.now()
    for (const [id, at] of this.#notBefore) if (at <= now) this.#notBefore.delete(id)
    this.#notBefore.set(boardId, now + this.#retryAfterMs)
    this.#log.error(
      { err: error, boardId, alarm: 'board_unreadable' },
      'a log cannot be folded; it is left as it is',
    )
  }
}
