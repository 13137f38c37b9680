// Removing data from the trail, with schema functions that record the removal themselves. Only for the database owner.
import { sql } from 'kysely'
import type { Db } from '../database/database.ts'

/** Removes the personal values of one user or guest. @returns how many rows had some. */
export const eraseAudit = async (
  trx: Db,
  schema: string,
  subject: { userId: number } | { guestId: string },
): Promise<number> => {
  const [userId, guestId] = 'userId' in subject ? [subject.userId, null] : [null, subject.guestId]
  const { rows } = await sql<{ rows: number }>`
    select ${sql.id(schema, 'erase_audit')}(${userId}::integer, ${guestId}::uuid)::float8 as rows`.execute(
    trx,
  )
  return rows[0]?.rows ?? 0
}

/** Drops whole months that ended more than `days` ago. @returns how many. */
export const dropAuditMonths = async (trx: Db, schema: string, days: number): Promise<number> => {
  const { rows } = await sql<{ months: number }>`
    select ${sql.id(schema, 'drop_audit_partitions')}(make_interval(days => ${days}::integer)) as months`.execute(
    trx,
  )
  return rows[0]?.months ?? 0
}
