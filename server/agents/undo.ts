// Undoes all edits that an agent made on a board since a given time, in one step. Whatever people have changed since then
// is kept.
import * as Y from 'yjs'
import type { AgentUndone } from '../../shared/api/agents.ts'
import { sameJson } from '../../shared/element.ts'
import { elementMaps } from '../../shared/scene.ts'
import { rowOf } from '../audit/event.ts'
import { insertEvents } from '../audit/queries.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import type { AgentsDeps } from './deps.ts'
import { type EditRow, editsSince, markUndone } from './journal-queries.ts'

/** The most journal rows undone in one step; each contains the old and new values of one element. */
const mostUndone = 20_000

/** @param by who is recorded as author. @throws BoardroomError invalid_request (too much) | as `Rooms.applyAsServer` */
export async function undoAgent(
  deps: AgentsDeps,
  actor: Actor,
  by: string,
  asked: { boardId: string; agentId: string; since: Date },
): Promise<AgentUndone> {
  const { boardId, agentId, since } = asked
  await deps.rooms.saved(boardId)
  await deps.journal.flush()
  const rows = await editsSince(deps.db, boardId, agentId, since, mostUndone + 1)
  if (rows.length > mostUndone)
    throw new BoardroomError(
      'invalid_request',
      `since: the agent has made more than ${mostUndone} changes since then; undo from a later time first, then repeat`,
    )
  const elements = new Set(rows.map(({ element_id }) => element_id)).size
  if (rows.length === 0) return { edits: 0, elements: 0, kept: 0 }
  let kept = 0
  const undone = rows.map(({ id }) => id)
  const row = () =>
    rowOf({
      action: 'update',
      actor,
      boardId,
      resourceType: 'agent',
      resourceId: agentId,
      details: { undone: rows.length, elements, kept, since: since.toISOString() },
    })
  const isChanged = await deps.rooms.applyAsServer(
    boardId,
    (doc) => {
      kept = undoIn(doc, rows)
    },
    by,
    () => ({ trail: [row()], undone }),
  )
  // Everything was changed since, or is as before already.
  if (!isChanged)
    await deps.db.transaction().execute(async (trx) => {
      await markUndone(trx, undone)
      await insertEvents(trx, [row()])
    })
  return { edits: rows.length, elements, kept }
}

/** @param rows newest first. @returns how many properties were kept because somebody else has changed them since. */
export function undoIn(doc: Y.Doc, rows: readonly EditRow[]): number {
  let kept = 0
  const maps = elementMaps(doc)
  for (const row of rows) {
    const found = maps.get(row.element_id)
    if (!(found instanceof Y.Map)) {
      kept++
      continue
    }
    const map: Y.Map<unknown> = found
    if (row.change === 'created') {
      if (map.get('isDeleted') !== true) map.set('isDeleted', true)
      continue
    }
    for (const key of new Set([...Object.keys(row.old_values), ...Object.keys(row.new_values)])) {
      const now = map.get(key)
      // Already undone, by an older server that crashed before it could record that.
      if (sameJson(now, row.old_values[key])) continue
      if (!sameJson(now, row.new_values[key])) kept++
      else if (key in row.old_values) map.set(key, row.old_values[key])
      else map.delete(key)
    }
  }
  return kept
}
