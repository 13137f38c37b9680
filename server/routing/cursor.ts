// Cursors for lists: the sort key and the id of the last row, and the query they belong to.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { BoardroomError } from '../errors.ts'

export interface Position {
  /** The last row's sort key, as text. */
  key: string
  id: string
}

const Cursor = z.tuple([z.string().length(8), z.string().max(300), z.string().max(100)])

const questionOf = (question: unknown): string =>
  createHash('sha256').update(JSON.stringify(question)).digest('base64url').slice(0, 8)

/** @param question everything that determines rows and order, so that no other query accepts the cursor. */
export const cursorOf = (question: unknown, { key, id }: Position): string =>
  Buffer.from(JSON.stringify([questionOf(question), key, id])).toString('base64url')

/**
 * @param checks the patterns that key and id must match, because they go into a query.
 * @throws BoardroomError invalid_request if it is not a cursor, or one of another query.
 */
export function positionOf(
  question: unknown,
  cursor: string | undefined,
  checks: { key: z.ZodType<string>; id: z.ZodType<string> },
): Position | null {
  if (cursor === undefined) return null
  const parsed = Cursor.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()))
  const [asked, key, id] = parsed.data ?? []
  if (
    asked !== questionOf(question) ||
    !checks.key.safeParse(key).success ||
    !checks.id.safeParse(id).success
  ) {
    throw new BoardroomError('invalid_request', 'cursor: expected the next_cursor of a page of this list', {
      details: { in: 'query', issues: [{ path: 'cursor', message: 'not a cursor of this list' }] },
    })
  }
  return { key: key ?? '', id: id ?? '' }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // not one of our cursors
  }
}

/** One page out of `limit + 1` rows, and the cursor of the next. */
export function pageOf<Row>(
  question: unknown,
  rows: readonly Row[],
  limit: number,
  position: (row: Row) => Position,
): { rows: Row[]; next_cursor: string | null } {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const more = rows.length > limit && last !== undefined
  return { rows: page, next_cursor: more ? cursorOf(question, position(last)) : null }
}
