// The edits of one room, from the moment they come in until they are committed. They wait for a window (led: after a
// pause they are applied at once, and what follows within 5 ms together), go out as one update, and into the log.
import type { Doc } from 'yjs'
import type { Clock, Timer } from '../clock.ts'
import type { Connection } from '../connection/connection.ts'
import type { BoardDocument } from '../document.ts'
import type { Author, DryRun, StoredBoard, UpdateLog } from '../ports.ts'
import { Commits } from './commits.ts'
import { DryRuns } from './dry-runs.ts'
import { type Edit, Edits, type EditsOptions, type Judged } from './edits.ts'

const windowMs = 5
const mostWaitingBytes = 1024 * 1024
const mostWaitingEdits = 1000
/** Unsaved bytes of a room, and of all, beyond which its writers are not read until some of it is committed. */
const mostUnsavedBytes = 8 * 1024 * 1024
const mostUnsavedBytesOfAll = 128 * 1024 * 1024

export interface EditWindowOptions extends Omit<EditsOptions, 'dryRuns'> {
  boardId: string
  log: UpdateLog
  dryRun: DryRun | undefined
  /** Everybody but `soleWriter`, who wrote it all, gets this update. */
  onUpdate: (update: Uint8Array, soleWriter: Connection | null) => void
  /** The board has reached its size limit. */
  onFull: () => void
  /** More is unsaved than memory may hold, and the database is away. */
  onOverflow: () => void
  /** The room cannot go on: Yjs threw, the stored board cannot be built, or the log refused an update for good. */
  onFailure: (failure: {
    name: 'broken' | 'unreadable' | 'refused'
    error: unknown
    culprit: Edit | null
  }) => void
}

export class EditWindow {
  readonly #options: EditWindowOptions
  readonly #document: BoardDocument
  readonly #clock: Clock
  readonly #edits: Edits
  readonly #dryRuns: DryRuns
  readonly #commits: Commits
  #waiting: Edit[] = []
  #waitingBytes = 0
  #timer: Timer | null = null
  #flushedAt = Number.NEGATIVE_INFINITY
  #building: Promise<void> | null = null
  #isClosed = false
  /** Who still has to be told of something. */
  readonly #unsettled = new Set<Connection>()
  readonly #heldForStorage = new Set<Connection>()

