// A row of the trail in the transaction of what it tells: both are there, or neither.
import type { Transaction } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { type AuditEvent, rowOf } from './event.ts'
import { insertEvents } from './queries.ts'

export const recordIn = (trx: Transaction<Tables>, event: AuditEvent): Promise<void> =>
  insertEvents(trx, [rowOf(event)])
