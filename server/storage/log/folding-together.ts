// Folds the short logs of many boards in one transaction and one task of the worker: when many people leave at once,
// folding board by board costs more than the edits did. Boards with anything unusual are left to be folded alone.
import type { ClientBase } from 'pg'
import type { Database } from '../../database/database.ts'
import { withClient } from '../../database/with-client.ts'
import type { DocumentWorker } from '../../documents/document-worker.ts'
import { checksumOf } from '../../documents/folding.ts'
import { keepVersion, noteChanges, pruneVersions } from '../versions/retention-queries.ts'
import {
  type FoldedLog,
  keepAutomaticVersions,
  lockFoldings,
  prunableOf,
  readSnapshots,
  takeUpdatesOf,
  writeSearchKeys,
  writeSnapshots,
} from './together-queries.ts'

/** The largest log, together with its snapshot, that is folded with others. */
export const mostRowsTogether = 200
export const mostBytesTogether = 64 * 1024
/** In one transaction, which locks the boards until it ends. */
export const mostBoardsTogether = 64

/**
 * Folds the logs of boards that nobody is on, and makes an automatic version of each.
 * @returns the size of the snapshot of each board that is done; the others must be folded alone. If one board cannot be
 *   folded, that is all of them.
 * @throws errors of the database
 */
export function foldTogether(
  { database: { pool, schema }, worker }: { database: Database; worker: DocumentWorker },
  boardIds: readonly string[],
): Promise<Map<string, number>> {
  return withClient(pool, async (client) => {
    // Read committed, as for a single board, to see what the previous holders of the locks wrote.
    await client.query(
      `begin isolation level read committed; set local idle_in_transaction_session_timeout = '10min'`,
    )
    const done = await foldWithin(client, schema, worker, boardIds)
    await client.query(done === null ? 'rollback' : 'commit')
    return done ?? new Map()
  })
}

/** @returns null if a board must be folded alone; nothing may be committed then. */
async function foldWithin(
  client: ClientBase,
  schema: string,
  worker: DocumentWorker,
  boardIds: readonly string[],
): Promise<Map<string, number> | null> {
  const locked = await lockFoldings(client, schema, boardIds)
  const snapshots = await readSnapshots(client, schema, locked)
  for (const { state, checksum } of snapshots.values())
    if (!checksumOf(state).every((byte, at) => byte === checksum[at])) return null
  const done = new Map(locked.map((boardId) => [boardId, snapshots.get(boardId)?.state.length ?? 0]))
  const logs = await takeUpdatesOf(client, schema, locked)
  if (logs.length === 0) return done
  const asked = logs.map(({ boardId, updates, times }) => {
    return { snapshot: snapshots.get(boardId)?.state ?? null, updates, times, withVersion: true }
  })
  // A board that cannot be folded is reported when it is folded alone.
  const answers = await worker.run('foldAll', { logs: asked }).catch(() => [])
  const all: FoldedLog[] = []
  for (const [at, { boardId, times }] of logs.entries()) {
    const folded = answers[at] ?? null
    if (folded === null || folded.keptBack.length > 0) return null
    all.push({ boardId, folded, changedAt: times.at(-1) ?? Date.now() })
    done.set(boardId, folded.state.length)
  }
  await writeSnapshots(client, schema, all)
  await writeSearchKeys(client, schema, all)
  const removals = new Set<string>()
  for (const { boardId, folded } of all)
    for (const { version: state, at } of folded.beforeRemovals) {
      removals.add(boardId)
      const former = { reason: 'before_removal', state, checksum: checksumOf(state), at } as const
      await keepVersion(client, schema, boardId, former)
    }
  const versions = all.flatMap(({ boardId, folded: { version: state } }) =>
    state === null ? [] : [{ boardId, state, checksum: checksumOf(state) }],
  )
  await keepAutomaticVersions(client, schema, versions)
  for (const boardId of new Set([...removals, ...(await prunableOf(client, schema, locked))]))
    await pruneVersions(client, schema, boardId)
  await noteChanges(client, schema, all)
  return done
}
