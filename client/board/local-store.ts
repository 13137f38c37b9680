// What this device keeps of boards while the network is away: one IndexedDB database for each board and user.
import { IndexeddbPersistence } from 'y-indexeddb'
import type * as Y from 'yjs'
import type { LocalStore, SessionOptions } from '../session.ts'

export const openStore = (name: string, doc: Y.Doc): LocalStore => {
  const persistence = new IndexeddbPersistence(name, doc)
  return {
    whenLoaded: persistence.whenSynced,
    close: () => persistence.destroy(),
    clear: () => persistence.clearData(),
  }
}

/** Null where the device offers none (some private windows). */
export const deviceStore = (): SessionOptions['openStore'] =>
  typeof indexedDB === 'undefined' ? null : openStore
