// Where the next page begins. Opaque to clients, and bound to the filters it was made for: a cursor of another
// query would skip rows in silence.
import { createHash } from 'node:crypto'
import { BoardroomError } from '../errors.ts'
import type { AuditFilter, Place } from './queries.ts'

export const encodeCursor = (filter: AuditFilter, place: Place): string =>
  Buffer.from(JSON.stringify([digestOf(filter), place.timestamp, place.id])).toString('base64url')

/** @throws BoardroomError invalid_request for a cursor that is none, or of another query. */
export const decodeCursor = (filter: AuditFilter, cursor: string): Place => {
  const parts = partsOf(cursor)
  if (parts === null)
    throw new BoardroomError('invalid_request', 'cursor: expected a next_cursor of this route')
  const [digest, timestamp, id] = parts
  if (digest !== digestOf(filter)) {
    throw new BoardroomError(
      'invalid_request',
      'cursor: it belongs to another query; repeat the filters it was given for',
    )
  }
  return { timestamp, id }
}

const isMoment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const partsOf = (cursor: string): [digest: string, timestamp: string, id: string] | null => {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (!Array.isArray(parts) || parts.length !== 3) return null
    const [digest, timestamp, id] = parts as unknown[]
    if (typeof digest !== 'string' || typeof timestamp !== 'string' || typeof id !== 'string') return null
    return isMoment.test(timestamp) && !Number.isNaN(Date.parse(timestamp)) && isUuid.test(id)
      ? [digest, timestamp, id]
      : null
  } catch {
    return null // not ours: the caller says so
  }
}

const digestOf = ({ action, category, user_id, board_id, from, to }: AuditFilter): string =>
  createHash('sha256')
    .update(JSON.stringify([action, category, user_id, board_id?.toLowerCase(), from, to]))
    .digest('base64url')
    .slice(0, 16)
