// What this device stores for a board: the changes that the server has not confirmed yet, so that a reload without a
// network loses nothing. One IndexedDB database per board and user, nearly always empty. The drawing itself is not
// stored: the page comes from the server, and so does the document.
import * as Y from 'yjs'
import type { DeviceOptions, LocalStore } from '../device-copy.ts'

const updates = 'updates'

/** Null if the device offers none (some private windows). */
export const deviceStore = (): DeviceOptions['openStore'] =>
  typeof indexedDB === 'undefined' ? null : (name, doc, stored) => new Outbox(name, doc, stored)

class Outbox implements LocalStore {
  readonly whenLoaded: Promise<void>
  readonly #doc: Y.Doc
  readonly #name: string
  /** Opened again if another tab has deleted it. */
  #database: Promise<IDBDatabase>
  /** Keys of entries that are stored and in the document. Other tabs store entries too, and delete their own. */
  readonly #stored: IDBValidKey[] = []
  readonly #tab = Math.random()
  readonly #told: () => void
  #next = 0
  #inFlight = 0
  /** A change could not be stored on the device (a full disk). Until the server has it. */
  #hasFailed = false
  #isLoaded = false
  /** Only when there is something to store: earlier, it would block tabs that delete it. */
  #reopen: (() => void) | null = null

  constructor(name: string, doc: Y.Doc, stored: () => void) {
    this.#doc = doc
    this.#name = name
    this.#told = stored
    this.#database = this.#open()
    this.whenLoaded = this.#load()
    doc.on('update', this.#changed)
  }

  get state(): 'kept' | 'writing' | 'failed' {
    if (this.#inFlight > 0) return 'writing'
    return this.#hasFailed ? 'failed' : 'kept'
  }

  saved(): void {
    this.#hasFailed = false
    if (!this.#isLoaded || this.#stored.length === 0) return
    const keys = this.#stored.splice(0)
    this.#change((store) => {
      for (const key of keys) store.delete(key)
    })
  }

  async close(): Promise<void> {
    this.#doc.off('update', this.#changed)
    if (this.#reopen !== null) return // closed
    const database = await this.#database
    database.close()
  }

  /** The empty database stays: another tab may have it open, and deleting it would wait for that. */
  async clear(): Promise<void> {
    this.#doc.off('update', this.#changed)
    if (this.#reopen !== null) return // another tab has deleted it
    const database = await this.#database
    await done(database.transaction(updates, 'readwrite').objectStore(updates).clear())
    database.close()
  }

  async #load(): Promise<void> {
    const store = (await this.#database).transaction(updates).objectStore(updates)
    const [keys, kept] = await Promise.all([done(store.getAllKeys()), done(store.getAll())])
    Y.transact(
      this.#doc,
      () => {
        for (const update of kept) Y.applyUpdate(this.#doc, update as Uint8Array) // written by this class alone
      },
      this,
      false,
    )
    this.#stored.unshift(...keys)
    this.#isLoaded = true
  }

  #changed = (update: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction): void => {
    // Updates from the server are already there; those from here were read, and are stored.
    if (!transaction.local) return
    const key = [this.#tab, this.#next++]
    this.#stored.push(key)
    this.#change((store) => void store.add(update, key))
  }

  async #open(): Promise<IDBDatabase> {
    const database = await openDatabase(this.#name)
    // Another tab deletes everything (somebody signs out) and waits for this one to release the database. What it
    // deletes is gone; later changes are stored again.
    database.onversionchange = () => {
      database.close()
      this.#stored.splice(0)
      this.#database = new Promise((resolve, reject) => {
        this.#reopen = () => {
          this.#reopen = null
          this.#open().then(resolve, reject)
        }
      })
    }
    return database
  }

  /** Without waiting: requests take effect in the order in which they are made. */
  #change(work: (store: IDBObjectStore) => void): void {
    this.#reopen?.()
    this.#inFlight++
    this.#database
      .then((database) => {
        const transaction = database.transaction(updates, 'readwrite')
        work(transaction.objectStore(updates))
        // Now, and not after the previous requests have been answered: the page may be gone by then.
        transaction.commit()
        return completed(transaction)
      })
      // Closed meanwhile, or a full disk: the change is in the document and on its way to the server.
      .catch(() => {
        this.#hasFailed = true
      })
      .finally(() => {
        this.#inFlight--
        this.#told()
      })
  }
}

const openDatabase = (name: string): Promise<IDBDatabase> => {
  const request = indexedDB.open(name, 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore(updates, { autoIncrement: true })
  }
  return done(request)
}

const done = <Result>(request: IDBRequest<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

const completed = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })
