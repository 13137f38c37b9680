// The authors of a board and their Yjs client ids, which let a reader of the document attribute each change.
import { z } from 'zod'
import type { AuthorResponse } from '../../shared/api.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import { authorsOf, formerNamesOf } from './author-queries.ts'
import type { BoardsDeps } from './deps.ts'

/**
 * One page, most recent author first. Names are current; those of removed guests come from the trail, so that an erasure
 * removes them here as well.
 * @throws BoardroomError invalid_request (cursor)
 */
export async function listAuthors(
  { db }: Pick<BoardsDeps, 'db'>,
  boardId: string,
  query: { limit: number; cursor?: string | undefined },
): Promise<{ items: AuthorResponse[]; next_cursor: string | null }> {
  const question = ['authors', boardId]
  const after = positionOf(question, query.cursor, { key: z.iso.datetime(), id: z.string().max(100) })
  const rows = await authorsOf(db, boardId, after, query.limit + 1)
  const page = pageOf(question, rows, query.limit, ({ key, principal }) => ({ key, id: principal }))
  const forgotten = page.rows.flatMap(({ kind, principal, name }) =>
    kind === 'guest' && name === null ? [principal.slice('guest:'.length)] : [],
  )
  const former = forgotten.length === 0 ? null : await formerNamesOf(db, boardId, forgotten)
  const items = page.rows.map(
    (row): AuthorResponse => ({
      principal: {
        kind: row.kind,
        id: row.kind === 'anonymous' ? null : row.principal,
        name: row.kind === 'system' ? 'Boardroom' : (row.name ?? former?.get(row.principal) ?? null),
      },
      client_ids: row.client_ids,
      first_written_at: row.first_written_at.toISOString(),
      latest_client_at: row.latest_client_at.toISOString(),
    }),
  )
  return { items, next_cursor: page.next_cursor }
}
