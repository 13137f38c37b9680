// Folds the log of one board into its snapshot, in one transaction that deletes exactly the rows that it folds. Reads the
// database, not the memory of a room.
import type { ClientBase } from 'pg'
import type { Database } from '../../database/database.ts'
import { withClient } from '../../database/with-client.ts'
import type { DocumentWorker } from '../../documents/document-worker.ts'
import { checksumOf } from '../../documents/folding.ts'
import { BoardroomError } from '../../errors.ts'
import { isMissingReference } from '../failures.ts'
import { keepVersion, noteChanges, pruneVersions } from '../versions/retention-queries.ts'
import {
  ageOfLastVersion,
  lockFolding,
  putBackUpdates,
  readSnapshot,
  takeUpdates,
  writeSearchKey,
  writeSnapshot,
} from './fold-queries.ts'

/** rows: how many left the log; kept: how many stay because edits that they depend on are missing. */
export interface FoldResult {
  outcome: 'folded' | 'nothing' | 'busy' | 'gone'
  rows: number
  kept: number
  snapshotBytes: number
}

export interface FoldBoardDeps {
  database: Database
  worker: DocumentWorker
  /** The least age of the newest automatic version before another one is made. */
  versionEverySeconds: number
}

/**
 * @param isIdle nobody is on the board: an automatic version is made in any case.
 * @throws BoardroomError board_unreadable (nothing was changed); errors of the database
 */
export async function foldBoard(deps: FoldBoardDeps, boardId: string, isIdle: boolean): Promise<FoldResult> {
  try {
    return await withClient(deps.database.pool, async (client) => {
      // Read committed on purpose, to see what the previous holder of the lock wrote.
      await client.query(
        `begin isolation level read committed; set local idle_in_transaction_session_timeout = '10min'`,
      )
      const result = await foldWithin(client, deps, boardId, isIdle)
      await client.query(result.outcome === 'folded' ? 'commit' : 'rollback')
      return result
    })
  } catch (error) {
    if (isMissingReference(error)) return { outcome: 'gone', rows: 0, kept: 0, snapshotBytes: 0 }
    throw error
  }
}

async function foldWithin(
  client: ClientBase,
  { database: { schema }, worker, versionEverySeconds }: FoldBoardDeps,
  boardId: string,
  isIdle: boolean,
): Promise<FoldResult> {
  if (!(await lockFolding(client, schema, boardId))) {
    return { outcome: 'busy', rows: 0, kept: 0, snapshotBytes: 0 }
  }
  const snapshot = await readSnapshot(client, schema, boardId)
  const snapshotBytes = snapshot?.state.length ?? 0
  if (snapshot !== null && !checksumOf(snapshot.state).every((byte, at) => byte === snapshot.checksum[at])) {
    throw new BoardroomError('board_unreadable', 'the snapshot does not match its checksum')
  }
  const { updates, times } = await takeUpdates(client, schema, boardId)
  if (updates.length === 0) return { outcome: 'nothing', rows: 0, kept: 0, snapshotBytes }
  const age = await ageOfLastVersion(client, schema, boardId)
  const withVersion = isIdle || age === null || age >= versionEverySeconds
  const folded = await worker
    .run('fold', { snapshot: snapshot?.state ?? null, updates, times, withVersion })
    .catch((error: unknown) => {
      if (error instanceof BoardroomError) throw error
      throw new BoardroomError('board_unreadable', 'the log cannot be folded', { cause: error })
    })
  const kept = folded.keptBack.length
  const rows = updates.length - kept
  if (rows === 0) return { outcome: 'nothing', rows, kept, snapshotBytes }
  const keptBack = folded.keptBack.flatMap((at) => updates[at] ?? [])
  if (kept > 0) await putBackUpdates(client, schema, boardId, keptBack)
  await writeSnapshot(client, schema, boardId, folded)
  await writeSearchKey(client, schema, boardId, folded.searchKey)
  for (const { version, at } of folded.beforeRemovals) {
    const former = { reason: 'before_removal', state: version, checksum: checksumOf(version), at } as const
    await keepVersion(client, schema, boardId, former)
  }
  if (folded.version !== null) {
    const version = { state: folded.version, checksum: checksumOf(folded.version) }
    await keepVersion(client, schema, boardId, { reason: 'automatic', ...version })
  }
  await pruneVersions(client, schema, boardId)
  await noteChanges(client, schema, [{ boardId, changedAt: times.at(-1) ?? Date.now() }])
  return { outcome: 'folded', rows, kept, snapshotBytes: folded.state.length }
}
