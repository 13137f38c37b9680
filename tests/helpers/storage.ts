// Shared by storage tests: a log with its background jobs, closed whatever happens.
import * as Y from 'yjs'
import { DocumentWorker } from '../../server/documents/document-worker.ts'
import { Compaction, type CompactionOptions } from '../../server/storage/log/compaction.ts'
import type { UpdateLogOptions } from '../../server/storage/log/log-options.ts'
import { PostgresUpdateLog } from '../../server/storage/log/update-log.ts'
import { type TestDatabase, withDatabase } from './database.ts'

export interface TestStorage extends TestDatabase {
  updateLog: PostgresUpdateLog
  compaction: Compaction
  worker: DocumentWorker
}

export const withStorage = <Result>(
  work: (storage: TestStorage) => Promise<Result>,
  options: { log?: Partial<UpdateLogOptions>; compaction?: Partial<CompactionOptions> } = {},
): Promise<Result> =>
  withDatabase(async (test) => {
    const { database, log } = test
    const worker = new DocumentWorker({ log })
    const compaction = new Compaction({ database, worker, log, ...options.compaction })
    const updateLog = new PostgresUpdateLog({ database, log, keeper: compaction, ...options.log })
    try {
      return await work({ ...test, updateLog, compaction, worker })
    } finally {
      await updateLog.close()
      await compaction.close()
      await worker.close()
    }
  })

/** The update by which `doc` changes in `edit`. */
export function updateOf(doc: Y.Doc, edit: (doc: Y.Doc) => void): Uint8Array {
  const before = Y.encodeStateVector(doc)
  doc.transact(() => edit(doc))
  return Y.encodeStateAsUpdate(doc, before)
}

/** The stored state, as a room would build it. */
export function documentFrom(stored: { snapshot: Uint8Array | null; updates: readonly Uint8Array[] }): Y.Doc {
  const doc = new Y.Doc()
  doc.transact(() => {
    if (stored.snapshot !== null) Y.applyUpdate(doc, stored.snapshot)
    for (const update of stored.updates) Y.applyUpdate(doc, update)
  })
  return doc
}
