// The durable log of boards: edits that a client is told are saved have been committed here. One commit at a time is under
// way for all rooms of the process; whatever arrives meanwhile goes into the next. An edit after a pause is committed
// immediately, edits of continuous work share a commit, and a caller that waits for a commit calls `hurry`. @see CommitPace
import type { Logger } from 'pino'
import type { Database } from '../../database/database.ts'
import { checksumOf } from '../../documents/folding.ts'
import { BoardroomError } from '../../errors.ts'
import type { Author, LogNews, SideRows, StoredBoard, UpdateLog } from '../../rooms/ports.ts'
import { asUnreachable, isMissingReference, isPoolerError, isRefusal } from '../failures.ts'
import { type Append, insertUpdates } from './append-queries.ts'
import { CommitPace, type CommitSpacing } from './commit-pace.ts'
import type { LogKeeper, UpdateLogOptions } from './log-options.ts'
import { type LogMark, readSince } from './news-queries.ts'
import { Pause } from './pause.ts'
import { readBoard } from './queries.ts'

interface Queued extends Append {
  isSettled: boolean
  resolve(): void
  reject(error: BoardroomError): void
}

const mostRowsPerCommit = 20_000
const lastRetryMs = 2000
/** With this much unsaved, the next commit does not wait for more edits. */
const mostWaitingBytes = 1024 * 1024
const defaultSpacing: CommitSpacing = { leastMs: 10, mostApartMs: 150, mostMs: 250, pauseMs: 60 }
const slowCommitMs = 5000 // a commit that takes longer counts as failing
const shortFailureMs = 1000 // shorter failures are not reported, because the commit is retried

export class PostgresUpdateLog implements UpdateLog {
  readonly #database: Database
  readonly #log: Logger
  readonly #keeper: LogKeeper
  readonly #onAgentEdits: () => void
  readonly #maxCommitBytes: number
  readonly #pace: CommitPace
  readonly #firstRetryMs: number
  readonly #commitTimeoutMs: number
  #queue: Queued[] = []
  /** The appends of the current commit. */
  #underWay: Queued[] = []
  readonly #unsaved = new Map<string, number>()
  #totalUnsaved = 0
  #running: Promise<void> | null = null
  #failingSince: number | null = null
  #commitStarted: number | null = null
  /** The delay before a failed commit is retried. */
  readonly #retry = new Pause()
  /** The delay before the next commit. */
  readonly #rest = new Pause()
  #isClosed = false
  #isPrepared = true

  constructor(options: UpdateLogOptions) {
    this.#database = options.database
    this.#log = options.log
    this.#keeper = options.keeper
    this.#onAgentEdits = options.onAgentEdits ?? (() => undefined)
    this.#maxCommitBytes = options.maxCommitBytes ?? 4 * 1024 * 1024
    this.#pace = new CommitPace({ ...defaultSpacing, ...options.commitSpacing })
    this.#firstRetryMs = options.firstRetryMs ?? 100
    this.#commitTimeoutMs = options.commitTimeoutMs ?? 15_000
  }

