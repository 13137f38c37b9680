// The edits of one room, from their arrival until they are committed. An edit after a pause is applied immediately, and
// those that arrive within the next 5 ms together: each window is sent to the others, and logged, as one update.
import { type Doc, getState } from 'yjs'
import { touchesOf } from '../../documents/element-touches.ts'
import type { Clock, Timer } from '../clock.ts'
import type { BoardDocument } from '../document.ts'
import type { AgentEdits, Author, DryRun, SideRows, StoredBoard, UpdateLog } from '../ports.ts'
import { agentEdits, agentOf, readingsOf } from './agent-edits.ts'
import { Commits } from './commits.ts'
import { DryRuns } from './dry-runs.ts'
import type { Edit, Editor } from './edit.ts'
import { Judge, type JudgeOptions } from './judge.ts'
import { sideRowsOf, type Telling } from './side-rows.ts'
import { StoragePressure } from './storage-pressure.ts'

const windowMs = 5
const mostWaitingBytes = 1024 * 1024
const mostWaitingEdits = 1000

export interface EditWindowOptions extends Omit<JudgeOptions, 'dryRuns'> {
  boardId: string
  log: UpdateLog
  dryRun: DryRun | undefined
  /** Everybody gets this update, except for `soleWriter`, who wrote all of it. */
  onUpdate: (update: Uint8Array, soleWriter: Editor | null) => void
  /** An update is on its way to the log. */
  onStored: (
    update: Uint8Array,
    by: { authors: readonly Author[]; sideRows: SideRows | null },
    appended: Promise<void>,
  ) => void
  /** The board has reached its size limit. */
  onFull: () => void
  /** There are too many unsaved bytes, and the database is unavailable. */
  onOverflow: () => void
  /** The room cannot continue: Yjs threw, the stored board cannot be built, or the log refused an update. */
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
  readonly #judge: Judge
  readonly #dryRuns: DryRuns
  readonly #commits: Commits
  #waiting: Edit[] = []
  #waitingBytes = 0
  #timer: Timer | null = null
  #flushedAt = Number.NEGATIVE_INFINITY
  #building: Promise<void> | null = null
  /** Updates from other nodes that wait until the document is built. */
  #remote: { updates: readonly Uint8Array[]; authors: readonly Author[] }[] = []
  #isClosed = false
  /** Editors that wait until an edit is committed. */
  readonly #unsettled = new Set<Editor>()
  readonly #pressure: StoragePressure

