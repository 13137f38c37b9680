// The document of one room. Stored bytes are enough to show it; a Y.Doc is built when somebody writes to it or asks
// for a difference, and not before: most boards that are opened are only looked at.
import * as Y from 'yjs'
import { hasPending } from '../documents/content.ts'
import { BoardroomError } from '../errors.ts'
import type { Clock } from './clock.ts'
import type { Cut, StoredBoard } from './ports.ts'

/** Below this, building takes about as long as a turn of the loop takes anyway. */
const smallBytes = 64 * 1024
const sliceMs = 4

type Content =
  | { name: 'stored'; snapshot: Uint8Array | null; updates: readonly Uint8Array[] }
  | { name: 'built'; doc: Y.Doc }

export class BoardDocument {
  #content: Content
  #building: Promise<Y.Doc> | null = null
  #stateVector: Uint8Array | null = null
  /** Encoded size: exact after `encode`, afterwards at most this. */
  #atMostBytes: number
  #measuredBytes: number
  #emitted: Uint8Array | null = null
  readonly #clock: Clock
  readonly #cut: Cut
  readonly #onBuilt: () => void

  constructor(stored: StoredBoard, options: { clock: Clock; cut?: Cut | undefined; onBuilt: () => void }) {
    this.#content = { name: 'stored', snapshot: stored.snapshot, updates: stored.updates }
    this.#clock = options.clock
    this.#cut = options.cut ?? (async (state) => [state])
    this.#onBuilt = options.onBuilt
    this.#atMostBytes = stored.updates.reduce(
      (sum, update) => sum + update.length,
      stored.snapshot?.length ?? 0,
    )
    this.#measuredBytes = this.#atMostBytes
  }

  /** The Y.Doc, where there is one. Read it; changes go through `transact`. */
  get doc(): Y.Doc | null {
    return this.#content.name === 'built' ? this.#content.doc : null
  }

  /** What storage gave, as long as that is all there is. */
  get stored(): { snapshot: Uint8Array | null; updates: readonly Uint8Array[] } | null {
    return this.#content.name === 'stored' ? this.#content : null
  }

  /** Builds the Y.Doc at once where that is quick. @returns null where it is not: then `build` does. */
  buildQuickly(): Y.Doc | null {
    if (this.#content.name === 'built') return this.#content.doc
    if (this.#building !== null || this.#atMostBytes > smallBytes) return null
    const { snapshot, updates } = this.#content
    const doc = new Y.Doc()
    doc.transact(() => {
      if (snapshot !== null) Y.applyUpdate(doc, snapshot)
      for (const update of updates) Y.applyUpdate(doc, update)
    })
    return this.#built(doc)
  }

  /** Builds the Y.Doc, letting others have their turns between portions of the state and rows. @throws what Yjs throws at bad bytes. */
  async build(): Promise<Y.Doc> {
    const doc = this.buildQuickly()
    if (doc !== null) return doc
    if (this.#content.name === 'built') return this.#content.doc
    this.#building ??= this.#buildInSlices(this.#content.snapshot, this.#content.updates)
    return await this.#building
  }

  /**
   * Runs `change` in one transaction.
   * @returns everything that it changed, as one update v1; null where that is nothing.
   * @throws what `change` or Yjs throws; the document must not be used any more then.
   */
  transact(doc: Y.Doc, change: () => void): Uint8Array | null {
    this.#emitted = null
    doc.transact(change)
    const update = this.#emitted as Uint8Array | null // set by the listener while the transaction ended
    this.#emitted = null
    return update
  }

  /**
   * Applies one update inside `transact`.
   * @returns incomplete: it rests on what the document lacks. That part is dropped, so that nothing waits in memory
   *   that no log holds.
   */
  apply(doc: Y.Doc, update: Uint8Array): 'complete' | 'incomplete' {
    const waited = hasPending(doc)
    Y.applyUpdate(doc, update)
    // What other nodes wrote may wait for what is not there yet: it is in the log, and stays.
    if (waited || !hasPending(doc)) return 'complete'
    doc.store.pendingStructs = null
    doc.store.pendingDs = null
    return 'incomplete'
  }

  /** Applies inside `transact` what another node has applied: where something is missing still, it waits for that. */
  applyRemote(doc: Y.Doc, update: Uint8Array): void {
    Y.applyUpdate(doc, update)
  }

  /** Whether something waits for what the document lacks. */
  get isIncomplete(): boolean {
    return this.doc !== null && hasPending(this.doc)
  }

  /**
   * What `change` does to a copy of the document, as updates v1. The document itself is never in foreign hands: a
   * change that throws, or continues after it has returned, changes nothing.
   * @throws what `change` throws
   */
  rehearse(doc: Y.Doc, change: (copy: Y.Doc) => unknown): Uint8Array[] {
    const copy = new Y.Doc()
    try {
      Y.applyUpdate(copy, this.encode(doc))
      const updates: Uint8Array[] = []
      copy.on('update', (update: Uint8Array) => updates.push(update))
      const returned = copy.transact(() => change(copy))
      if (returned instanceof Promise) {
        returned.catch(() => undefined) // its caller hears of it here
        throw new BoardroomError(
          'invalid_request',
          'a change must be done when it returns; it gave a promise',
        )
      }
      return updates
    } finally {
      copy.destroy()
    }
  }

  /** Encoded; kept until something changes. Null where it would take a scan of a large snapshot to know. */
  stateVector(): Uint8Array | null {
    if (this.#stateVector !== null) return this.#stateVector
    if (this.#content.name === 'built') this.#stateVector = Y.encodeStateVector(this.#content.doc)
    else if (this.#atMostBytes === 0) this.#stateVector = Uint8Array.of(0)
    else if (this.#atMostBytes <= smallBytes) this.#stateVector = this.#stateVectorOfStored(this.#content)
    return this.#stateVector
  }

  /** The whole state, as one update. */
  encode(doc: Y.Doc): Uint8Array {
    const state = Y.encodeStateAsUpdate(doc)
    this.#atMostBytes = state.length
    this.#measuredBytes = state.length
    return state
  }

  /** Whether `moreBytes` still fit; measured again only where enough was written to make a difference. */
  hasRoomFor(moreBytes: number, maxBytes: number): boolean {
    if (this.#atMostBytes + moreBytes <= maxBytes) return true
    const { doc } = this
    if (doc === null || this.#atMostBytes - this.#measuredBytes < maxBytes / 16) return false
    return this.encode(doc).length + moreBytes <= maxBytes
  }

  destroy(): void {
    this.doc?.destroy()
  }

  #stateVectorOfStored({
    snapshot,
    updates,
  }: {
    snapshot: Uint8Array | null
    updates: readonly Uint8Array[]
  }): Uint8Array | null {
    if (snapshot !== null && updates.length === 0) return Y.encodeStateVectorFromUpdate(snapshot)
    const doc = this.buildQuickly()
    return doc === null ? null : Y.encodeStateVector(doc)
  }

  async #buildInSlices(snapshot: Uint8Array | null, updates: readonly Uint8Array[]): Promise<Y.Doc> {
    const doc = new Y.Doc()
    // Where the worker is busy or gone, in one go: late for others, but not for ever.
    const portions = snapshot === null ? [] : await this.#cut(snapshot).catch(() => [snapshot])
    const parts = [...portions, ...updates]
    for (let next = 0; next < parts.length; ) {
      await this.#turn()
      const until = this.#clock.now() + sliceMs
      doc.transact(() => {
        do
          Y.applyUpdate(doc, parts[next++] as Uint8Array) // next is below the length
        while (next < parts.length && this.#clock.now() < until)
      })
    }
    return this.#built(doc)
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#clock.after(0, resolve))
  }

  #built(doc: Y.Doc): Y.Doc {
    doc.on('update', (update: Uint8Array) => {
      this.#emitted = update
      this.#stateVector = null
      this.#atMostBytes += update.length
    })
    this.#content = { name: 'built', doc }
    this.#building = null
    this.#onBuilt()
    return doc
  }
}