  async load(boardId: string): Promise<StoredBoard> {
    const stored = await readBoard(this.#database, boardId).catch((error: unknown) => {
      throw asUnreachable(error)
    })
    if (stored === null) throw new BoardroomError('not_found', 'there is no such board')
    const { snapshot, updates, authors } = stored
    if (
      snapshot !== null &&
      !checksumOf(snapshot.state).every((byte, at) => byte === snapshot.checksum[at])
    ) {
      this.#log.error(
        { boardId, alarm: 'board_unreadable', bytes: snapshot.state.length },
        'a stored board does not match its checksum and is not served; restore a version or a backup',
      )
      throw new BoardroomError('board_unreadable', 'this board cannot be read; its operator has been told')
    }
    const bytes = updates.reduce((sum, update) => sum + update.length, 0)
    this.#keeper.opened(boardId, { rows: updates.length, bytes, snapshotBytes: snapshot?.state.length ?? 0 })
    return { snapshot: snapshot?.state ?? null, updates, authors }
  }

  async readSince(boardId: string, mark: unknown): Promise<LogNews> {
    const logMark = mark as LogMark | null // it was returned by this function
    const news = await readSince(this.#database, boardId, logMark).catch((error: unknown) => {
      throw asUnreachable(error)
    })
    const { snapshot } = news
    if (snapshot !== null && !checksumOf(snapshot.state).every((byte, at) => byte === snapshot.checksum[at]))
      throw new BoardroomError('board_unreadable', 'the snapshot does not match its checksum')
    const updates = snapshot === null ? news.updates : [snapshot.state, ...news.updates]
    return { updates, authors: news.authors, mark: news.mark }
  }

  append(
    boardId: string,
    update: Uint8Array,
    authors: readonly Author[],
    sideRows: SideRows | null = null,
  ): Promise<void> {
    if (this.#isClosed) return Promise.reject(new BoardroomError('closing', 'the log is closed'))
    return new Promise((resolve, reject) => {
      this.#queue.push({ boardId, update, authors, sideRows, resolve, reject, isSettled: false })
      this.#unsaved.set(boardId, (this.#unsaved.get(boardId) ?? 0) + update.length)
      this.#totalUnsaved += update.length
      const { mayStartAt } = this.#pace.appended(boardId)
      if (mayStartAt < this.#rest.endsAt - 1 || this.#isEnough) this.#rest.end()
      // Starts later, so that the other appends of this turn get into the first commit too.
      if (this.#running === null) this.#start()
    })
  }

  unsavedBytes(boardId: string): number {
    return this.#unsaved.get(boardId) ?? 0
  }

  get totalUnsavedBytes(): number {
    return this.#totalUnsaved
  }

  get failingSince(): number | null {
    if (this.#failingSince !== null) return this.#failingSince
    const started = this.#commitStarted
    return started !== null && Date.now() - started > slowCommitMs ? started : null
  }

  /** False once commits have failed for a moment: rooms stay open, but no new connections should be accepted or routed here. */
  get isSaving(): boolean {
    const since = this.failingSince
    return since === null || Date.now() - since < shortFailureMs
  }

  idle(boardId: string): void {
    this.#keeper.idle(boardId)
  }

  hurry(): void {
    if (this.#queue.length === 0) return
    this.#pace.hurry()
    this.#rest.end() // so that the delay is computed again
  }

  /** Resolves when everything appended so far is committed or refused; waits while the database is unavailable. */
  async flush(): Promise<void> {
    this.hurry()
    while (this.#running !== null) await this.#running
  }

  /** Stops retrying, and refuses what is still queued with `closing`. Flush first. Does not close the database. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#retry.end()
    this.#rest.end()
    while (this.#running !== null) await this.#running
  }

  async #run(): Promise<void> {
    let retryMs = this.#firstRetryMs
    while (this.#queue.length > 0) {
      const restMs = this.#restMs()
      if (restMs > 0) {
        await this.#rest.for(restMs)
        continue // new appends may have postponed the commit
      }
      const batch = this.#take()
      this.#underWay = batch
      this.#pace.started(batch)
      const leftOver = await this.#commit(batch)
      this.#pace.ended(batch)
      this.#underWay = []
      if (leftOver.length === 0) {
        retryMs = this.#firstRetryMs
        continue
      }
      this.#queue = [...leftOver, ...this.#queue]
      if (this.#isClosed) {
        const message = 'the server closed before the database took this edit'
        this.#refuse(new BoardroomError('closing', message), this.#queue.splice(0))
        break
      }
      await this.#retry.for(retryMs)
      retryMs = Math.min(retryMs * 2, lastRetryMs)
    }
    this.#running = null
  }

  #start(): void {
    const running = Promise.resolve().then(() => this.#run())
    this.#running = running.catch((error: unknown) => this.#broken(error))
  }

  /** Should be impossible. Refuses the current commit, and continues with what is queued. */
  #broken(error: unknown): void {
    this.#log.error({ err: error, unsavedBytes: this.#totalUnsaved }, 'the log failed')
    this.#running = null
    this.#commitStarted = null
    this.#refuse(new BoardroomError('internal', 'the log failed', { cause: error }), this.#underWay.splice(0))
    if (this.#queue.length > 0) this.#start()
  }

  #refuse(error: BoardroomError, refused: readonly Queued[]): void {
    for (const queued of refused) {
      this.#settle(queued)
      queued.reject(error)
    }
  }

  #take(): Queued[] {
    let bytes = 0
    let count = 0
    for (const { update } of this.#queue) {
      bytes += update.length
      if (count > 0 && (bytes > this.#maxCommitBytes || count >= mostRowsPerCommit)) break
      count++
    }
    const batch = this.#queue
    this.#queue = batch.splice(count)
    return batch
  }

  /** @returns what must be retried, in order; everything else is committed or refused. */
  async #commit(batch: Queued[]): Promise<Queued[]> {
    this.#commitStarted ??= Date.now()
    const started = this.#commitStarted
    try {
      await insertUpdates(this.#database, batch, {
        timeoutMs: this.#commitTimeoutMs,
        isPrepared: this.#isPrepared,
      })
    } catch (error) {
      this.#commitStarted = null
      if (this.#isPrepared && isPoolerError(error)) {
        this.#isPrepared = false
        this.#log.info(
          'the database is behind a pooler that loses prepared statements; continuing without them',
        )
        return this.#commit(batch)
      }
      if (isRefusal(error)) return this.#isolate(batch, error)
      if (this.#failingSince === null) {
        this.#failingSince = started
        this.#log.error(
          { err: error, unsavedBytes: this.#totalUnsaved },
          'edits cannot be saved; trying again',
        )
      }
      return batch
    }
    this.#commitStarted = null
    if (this.#failingSince !== null) {
      this.#log.warn({ seconds: (Date.now() - this.#failingSince) / 1000 }, 'edits are saved again')
      this.#failingSince = null
    }
    this.#committed(batch)
    return []
  }

  /** The database refuses something in the batch: finds it by committing board by board, then append by append. */
  async #isolate(batch: Queued[], error: unknown): Promise<Queued[]> {
    const [first] = batch
    if (batch.length === 1 && first !== undefined) {
      this.#log.error({ err: error, boardId: first.boardId }, 'the database refuses an edit of this board')
      const refusal = isMissingReference(error)
        ? new BoardroomError('not_found', 'this board no longer exists', { cause: error })
        : new BoardroomError('internal', 'the database refuses this edit', { cause: error })
      this.#refuse(refusal, [first])
      return []
    }
    const byBoard = new Map<string, Queued[]>()
    for (const queued of batch) {
      const own = byBoard.get(queued.boardId)
      if (own === undefined) byBoard.set(queued.boardId, [queued])
      else own.push(queued)
    }
    const parts = byBoard.size > 1 ? byBoard.values() : batch.map((queued) => [queued])
    const leftOver: Queued[] = []
    for (const part of parts) {
      // If the database has become unavailable, the others need not be tried.
      if (leftOver.length > 0) leftOver.push(...part)
      else leftOver.push(...(await this.#commit(part)))
    }
    return leftOver
  }

  #committed(batch: Queued[]): void {
    const grown = new Map<string, { rows: number; bytes: number }>()
    for (const queued of batch) {
      const size = grown.get(queued.boardId) ?? { rows: 0, bytes: 0 }
      size.rows++
      size.bytes += queued.update.length
      grown.set(queued.boardId, size)
      this.#settle(queued)
      queued.resolve()
    }
    for (const [boardId, { rows, bytes }] of grown) this.#keeper.grew(boardId, rows, bytes)
    if (batch.some(({ sideRows }) => (sideRows?.byAgents.length ?? 0) > 0)) this.#onAgentEdits()
  }

  #settle(queued: Queued): void {
    if (queued.isSettled) return
    queued.isSettled = true
    const { boardId, update } = queued
    this.#totalUnsaved -= update.length
    const left = (this.#unsaved.get(boardId) ?? 0) - update.length
    if (left > 0) this.#unsaved.set(boardId, left)
    else this.#unsaved.delete(boardId)
  }

  get #isEnough(): boolean {
    return this.#totalUnsaved >= Math.min(this.#maxCommitBytes, mostWaitingBytes)
  }

  #restMs(): number {
    return this.#isClosed || this.#isEnough ? 0 : this.#pace.restMs()
  }
}
