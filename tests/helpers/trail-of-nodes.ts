// Whether the trail has every join and every leave, whichever node wrote them and whichever crashed.
import type { Db } from '../../server/database/database.ts'

/**
 * @param letIn connections that were told that they are in. @returns a line for everything that is not there exactly
 * once.
 */
export async function whatTheTrailLacks(db: Db, letIn: ReadonlySet<string>): Promise<string[]> {
  const rows = await db
    .selectFrom('audit_logs')
    .select(['action', 'details'])
    .where('action', 'in', ['access', 'leave'])
    .execute()
  const joins = new Map<string, number>()
  const leaves = new Map<string, number>()
  for (const { action, details } of rows) {
    const { connection_id: id } = details as { connection_id?: string } // of both kinds of rows
    if (id === undefined) continue
    const counted = action === 'access' ? joins : leaves
    counted.set(id, (counted.get(id) ?? 0) + 1)
  }
  return [
    ...[...letIn].filter((id) => !joins.has(id)).map((id) => `no access row of ${id}, who was let in`),
    ...[...joins].filter(([id]) => !leaves.has(id)).map(([id]) => `no leave row of ${id}`),
    ...[...leaves].filter(([id]) => !joins.has(id)).map(([id]) => `a leave row of ${id}, who never came`),
    ...[...joins].filter(([, times]) => times > 1).map(([id, times]) => `${times} access rows of ${id}`),
    ...[...leaves].filter(([, times]) => times > 1).map(([id, times]) => `${times} leave rows of ${id}`),
  ]
}
