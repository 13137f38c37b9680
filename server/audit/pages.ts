// Pages of the trail, newest first.
import type { AuditResponse } from '../../shared/api.ts'
import type { Database } from '../database/database.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { type AuditFilter, auditRows } from './queries.ts'

/**
 * One page of what `filter` lets through.
 * @throws BoardroomError invalid_request for a cursor that is none, or of another query.
 */
export async function auditPage(
  database: Database,
  filter: AuditFilter,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<{ items: AuditResponse[]; next_cursor: string | null }> {
  const after = cursor === undefined ? null : decodeCursor(filter, cursor)
  // One more than asked for tells whether there is a next page.
  const rows = await auditRows(database, filter, { order: 'newest', after, limit: limit + 1 })
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return {
    items,
    next_cursor: rows.length > items.length && last !== undefined ? encodeCursor(filter, last) : null,
  }
}
