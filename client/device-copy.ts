// What this device keeps of one board for one user, beside the server: changes that the server has not confirmed, so
// that they survive a reload while the network is away; and a mark that there are any, for a user who may not write
// any more when coming back.
import * as Y from 'yjs'

/** Where unconfirmed changes are; also the origin of the transaction that brings them back into the document. */
export interface LocalStore {
  /** Everything kept is in the document, and every later change made here is being kept. */
  whenLoaded: Promise<unknown>
  /** Everything in the document is on the server: forget it. */
  saved(): void
  close(): Promise<void>
  /** Forget everything and close. */
  clear(): Promise<void>
}

export interface DeviceOptions {
  /** One store for each board and user. Null where the device keeps nothing. */
  openStore: ((name: string, doc: Y.Doc) => LocalStore) | null
  /** Remembers across reloads whether the store `name` holds unsent changes. */
  marks: { get(name: string): boolean; set(name: string, isMarked: boolean): void }
}

/** `close()` when the session ends. */
export class DeviceCopy {
  readonly #options: DeviceOptions
  #store: LocalStore | null = null

  constructor(options: DeviceOptions) {
    this.#options = options
  }

  /** After the first sync: what it adds to `doc` is then just what was unsent. */
  open(name: string, doc: Y.Doc): void {
    if (this.#options.openStore === null || this.#store !== null) return
    const store = this.#options.openStore(name, doc)
    this.#store = store
    store.whenLoaded.catch(() => {
      if (this.#store === store) this.#store = null // a private window, a full disk: the server still has everything
    })
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
    // The device's store may be broken; then there is nothing to forget.
    await store?.clear().catch(() => {})
  }

  /**
   * Unsent changes of an earlier visit, by somebody who may not write any more: taken out of the store.
   * @returns a copy of `doc` that has them; null where there are none to read.
   */
  async recover(name: string, doc: Y.Doc): Promise<Y.Doc | null> {
    const { openStore, marks } = this.#options
    if (openStore === null || !marks.get(name)) return null
    const copy = new Y.Doc()
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
    try {
      const store = openStore(name, copy)
      await store.whenLoaded
      await store.clear()
      return copy
    } catch {
      return null // unreadable: nothing to offer
    } finally {
      this.mark(name, false)
    }
  }

  /** @param forget also what is kept. */
  async close(forget: boolean): Promise<void> {
    const store = this.#store
    this.#store = null
    await (forget ? store?.clear() : store?.close())
  }
}
