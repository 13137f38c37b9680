// The trail as a file: NDJSON or CSV, oldest first, page by page, so that neither memory nor a transaction grows.
import type { AuditResponse } from '../../shared/api.ts'
import type { Database } from '../database/database.ts'
import { type AuditFilter, auditRows, type Place } from './queries.ts'

export const exportFormats = ['ndjson', 'csv'] as const
export type ExportFormat = (typeof exportFormats)[number]

export const mimeOf: Record<ExportFormat, string> = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
}

const columns = [
  'timestamp',
  'id',
  'action',
  'category',
  'actor_kind',
  'actor_name',
  'user_id',
  'guest_id',
  'agent_id',
  'board_id',
  'link_id',
  'resource_type',
  'resource_id',
  'permission_level',
  'old_values',
  'new_values',
  'details',
  'ip_address',
  'user_agent',
  'session_id',
] as const satisfies (keyof AuditResponse)[]

const rowsAtOnce = 1000

/**
 * Ends even if the trail keeps growing: without `to`, rows from now on are left out.
 * @param options.shown reduces a row to what its reader may see.
 */
export async function* exportAudit(
  database: Database,
  filter: AuditFilter,
  options: { format: ExportFormat; shown?: (row: AuditResponse) => AuditResponse },
): AsyncGenerator<string> {
  const { format, shown = (row) => row } = options
  const line = format === 'csv' ? csvLine : (row: AuditResponse) => `${JSON.stringify(row)}\n`
  const until = filter.to ?? new Date().toISOString()
  if (format === 'csv') yield `${columns.join(',')}\r\n`
  let after: Place | null = null
  for (;;) {
    const rows: AuditResponse[] = await auditRows(
      database,
      { ...filter, to: until },
      { order: 'oldest', after, limit: rowsAtOnce },
    )
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows.map((row) => line(shown(row))).join('')
    if (rows.length < rowsAtOnce) return
    after = { timestamp: last.timestamp, id: last.id }
  }
}

const csvLine = (row: AuditResponse): string =>
  `${columns.map((column) => csvCell(row[column])).join(',')}\r\n`

/** RFC 4180; whatever a spreadsheet would read as a formula, also with full-width signs, is prefixed with an apostrophe. */
export const csvCell = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  const safe = typeof value !== 'number' && /^\s*[=+\-@\t\r＝＋－＠]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
