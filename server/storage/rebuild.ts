// Rebuilds a board that has reached its size limit from its content. Only while no server has it open, because a room would
// continue to write edits that depend on the old document.
import { beforeRebuild } from '../../shared/protocol.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { Database } from '../database/database.ts'
import { withClient } from '../database/with-client.ts'
import type { DocumentWorker } from '../documents/document-worker.ts'
import { checksumOf } from '../documents/folding.ts'
import { BoardroomError } from '../errors.ts'
import { type Actor, systemActor } from '../principal.ts'
import {
  holdBoard,
  lockFolding,
  readSnapshot,
  retireAuthors,
  takeUpdates,
  writeSnapshot,
} from './log/fold-queries.ts'
import { keepVersion } from './versions/retention-queries.ts'

export interface RebuildDeps {
  database: Database
  worker: Pick<DocumentWorker, 'run' | 'foldStored'>
  trail: Pick<AuditTrail, 'record'>
}

export interface RebuildSummary {
  bytes_before: number
  bytes_after: number
  /** Deleted elements that were still in the document. */
  forgotten_elements: number
}

/**
 * Replaces a board's document with one that has the same content and no history, in one transaction. The old document is
 * kept as a named version. Clients that still have it are refused, and get the new one when they open the board again.
 * @throws BoardroomError not_found | board_unreadable | conflict (a server is folding it); nothing was changed then.
 */
export async function rebuildBoard(
  { database, worker, trail }: RebuildDeps,
  boardId: string,
  actor: Actor = systemActor,
): Promise<RebuildSummary> {
  const { pool, schema } = database
  return withClient(pool, async (client) => {
    await client.query(`begin; set local idle_in_transaction_session_timeout = '10min'`)
    if (!(await holdBoard(client, schema, boardId)))
      throw new BoardroomError('not_found', 'there is no such board')
    if (!(await lockFolding(client, schema, boardId))) {
      throw new BoardroomError('conflict', 'a server is using this board; stop the server first')
    }
    const snapshot = await readSnapshot(client, schema, boardId)
    if (
      snapshot !== null &&
      !checksumOf(snapshot.state).every((byte, at) => byte === snapshot.checksum[at])
    ) {
      throw new BoardroomError(
        'board_unreadable',
        'the board does not match its checksum; restore a version or a backup',
      )
    }
    const { updates } = await takeUpdates(client, schema, boardId)
    const old = await worker.foldStored({ snapshot: snapshot?.state ?? null, updates })
    const { state, before, clientId, formerClientIds, forgotten } = await worker.run('rebuild', {
      state: old,
    })
    await writeSnapshot(client, schema, boardId, { state, checksum: checksumOf(state) })
    await retireAuthors(client, schema, boardId, formerClientIds, clientId)
    await keepVersion(client, schema, boardId, {
      reason: 'before_rebuild',
      name: beforeRebuild,
      state: before,
      checksum: checksumOf(before),
    })
    const summary = { bytes_before: old.length, bytes_after: state.length, forgotten_elements: forgotten }
    // Recorded before the commit: a row too many is better than a replaced document without one.
    await trail.record({
      action: 'update',
      actor,
      boardId,
      resourceType: 'document',
      resourceId: boardId,
      details: { rebuilt: true, ...summary },
    })
    await client.query('commit')
    return summary
  })
}