  constructor(options: EditWindowOptions) {
    this.#options = options
    this.#document = options.document
    this.#clock = options.clock
    this.#pressure = new StoragePressure(options)
    this.#dryRuns = new DryRuns({
      load: () => this.#stored(),
      dryRun: options.dryRun,
      trial: options.limits.inspection?.trial,
      onOver: (edits) => {
        for (const edit of edits) this.add(edit)
      },
    })
    this.#judge = new Judge({ ...options, dryRuns: this.#dryRuns })
    this.#commits = new Commits((committed) => this.#progressed(committed))
  }

  add(edit: Edit): void {
    if (this.#isClosed) return
    this.#waiting.push(edit)
    this.#waitingBytes += edit.update.length
    if (this.#building !== null) edit.editor.hold('document')
    else if (this.#waitingBytes > mostWaitingBytes || this.#waiting.length >= mostWaitingEdits) this.flush()
    else if (this.#timer === null) {
      const pauseMs = this.#clock.now() - this.#flushedAt
      if (pauseMs >= windowMs) this.flush()
      else this.#timer = this.#clock.after(windowMs - pauseMs, () => this.flush())
    }
  }

  /** Applies the waiting edits, logs and sends them; later if the document must be built first. Never throws. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = null
    if (this.#isClosed || this.#building !== null || this.#waiting.length === 0) return
    let doc: Doc | null = null
    if (Judge.needsDocument(this.#waiting)) {
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
    try {
      this.#apply(edits, doc)
    } catch (error) {
      this.#fail('broken', error)
    }
  }

  /** Resolves once the document is built and everything that waited for it is applied. Never rejects. */
  build(): Promise<void> {
    if (this.#document.doc !== null) return Promise.resolve()
    for (const { editor } of this.#waiting) editor.hold('document')
    this.#building ??= this.#document
      .build()
      .then(() => this.#built())
      .catch((error: unknown) => this.#fail('unreadable', error))
    return this.#building
  }

  /**
   * A change by the server: applied, handed to the log and sent when this returns.
   * @param updates v1, validated against the current `doc`; empty if nothing changes.
   * @param author the principal under which new client ids are recorded.
   * @param tell gives the rows that are committed with it.
   * @returns whether anything changed.
   * @throws if it cannot be applied; the room ends then.
   */
  change(doc: Doc, updates: readonly Uint8Array[], author: string, tell: Telling | undefined): boolean {
    if (updates.length === 0) return false
    try {
      return this.#change(doc, updates, author, tell)
    } catch (error) {
      this.#fail('broken', error)
      throw error
    }
  }

  /**
   * Applies and sends updates that another node has applied.
   * @param authors as they are after these updates.
   * @param whenCommitted resolves once they are in the log; null if they already are. Nothing that comes later counts as
   *   saved before.
   */
  addRemote(
    updates: readonly Uint8Array[],
    authors: readonly Author[],
    whenCommitted: Promise<void> | null,
  ): void {
    if (this.#isClosed) return
    if (whenCommitted !== null) this.#commits.follow(whenCommitted, (error) => this.#fail('refused', error))
    this.#remote.push({ updates, authors })
    if (this.#building !== null) return
    let doc: Doc | null
    try {
      doc = this.#document.buildQuickly()
    } catch (error) {
      this.#fail('unreadable', error)
      return
    }
    if (doc === null) void this.build()
    else this.#applyRemote(doc)
  }

  /** Resolves once no edit waits for the document or the log. */
  async finished(): Promise<void> {
    if (this.#building !== null) await this.#building
    this.flush()
    this.#options.log.hurry()
    await this.#commits.finished()
  }

  /** Resolves once everything applied so far is committed, without waiting for more. @throws the error of the log */
  settled(): Promise<void> {
    this.#options.log.hurry()
    return this.#commits.settled()
  }

  left(editor: Editor): void {
    this.#dryRuns.left(editor)
    // It can no longer send its edits again if they are lost.
    if (this.#unsettled.has(editor)) this.#options.log.hurry()
    this.#unsettled.delete(editor)
    this.#pressure.left(editor)
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#timer = null
    this.#waiting = []
    this.#remote = []
  }

  /** Everything applied so far, including in this turn, as it is in the log. */
  async #stored(): Promise<StoredBoard> {
    await Promise.resolve()
    await this.settled()
    return await this.#options.log.load(this.#options.boardId)
  }

  #built(): void {
    this.#building = null
    const { doc } = this.#document
    if (doc !== null) this.#applyRemote(doc)
    const held = new Set(this.#waiting.map((edit) => edit.editor))
    this.flush()
    for (const editor of held) if (editor.isOpen) editor.release('document')
  }

  /** @throws any error; the room ends then, and with it whatever is in the document but not in the log. */
  #apply(edits: readonly Edit[], doc: Doc | null): void {
    const judged = this.#judge.judge(edits, doc)
    const { change } = judged
    if (change !== null) {
      // The log comes first, so that nothing is shown that is not on its way to the disk, whatever happens next.
      this.#store(change.update, change.authors, sideRowsOf(change.byAgents))
      this.#options.onUpdate(change.update, change.soleWriter)
    }
    const after = this.#commits.issued
    for (const { edit, outcome } of judged.outcomes) {
      if (!edit.editor.isOpen) continue
      edit.editor.learned(edit, outcome, after)
      this.#unsettled.add(edit.editor)
    }
    this.#progressed(this.#commits.committed)
    this.#pressure.added(judged.outcomes)
    if (judged.isFull) this.#options.onFull()
  }

  #applyRemote(doc: Doc): void {
    const remote = this.#remote
    if (remote.length === 0) return
    this.#remote = []
    try {
      for (const { authors } of remote) this.#options.clientIds.learned(authors)
      const update = this.#document.transact(doc, () => {
        for (const { updates } of remote) for (const each of updates) this.#document.applyRemote(doc, each)
      })
      if (update === null) return
      this.#options.onUpdate(update, null)
      if (!this.#document.hasRoomFor(1, this.#options.limits.maxBoardBytes)) this.#options.onFull()
    } catch (error) {
      this.#fail('broken', error)
    }
  }

  #change(doc: Doc, updates: readonly Uint8Array[], author: string, tell: Telling | undefined): boolean {
    const { clientIds, limits, onUpdate, onFull } = this.#options
    const known = new Set(doc.store.clients.keys())
    const agentId = agentOf(author)
    const byAgents: AgentEdits[] = []
    const update = this.#document.transact(doc, () => {
      for (const each of updates) {
        const before = agentId === null ? null : readingsOf(touchesOf(each, doc), doc)
        if (this.#document.apply(doc, each) === 'incomplete')
          throw new Error('a change depends on missing edits')
        if (agentId !== null && before !== null) byAgents.push(...agentEdits(agentId, before, doc))
      }
    })
    if (update === null) return false
    const fresh = Array.from(doc.store.clients.keys()).filter((clientId) => !known.has(clientId))
    const writer = { principalKey: author, newClientIds: 0, speaksFor: () => false }
    const writes = fresh.map((clientId) => ({
      clientId,
      fromClock: 0,
      toClock: getState(doc.store, clientId),
    }))
    this.#store(update, clientIds.wrote(writer, writes).authors, sideRowsOf(byAgents, tell?.()))
    onUpdate(update, null)
    if (!this.#document.hasRoomFor(1, limits.maxBoardBytes)) onFull()
    return true
  }

  /** Hands an applied update to the log. */
  #store(update: Uint8Array, authors: readonly Author[], sideRows: SideRows | null): void {
    const { log, boardId, onStored } = this.#options
    const appended = log.append(boardId, update, authors, sideRows)
    this.#commits.follow(appended, (error) => this.#fail('refused', error))
    onStored(update, { authors, sideRows }, appended)
  }

  #progressed(committed: number): void {
    for (const editor of this.#unsettled)
      if (!editor.isOpen || !editor.progress(committed)) this.#unsettled.delete(editor)
    this.#pressure.eased()
  }

  #fail(name: 'broken' | 'unreadable' | 'refused', error: unknown): void {
    if (this.#isClosed) return
    this.close()
    this.#building = null
    this.#options.onFailure({ name, error, culprit: name === 'broken' ? this.#judge.current : null })
  }
}
