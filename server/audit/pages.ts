// Pages of the trail, newest first.
import { z } from 'zod'
import type { AuditResponse } from '../../shared/api.ts'
import type { Database } from '../database/database.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import { type AuditFilter, auditRows } from './queries.ts'

const moment = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)))

/**
 * One page of the rows that match `filter`.
 * @throws BoardroomError invalid_request for a cursor that does not come from this query.
 */
export async function auditPage(
  database: Database,
  filter: AuditFilter,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<{ items: AuditResponse[]; next_cursor: string | null }> {
  const { action, category, user_id, board_id, from, to } = filter
  const question = ['audit', action, category, user_id, board_id?.toLowerCase(), from, to]
  const position = positionOf(question, cursor, { key: moment, id: z.guid() })
  const after = position && { timestamp: position.key, id: position.id }
  // One more than requested tells whether there is a next page.
  const rows = await auditRows(database, filter, { order: 'newest', after, limit: limit + 1 })
  const page = pageOf(question, rows, limit, ({ timestamp, id }) => ({ key: timestamp, id }))
  return { items: page.rows, next_cursor: page.next_cursor }
}
