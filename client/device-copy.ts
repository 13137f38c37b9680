// What this device stores of one board for one user: changes that the server has not confirmed, so that they survive
// a reload without a network; and a mark that there are any, for a user who is no longer allowed to write when coming
// back.
import * as Y from 'yjs'

/** The store of unconfirmed changes; also the origin of the transaction that restores them to the document. */
export interface LocalStore {
  /** State of the changes made here: all are stored, some are being written, some could not be stored. */
  readonly state: 'kept' | 'writing' | 'failed'
  /** Everything stored is in the document, and every later change made here is being stored. */
  whenLoaded: Promise<unknown>
  /** Everything in the document is on the server: delete it. */
  saved(): void
  close(): Promise<void>
  /** Delete everything and close. */
  clear(): Promise<void>
}

export interface DeviceOptions {
  /** One store per board and user; reports each new `state`. Null if the device stores nothing. */
  openStore: ((name: string, doc: Y.Doc, changed: () => void) => LocalStore) | null
  /** Remembers across reloads whether the store `name` holds unsent changes. */
  marks: { get(name: string): boolean; set(name: string, isMarked: boolean): void }
  /** Documents of the board from before it was rebuilt, as Yjs updates v1, newest first. */
  formerDocuments?: () => Promise<Uint8Array[]>
}

/** `close()` when the session ends. */
export class DeviceCopy {
  readonly #options: DeviceOptions
  #store: LocalStore | null = null

  constructor(options: DeviceOptions) {
    this.#options = options
  }

  /**
   * After the first sync: whatever it adds to `doc` was unsent.
   * @param changed there is a new `state`
   * @param misfit the stored changes build on another document than the server has now: `doc` is unusable.
   */
  open(name: string, doc: Y.Doc, changed: () => void, misfit: () => void): void {
    if (this.#options.openStore === null || this.#store !== null) return
    const store = this.#options.openStore(name, doc, changed)
    this.#store = store
    store.whenLoaded.then(
      () => {
        if (this.#store !== store || !isIncomplete(doc)) return
        // Kept until it is recovered, whatever the server confirms meanwhile.
        this.#store = null
        store.close().then(misfit, misfit)
      },
      () => {
        if (this.#store === store) this.#store = null // a private window, a full disk: the server still has everything
      },
    )
  }

  /** Whether the device stores the changes that wait for the server. */
  get state(): LocalStore['state'] {
    return this.#store?.state ?? 'failed'
  }

  isOrigin(origin: unknown): boolean {
    return origin !== null && origin === this.#store
  }

  saved(): void {
    this.#store?.saved()
  }

  mark(name: string, isMarked: boolean): void {
    if (this.#options.openStore !== null) this.#options.marks.set(name, isMarked)
  }

  async forget(name: string): Promise<void> {
    const store = this.#store
    this.#store = null
    this.mark(name, false)
    // The device's store may be broken; then there is nothing to delete.
    await store?.clear().catch(() => {})
  }

  /**
   * Unsent changes from an earlier visit that can no longer be sent, because their user may not write, or the board
   * has been rebuilt since: removed from the store.
   * @returns a copy of `doc`, or of the document that it replaced, that includes them; null if there are none to
   * read.
   */
  async recover(name: string, doc: Y.Doc): Promise<Y.Doc | null> {
    const { openStore, marks, formerDocuments } = this.#options
    if (openStore === null || !marks.get(name)) return null
    try {
      const now = await this.#withKept(name, Y.encodeStateAsUpdate(doc))
      if (!isIncomplete(now)) return now
      for (const state of (await formerDocuments?.()) ?? []) {
        const then = await this.#withKept(name, state)
        if (!isIncomplete(then)) return then
      }
      return null
    } catch {
      return null // unreadable: nothing to offer
    } finally {
      // The device's store may be broken; then there is nothing to delete.
      await openStore(name, new Y.Doc(), () => {})
        .clear()
        .catch(() => {})
      this.mark(name, false)
    }
  }

  async #withKept(name: string, state: Uint8Array): Promise<Y.Doc> {
    const copy = new Y.Doc()
    Y.applyUpdate(copy, state)
    const store = this.#options.openStore?.(name, copy, () => {})
    await store?.whenLoaded
    await store?.close()
    return copy
  }

  /** @param forget also delete what is stored. */
  async close(forget: boolean): Promise<void> {
    const store = this.#store
    this.#store = null
    await (forget ? store?.clear() : store?.close())
  }
}

/** Changes were applied that depend on others, which `doc` lacks. */
const isIncomplete = (doc: Y.Doc): boolean =>
  doc.store.pendingStructs !== null || doc.store.pendingDs !== null
