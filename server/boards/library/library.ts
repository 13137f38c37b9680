// Libraries: a personal one, which is replaced as a whole, and the team's, which everybody with an account can add to.
import type { LibraryItemCreate, LibraryItemResponse, OwnLibrary } from '../../../shared/api/library.ts'
import { readDrawing } from '../../../shared/drawing.ts'
import { BoardroomError } from '../../errors.ts'
import { notifyEvent } from '../board-queries.ts'
import type { BoardsDeps } from '../deps.ts'
import * as queries from './queries.ts'

type Deps = Pick<BoardsDeps, 'db' | 'schema'>

interface Asker {
  userId: number
  administers: boolean
}

const mostTeamItems = 1000
/** The largest item, as JSON. */
const mostBytes = 1_000_000

export const listLibrary = async (
  { db }: Deps,
  asker: Asker,
  of: 'team' | 'own',
): Promise<{ items: LibraryItemResponse[]; next_cursor: null }> => {
  const rows = await queries.libraryItems(db, of === 'team' ? null : asker.userId)
  const items = rows.map((row) => ({
    id: row.id,
    name: row.name,
    elements: row.elements,
    created_by: row.created_by,
    created_by_name: row.created_by_name,
    created_at: row.created_at.toISOString(),
    may_remove: of === 'own' || asker.administers || row.created_by === asker.userId,
  }))
  return { items, next_cursor: null }
}

/** @throws BoardroomError invalid_request | conflict */
export const addToTeam = async (
  { db, schema }: Deps,
  { userId }: Asker,
  item: LibraryItemCreate,
): Promise<string> => {
  const elements = checked(item.elements)
  return db.transaction().execute(async (trx) => {
    await queries.lockLibrary(trx, null)
    if ((await queries.countItems(trx)) >= mostTeamItems)
      throw new BoardroomError('conflict', `the team's library can have at most ${mostTeamItems} items`, {
        details: { limit: 'team_library_items', max_items: mostTeamItems },
      })
    const { id } = await queries.insertItem(trx, {
      user_id: null,
      name: item.name ?? null,
      elements,
      created_by: userId,
    })
    await notifyEvent(trx, schema, everyBoard, { type: 'library' })
    return id
  })
}

/** @throws BoardroomError not_found | access_denied */
export const removeFromTeam = ({ db, schema }: Deps, asker: Asker, id: string): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const item = await queries.itemOf(trx, id)
    if (item === undefined) throw new BoardroomError('not_found', 'the library has no such item')
    if (!asker.administers && item.created_by !== asker.userId)
      throw new BoardroomError(
        'access_denied',
        'only the person who added it or an administrator may remove it',
      )
    await queries.deleteItem(trx, id)
    await notifyEvent(trx, schema, everyBoard, { type: 'library' })
  })

/** @throws BoardroomError invalid_request */
export const replaceOwn = ({ db }: Deps, { userId }: Asker, { items }: OwnLibrary): Promise<void> => {
  const kept = items.map(({ name, elements }) => ({ name: name ?? null, elements: checked(elements) }))
  return db.transaction().execute(async (trx) => {
    await queries.lockLibrary(trx, userId)
    await queries.emptyLibrary(trx, userId)
    for (const item of kept) await queries.insertItem(trx, { ...item, user_id: userId, created_by: userId })
  })
}

/** The board of the event: everybody with any open board receives it. */
const everyBoard = 'every'

const checked = (elements: unknown[]): unknown[] => {
  const read = readDrawing({ type: 'excalidraw', elements })?.elements ?? []
  if (read.length === 0) throw new BoardroomError('invalid_request', 'elements: none of them can be drawn')
  if (JSON.stringify(read).length > mostBytes)
    throw new BoardroomError('invalid_request', `elements: an item may have at most ${mostBytes} bytes`)
  return read
}
