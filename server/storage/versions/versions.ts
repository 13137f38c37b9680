// The versions of a board: named ones, and automatic ones made by compaction. Restoring one is a new edit.
import { z } from 'zod'
import type { VersionResponse } from '../../../shared/api.ts'
import { type AuditEvent, rowOf } from '../../audit/event.ts'
import { recordIn } from '../../audit/record-in.ts'
import type { VersionReason } from '../../database/tables.ts'
import { checksumOf } from '../../documents/folding.ts'
import { BoardroomError } from '../../errors.ts'
import { type Actor, type Principal, principalKey } from '../../principal.ts'
import { pageOf, positionOf } from '../../routing/cursor.ts'
import type { StorageDeps } from '../deps.ts'
import {
  announce,
  countNamedVersions,
  insertVersion,
  listVersions,
  lockBoard,
  readVersion,
} from '../document-queries.ts'
import { asBuffer } from '../log/queries.ts'

const mostNamedVersions = 500

interface VersionRow {
  id: string
  board_id: string
  name: string | null
  reason: VersionReason
  bytes: number
  created_by: number | null
  created_by_name: string | null
  created_at: Date
}

const responseOf = (row: VersionRow): VersionResponse => ({
  id: row.id,
  board_id: row.board_id,
  name: row.name,
  reason: row.reason,
  bytes: row.bytes,
  created_by: row.created_by,
  created_by_name: row.created_by_name,
  created_at: row.created_at.toISOString(),
})

/** Newest first. @throws BoardroomError invalid_request (the cursor of another list) */
export async function versionsOf(
  { database }: Pick<StorageDeps, 'database'>,
  boardId: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<{ items: VersionResponse[]; next_cursor: string | null }> {
  const question = ['versions', boardId]
  const position = positionOf(question, cursor, { key: moment, id: z.guid() })
  const after = position && { moment: position.key, id: position.id }
  const rows = await listVersions(database.db, boardId, limit + 1, after)
  const page = pageOf(question, rows, limit, (row) => ({ key: row.moment, id: row.id }))
  return { items: page.rows.map(responseOf), next_cursor: page.next_cursor }
}

/** As Postgres prints a timestamp, to the microsecond. */
const moment = z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d)?$/)

/** Saves the current board as a named version. @throws BoardroomError conflict (too many) | not_found */
export async function createVersion(
  { database, live, worker }: StorageDeps,
  { actor, boardId, name }: { actor: Actor; boardId: string; name: string },
): Promise<VersionResponse> {
  const state = await worker.run('pack', { state: await live.document(boardId) })
  const id = await database.db.transaction().execute(async (trx) => {
    if (!(await lockBoard(trx, boardId))) throw new BoardroomError('not_found', 'there is no such board')
    if ((await countNamedVersions(trx, boardId)) >= mostNamedVersions) {
      throw new BoardroomError('conflict', `a board may have at most ${mostNamedVersions} named versions`)
    }
    const row = await insertVersion(trx, {
      board_id: boardId,
      name,
      reason: 'named',
      state: asBuffer(state),
      checksum: asBuffer(checksumOf(state)),
      created_by: actor.userId,
    })
    await announce(trx, database.schema, boardId, { type: 'version', version_id: row.id, change: 'created' })
    await recordIn(trx, {
      action: 'create',
      actor,
      boardId,
      resourceType: 'version',
      resourceId: row.id,
      newValues: { version: name },
    })
    return row.id
  })
  return responseOf(await versionOf(database.db, boardId, id))
}

async function versionOf(db: StorageDeps['database']['db'], boardId: string, versionId: string) {
  const row = await readVersion(db, boardId, versionId)
  if (row === undefined) throw new BoardroomError('not_found', 'there is no such version of this board')
  return row
}

/** @returns Yjs v1. @throws BoardroomError not_found (also for a version of another board) | board_unreadable */
export async function versionState(
  { database, worker }: Pick<StorageDeps, 'database' | 'worker'>,
  boardId: string,
  versionId: string,
): Promise<Uint8Array> {
  const { state, checksum } = await versionOf(database.db, boardId, versionId)
  if (!checksum.equals(checksumOf(state))) {
    throw new BoardroomError('board_unreadable', 'this version does not match its checksum')
  }
  return worker.run('unpack', { packed: state })
}

/**
 * Restores a version with an edit that changes only what differs. Everyone on the board sees it live, and the replaced
 * content is kept as a version.
 */
export async function restoreVersion(
  deps: StorageDeps,
  {
    actor,
    principal,
    boardId,
    versionId,
  }: { actor: Actor; principal: Principal; boardId: string; versionId: string },
): Promise<{ changed: boolean; former_version_id: string | null }> {
  const { database, live, worker, trail } = deps
  const target = await versionState(deps, boardId, versionId)
  const current = await live.document(boardId)
  const update = await worker.run('difference', { current, target })
  const restored: AuditEvent = {
    action: 'restore',
    actor,
    boardId,
    resourceType: 'version',
    resourceId: versionId,
  }
  let former: string | null = null
  let isChanged = false
  if (update !== null) {
    former = await keepCopy(deps, {
      boardId,
      state: current,
      reason: 'before_restore',
      createdBy: actor.userId,
    })
    isChanged = await live.applyAsServer(boardId, update, principalKey(principal), () => ({
      trail: [rowOf(restored)],
    }))
  }
  if (!isChanged) await trail.record(restored)
  await announce(database.db, database.schema, boardId, {
    type: 'version',
    version_id: versionId,
    change: 'restored',
  })
  return { changed: update !== null, former_version_id: former }
}

/** Keeps the board's content as a version before it is replaced. @param state Yjs v1 @returns the version's id */
export async function keepCopy(
  { database, worker }: Pick<StorageDeps, 'database' | 'worker'>,
  {
    boardId,
    state,
    reason,
    createdBy,
  }: {
    boardId: string
    state: Uint8Array
    reason: 'before_restore' | 'before_import'
    createdBy: number | null
  },
): Promise<string> {
  const packed = await worker.run('pack', { state })
  const { id } = await insertVersion(database.db, {
    board_id: boardId,
    reason,
    state: asBuffer(packed),
    checksum: asBuffer(checksumOf(packed)),
    created_by: createdBy,
  })
  return id
}
