// Writes an audit row in the same transaction as the change it describes, so that both are committed or neither.
import type { Transaction } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { type AuditEvent, rowOf } from './event.ts'
import { insertEvents } from './queries.ts'

export const recordIn = (trx: Transaction<Tables>, event: AuditEvent): Promise<void> =>
  insertEvents(trx, [rowOf(event)])
