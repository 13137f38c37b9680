// The edits of one room, from the moment they come in until they are committed. They wait for a window (led: after a
// pause they are applied at once, and what follows within 5 ms together), go out as one update, and into the log.
import { type Doc, getState } from 'yjs'
import { touchesOf } from '../../documents/element-touches.ts'
import type { Clock, Timer } from '../clock.ts'
import type { BoardDocument } from '../document.ts'
import type { AgentEdits, Author, DryRun, SideRows, StoredBoard, UpdateLog } from '../ports.ts'
import { agentEdits, agentOf, readingsOf } from './agent-edits.ts'
import { Commits } from './commits.ts'
import { DryRuns } from './dry-runs.ts'
import type { Edit, Editor } from './edit.ts'
import { Judge, type Judged, type JudgeOptions } from './judge.ts'
import { sideRowsOf, type Telling } from './side-rows.ts'

const windowMs = 5
const mostWaitingBytes = 1024 * 1024
const mostWaitingEdits = 1000
/** Unsaved bytes of a room, and of all, beyond which its writers are not read until some of it is committed. */
const mostUnsavedBytes = 8 * 1024 * 1024
const mostUnsavedBytesOfAll = 128 * 1024 * 1024

export interface EditWindowOptions extends Omit<JudgeOptions, 'dryRuns'> {
  boardId: string
  log: UpdateLog
  dryRun: DryRun | undefined
  /** Everybody but `soleWriter`, who wrote it all, gets this update. */
  onUpdate: (update: Uint8Array, soleWriter: Editor | null) => void
  /** An update is on its way to the log. */
  onStored: (
    update: Uint8Array,
    by: { authors: readonly Author[]; sideRows: SideRows | null },
    appended: Promise<void>,
  ) => void
  /** The board has reached its size limit. */
  onFull: () => void
  /** More is unsaved than memory may hold, and the database is away. */
  onOverflow: () => void
  /** The room cannot continue: Yjs threw, the stored board cannot be built, or the log refused an update for good. */
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
  /** What other nodes wrote while the document was built. */
  #remote: { updates: readonly Uint8Array[]; authors: readonly Author[] }[] = []
  #isClosed = false
  /** Editors who wait for the outcome of an edit. */
  readonly #unsettled = new Set<Editor>()
  readonly #heldForStorage = new Set<Editor>()

  constructor(options: EditWindowOptions) {
    this.#options = options
    this.#document = options.document
    this.#clock = options.clock
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

  get commits(): Commits {
    return this.#commits
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

  /** Applies what waits, hands it to the log, and shows it; later where the document must be built first. Never throws. */
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

  /** Resolves once there is a document, and everything that waited for it is applied. Never rejects. */
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
   * A change by the server: applied, on its way to the log, and shown when this returns.
   * @param updates v1, checked against `doc` as it is now; empty where nothing changes.
   * @param author principal that the new client ids are recorded under.
   * @param tell what is committed with it.
   * @returns whether anything changed.
   * @throws where it cannot be applied: the room is over then.
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
   * Applies and shows what another node applied already.
   * @param authors the other node's last word on each.
   * @param kept resolves once it is in the log; null where it is there. What comes after it is not saved before.
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

  /** Resolves once nothing waits, neither for the document nor for the log. */
  async finished(): Promise<void> {
    if (this.#building !== null) await this.#building
    this.flush()
    this.#options.log.hurry()
    await this.#commits.finished()
  }

  /** Resolves once everything applied by now is committed, without waiting for more. @throws what the log threw */
  settled(): Promise<void> {
    this.#options.log.hurry()
    return this.#commits.settled()
  }

  left(editor: Editor): void {
    this.#dryRuns.left(editor)
    // It cannot bring back what is lost from here on.
    if (this.#unsettled.has(editor)) this.#options.log.hurry()
    this.#unsettled.delete(editor)
    this.#heldForStorage.delete(editor)
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#timer = null
    this.#waiting = []
    this.#remote = []
  }

  /** What is applied by now, this turn included, as the log has it. */
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

  /** @throws whatever goes wrong: what the document has and the log lacks is forgotten with the room then. */
  #apply(edits: readonly Edit[], doc: Doc | null): void {
    const judged = this.#judge.judge(edits, doc)
    const { change } = judged
    if (change !== null) {
      // First the log: whatever happens while it is shown, nothing is on the board that is not on its way to the disk.
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
    this.#slowDown(judged.outcomes)
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
          throw new Error('a change left something pending')
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

  /** Hands an update that is applied already to the log. */
  #store(update: Uint8Array, authors: readonly Author[], sideRows: SideRows | null): void {
    const { log, boardId, onStored } = this.#options
    const appended = log.append(boardId, update, authors, sideRows)
    this.#commits.follow(appended, (error) => this.#fail('refused', error))
    onStored(update, { authors, sideRows }, appended)
  }

  #progressed(committed: number): void {
    for (const editor of this.#unsettled)
      if (!editor.isOpen || !editor.progress(committed)) this.#unsettled.delete(editor)
    if (this.#heldForStorage.size === 0 || this.#isOverfull(0.5)) return
    for (const editor of this.#heldForStorage) editor.release('storage')
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
      if (outcome.name !== 'effective' || !edit.editor.isOpen) continue
      edit.editor.hold('storage')
      this.#heldForStorage.add(edit.editor)
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
    this.#options.onFailure({ name, error, culprit: name === 'broken' ? this.#judge.current : null })
  }
}
