// The SQL of the journal of agents' edits to elements.
import { sql, type Transaction } from 'kysely'
import { jsonbOf } from '../audit/event.ts'
import type { Db } from '../database/database.ts'
import type { Row, Tables } from '../database/tables.ts'
import type { ElementEdit } from '../documents/element-properties.ts'

export type EditRow = Row<'agent_edits'>

/** A row that is not in the trail yet, with the name of its agent; null if it was deleted. */
export type UntoldRow = EditRow & { agent_name: string | null }

/**
 * The oldest `limit` of them, locked until the transaction ends, skipping those locked by another process. Served by
 * the index agent_edits_untold.
 */
export const untoldEdits = (trx: Transaction<Tables>, limit: number): Promise<UntoldRow[]> =>
  trx
    .selectFrom('agent_edits')
    .selectAll('agent_edits')
    .select((eb) =>
      eb
        .selectFrom('agents')
        .select('name')
        .whereRef('agents.id', '=', 'agent_edits.agent_id')
        .as('agent_name'),
    )
    .where('in_trail', '=', false)
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute()

/** Merges rows into one. */
export const keepJoined = async (
  trx: Transaction<Tables>,
  id: string,
  { change, oldValues, newValues }: ElementEdit,
  before: readonly string[],
): Promise<void> => {
  await trx
    .updateTable('agent_edits')
    .set({ change, old_values: jsonbOf(oldValues), new_values: jsonbOf(newValues) })
    .where('id', '=', id)
    .execute()
  await sql`delete from ${sql.table('agent_edits')} where id = any(${before}::bigint[])`.execute(trx)
}

export const markTold = (trx: Transaction<Tables>, ids: readonly string[]) =>
  sql`update ${sql.table('agent_edits')} set in_trail = true where id = any(${ids}::bigint[])`.execute(trx)

/** Edits that are not undone, newest first, up to `limit`. Served by the index agent_edits (board_id, agent_id, created_at). */
export const editsSince = (
  db: Db | Transaction<Tables>,
  boardId: string,
  agentId: string,
  since: Date,
  limit: number,
): Promise<EditRow[]> =>
  db
    .selectFrom('agent_edits')
    .selectAll()
    .where('board_id', '=', boardId)
    .where('agent_id', '=', agentId)
    .where('created_at', '>=', since)
    .where('undone_at', 'is', null)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()

export const markUndone = (db: Db | Transaction<Tables>, ids: readonly string[]) =>
  sql`update ${sql.table('agent_edits')} set undone_at = now() where id = any(${ids}::bigint[])`.execute(db)

/** Newest first, up to `limit` before `before`. */
export const editsOf = (db: Db, agentId: string, before: string | null, limit: number): Promise<EditRow[]> =>
  db
    .selectFrom('agent_edits')
    .selectAll()
    .where('agent_id', '=', agentId)
    .where(sql<boolean>`(${before}::bigint is null or id < ${before}::bigint)`)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()

export const titlesOf = (db: Db, boardIds: readonly string[]) =>
  boardIds.length === 0
    ? Promise.resolve([])
    : db.selectFrom('boards').select(['id', 'title']).where('id', 'in', boardIds).execute()
