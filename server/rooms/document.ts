// The document of one room. To show it, the stored bytes are enough; a Y.Doc is only built when somebody edits it or asks
// for a difference, because most open boards are only viewed.
import * as Y from 'yjs'
import { hasPending } from '../documents/content.ts'
import { BoardroomError } from '../errors.ts'
import type { Clock } from './clock.ts'
import type { Cut, StoredBoard } from './ports.ts'

/** Up to this size, building takes about as long as a turn of the event loop. */
const smallBytes = 64 * 1024
const sliceMs = 4

type Content =
  | { name: 'stored'; snapshot: Uint8Array | null; updates: readonly Uint8Array[] }
  | { name: 'built'; doc: Y.Doc }

export class BoardDocument {
  #content: Content
  #building: Promise<Y.Doc> | null = null
  #stateVector: Uint8Array | null = null
  /** An upper bound of the encoded size; exact after `encode`. */
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

  /** The Y.Doc if it is built. For reading; changes go through `transact`. */
  get doc(): Y.Doc | null {
    return this.#content.name === 'built' ? this.#content.doc : null
  }

  /** The stored bytes, until the Y.Doc is built. */
  get stored(): { snapshot: Uint8Array | null; updates: readonly Uint8Array[] } | null {
    return this.#content.name === 'stored' ? this.#content : null
  }

  /** Builds the Y.Doc now if that is quick. @returns null if it is not; use `build` then. */
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

  /** Builds the Y.Doc in slices, with turns of the event loop in between. @throws errors of Yjs for invalid bytes */
  async build(): Promise<Y.Doc> {
    const doc = this.buildQuickly()
    if (doc !== null) return doc
    if (this.#content.name === 'built') return this.#content.doc
    this.#building ??= this.#buildInSlices(this.#content.snapshot, this.#content.updates)
    return await this.#building
  }

  /**
   * Runs `change` in one transaction.
   * @returns everything that it changed, as one update v1; null if nothing changed.
   * @throws errors of `change` or Yjs; the document must not be used any more then.
   */
  transact(doc: Y.Doc, change: () => void): Uint8Array | null {
    this.#emitted = null
    doc.transact(change)
    const update = this.#emitted as Uint8Array | null // set by the listener at the end of the transaction
    this.#emitted = null
    return update
  }

  /**
   * Applies one update inside `transact`.
   * @returns incomplete: part of it depends on missing edits. That part is dropped, so that nothing waits in memory that
   *   is not in the log.
   */
  apply(doc: Y.Doc, update: Uint8Array): 'complete' | 'incomplete' {
    const waited = hasPending(doc)
    Y.applyUpdate(doc, update)
    // Updates from other nodes may wait for missing edits; they are in the log, and stay.
    if (waited || !hasPending(doc)) return 'complete'
    doc.store.pendingStructs = null
    doc.store.pendingDs = null
    return 'incomplete'
  }

  /** Applies an update from another node inside `transact`. If edits are missing, it waits for them. */
  applyRemote(doc: Y.Doc, update: Uint8Array): void {
    Y.applyUpdate(doc, update)
  }

  /** Whether updates wait for missing edits. */
  get isIncomplete(): boolean {
    return this.doc !== null && hasPending(this.doc)
  }

  /**
   * What `change` does to a copy of the document, as updates v1. The document itself is never passed on, so a change that
   * throws, or continues after it has returned, changes nothing.
   * @throws errors of `change`
   */
  rehearse(doc: Y.Doc, change: (copy: Y.Doc) => unknown): Uint8Array[] {
    const copy = new Y.Doc()
    try {
      Y.applyUpdate(copy, this.encode(doc))
      const updates: Uint8Array[] = []
      copy.on('update', (update: Uint8Array) => updates.push(update))
      const returned = copy.transact(() => change(copy))
      if (returned instanceof Promise) {
        returned.catch(() => undefined) // reported by the error below
        throw new BoardroomError('invalid_request', 'a change must be synchronous; it returned a promise')
      }
      return updates
    } finally {
      copy.destroy()
    }
  }

  /** Encoded and cached until the next change. Null if a large snapshot would have to be scanned for it. */
  stateVector(): Uint8Array | null {
    if (this.#stateVector !== null) return this.#stateVector
    if (this.#content.name === 'built') this.#stateVector = Y.encodeStateVector(this.#content.doc)
    else if (this.#atMostBytes === 0) this.#stateVector = Uint8Array.of(0)
    else if (this.#atMostBytes <= smallBytes) this.#stateVector = this.#stateVectorOfStored(this.#content)
    return this.#stateVector
  }

  /** The full state, as one update. */
  encode(doc: Y.Doc): Uint8Array {
    const state = Y.encodeStateAsUpdate(doc)
    this.#atMostBytes = state.length
    this.#measuredBytes = state.length
    return state
  }

  /** Whether `moreBytes` still fit. Measures again only if enough was written to make a difference. */
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
    // If the worker is busy or gone, in one go: others wait, but not forever.
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
