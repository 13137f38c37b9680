// What this device keeps of a board: the changes that the server has not confirmed yet, so that a reload while the
// network is away loses nothing. One IndexedDB database for each board and user, empty nearly always. The drawing
// itself is not kept: the page comes from the server, and so does the document.
import * as Y from 'yjs'
import type { DeviceOptions, LocalStore } from '../device-copy.ts'

const updates = 'updates'

/** Null where the device offers none (some private windows). */
export const deviceStore = (): DeviceOptions['openStore'] =>
  typeof indexedDB === 'undefined' ? null : (name, doc, stored) => new Outbox(name, doc, stored)

class Outbox implements LocalStore {
  readonly whenLoaded: Promise<void>
  readonly #doc: Y.Doc
  readonly #name: string
  /** Opened anew where another tab has deleted it. */
  #database: Promise<IDBDatabase>
  /** Keys of what is stored and in the document. Other tabs store beside us, and delete what they stored. */
  readonly #stored: IDBValidKey[] = []
  readonly #tab = Math.random()
  readonly #told: () => void
  #next = 0
  #inFlight = 0
  /** The device took a change for itself and could not keep it: a full disk. Until the server has it. */
  #hasFailed = false
  #isLoaded = false
  /** Only when there is something to keep: sooner, it would be in the way of those who delete. */
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

  /** The database stays, empty: another tab may have it open, and deleting would wait for that. */
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
    // What came from the server is there; what came from here was read, and is stored.
    if (!transaction.local) return
    const key = [this.#tab, this.#next++]
    this.#stored.push(key)
    this.#change((store) => void store.add(update, key))
  }

  async #open(): Promise<IDBDatabase> {
    const database = await openDatabase(this.#name)
    // Another tab forgets everything (somebody signs out): it waits for this one to let go. What it forgets is gone, and
    // what is changed from now on is kept again.
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

  /** Without waiting: changes happen in the order in which they are asked for. */
  #change(work: (store: IDBObjectStore) => void): void {
    this.#reopen?.()
    this.#inFlight++
    this.#database
      .then((database) => {
        const transaction = database.transaction(updates, 'readwrite')
        work(transaction.objectStore(updates))
        // Now, and not after what was asked for has been answered: by then the page may be gone.
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
