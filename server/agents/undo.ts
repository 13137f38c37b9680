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
  const byElement = new Map<string, EditRow[]>()
  for (const row of rows) {
    const own = byElement.get(row.element_id)
    if (own === undefined) byElement.set(row.element_id, [row])
    else own.push(row)
  }
  for (const [elementId, own] of byElement) {
    const map = maps.get(elementId)
    if (!(map instanceof Y.Map)) {
      kept += own.length
      continue
    }
    const updates = own.filter(({ change }) => change !== 'created')
    const keys = new Set(
      updates.flatMap(({ old_values, new_values }) => [
        ...Object.keys(old_values),
        ...Object.keys(new_values),
      ]),
    )
    for (const key of keys) kept += undoProperty(map, key, updates)
    if (updates.length < own.length && map.get('isDeleted') !== true) map.set('isDeleted', true)
  }
  return kept
}

/** @returns how many of the rows' changes stay. */
function undoProperty(map: Y.Map<unknown>, key: string, rows: readonly EditRow[]): number {
  const changes = rows
    .filter(({ old_values, new_values }) => key in old_values || key in new_values)
    .map(({ old_values, new_values }) => ({ old: old_values[key], new: new_values[key] }))
  const now = map.get(key)
  const asLeft = takenBack(changes[0]?.new, changes)
  // Already undone, by a server that crashed before it could record that.
  if (sameJson(now, asLeft.value)) return asLeft.kept
  const { value, kept } = takenBack(now, changes)
  if (value === undefined) map.delete(key)
  else if (!sameJson(now, value)) map.set(key, value)
  return kept
}

/** What `value` was before `changes`, newest first; a change that led to something else is kept, and those before it seen. */
function takenBack(
  value: unknown,
  changes: readonly { old: unknown; new: unknown }[],
): { value: unknown; kept: number } {
  let kept = 0
  for (const change of changes) {
    if (sameJson(value, change.old)) continue
    if (sameJson(value, change.new)) value = change.old
    else kept++
  }
  return { value, kept }
}