  constructor(options: EditWindowOptions) {
    this.#options = options
    this.#document = options.document
    this.#clock = options.clock
    this.#dryRuns = new DryRuns({
      load: () => this.#stored(),
      dryRun: options.dryRun,
      onOver: (edits) => {
        for (const edit of edits) this.add(edit)
      },
    })
    this.#edits = new Edits({ ...options, dryRuns: this.#dryRuns })
    this.#commits = new Commits((committed) => this.#progressed(committed))
  }

  get commits(): Commits {
    return this.#commits
  }

  add(edit: Edit): void {
    if (this.#isClosed) return
    this.#waiting.push(edit)
    this.#waitingBytes += edit.update.length
    if (this.#building !== null) edit.connection.pace.hold('document')
    else if (this.#waitingBytes > mostWaitingBytes || this.#waiting.length >= mostWaitingEdits) this.flush()
    else if (this.#timer === null) {
      const pauseMs = this.#clock.now() - this.#flushedAt
      if (pauseMs >= windowMs) this.flush()
      else this.#timer = this.#clock.after(windowMs - pauseMs, () => this.flush())
    }
  }

  /** Applies what waits, shows it, and hands it to the log; later where the document must be built first. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = null
    if (this.#isClosed || this.#building !== null || this.#waiting.length === 0) return
    let doc: Doc | null = null
    if (Edits.needDocument(this.#waiting)) {
      try {
        doc = this.#document.buildQuickly()
      } catch (error) {
        this.#fail('unreadable', error)
        return
      }
      if (doc === null) return void this.build()
    }
    const edits = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    this.#flushedAt = this.#clock.now()
    let judged: Judged
    try {
      judged = this.#edits.judge(edits, doc)
    } catch (error) {
      this.#fail('broken', error)
      return
    }
    const { change } = judged
    if (change !== null) {
      this.#options.onUpdate(change.update, change.soleWriter)
      this.store(change.update, change.authors)
    }
    this.#settle(judged)
    if (judged.isFull) this.#options.onFull()
  }

  /** Resolves once there is a document, and everything that waited for it is applied. Never rejects. */
  build(): Promise<void> {
    if (this.#document.doc !== null) return Promise.resolve()
    for (const { connection } of this.#waiting) connection.pace.hold('document')
    this.#building ??= this.#document.build().then(
      () => this.#built(),
      (error: unknown) => this.#fail('unreadable', error),
    )
    return this.#building
  }

  /** Hands an update that is applied already to the log. */
  store(update: Uint8Array, authors: readonly Author[]): void {
    const { log, boardId } = this.#options
    this.#commits.follow(log.append(boardId, update, authors), (error) => this.#fail('refused', error))
  }

  /** Resolves once nothing waits, neither for the document nor for the log. */
  async finished(): Promise<void> {
    if (this.#building !== null) await this.#building
    this.flush()
    await this.#commits.finished()
  }

  left(connection: Connection): void {
    this.#dryRuns.left(connection)
    this.#unsettled.delete(connection)
    this.#heldForStorage.delete(connection)
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#timer = null
    this.#waiting = []
  }

  /** What is applied by now, this turn included, as the log has it. */
  async #stored(): Promise<StoredBoard> {
    await Promise.resolve()
    await this.#commits.settled()
    return await this.#options.log.load(this.#options.boardId)
  }

  #built(): void {
    this.#building = null
    const held = new Set(this.#waiting.map((edit) => edit.connection))
    this.flush()
    for (const connection of held) if (connection.isOpen) connection.pace.release('document')
  }

  #settle({ outcomes }: Judged): void {
    const after = this.#commits.issued
    for (const { edit, outcome } of outcomes) {
      const { connection, count } = edit
      if (!connection.isOpen) continue
      switch (outcome.name) {
        case 'effective':
        case 'without effect':
          // Without effect of its own, it may still rest on what is not committed yet.
          if (outcome.problem === null) connection.saved.effective(count, after)
          else connection.saved.refused(count, after, outcome.problem)
          connection.resync.accepted()
          if (edit.isStep2) connection.saved.answered(after)
          break
        case 'refused':
          // What it lacked was part of this answer, and is refused with it.
          if (edit.isStep2) connection.saved.answered(after)
          connection.saved.refused(count, after, { code: outcome.code, message: outcome.message })
          if (outcome.kind === 'violation') connection.violated()
          if (outcome.kind === 'contradicted') connection.contradicted(outcome.message)
          break
        case 'dropped':
          connection.dropped(count)
          break
      }
      if (connection.isOpen && connection.saved.isWaiting) this.#unsettled.add(connection)
    }
    this.#progressed(this.#commits.committed)
    this.#slowDown(outcomes)
  }

  #progressed(committed: number): void {
    for (const connection of this.#unsettled) {
      connection.saved.progress(committed)
      if (!connection.saved.isWaiting) this.#unsettled.delete(connection)
    }
    if (this.#heldForStorage.size === 0 || this.#isOverfull(0.5)) return
    for (const connection of this.#heldForStorage) connection.pace.release('storage')
    this.#heldForStorage.clear()
  }

  /** Memory holds only so much that no disk holds: a log that is slow slows the writers, one that is away ends it. */
  #slowDown(outcomes: Judged['outcomes']): void {
    if (!this.#isOverfull(1)) return
    if (this.#options.log.failingSince !== null) {
      this.#options.onOverflow()
      return
    }
    for (const { edit, outcome } of outcomes) {
      if (outcome.name !== 'effective' || !edit.connection.isOpen) continue
      edit.connection.pace.hold('storage')
      this.#heldForStorage.add(edit.connection)
    }
  }

  #isOverfull(share: number): boolean {
    const { log, boardId } = this.#options
    const unsaved = log.unsavedBytes(boardId)
    return (
      unsaved > mostUnsavedBytes * share ||
      (unsaved > 0 && log.totalUnsavedBytes > mostUnsavedBytesOfAll * share)
    )
  }

  #fail(name: 'broken' | 'unreadable' | 'refused', error: unknown): void {
    if (this.#isClosed) return
    this.close()
    this.#building = null
    this.#options.onFailure({ name, error, culprit: name === 'broken' ? this.#edits.current : null })
  }
}
