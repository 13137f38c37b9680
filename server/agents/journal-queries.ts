// What agents did to elements: the SQL of their journal.
import { sql, type Transaction } from 'kysely'
import { jsonbOf } from '../audit/event.ts'
import type { Db } from '../database/database.ts'
import type { Row, Tables } from '../database/tables.ts'
import type { ElementEdit } from '../documents/element-properties.ts'

export type EditRow = Row<'agent_edits'>

/** All of them or none. */
export const insertEdits = (
  db: Db,
  boardId: string,
  agentId: string,
  edits: readonly ElementEdit[],
): Promise<void> => {
  const values = edits.map(({ elementId, change, oldValues, newValues }) => ({
    board_id: boardId,
    agent_id: agentId,
    // As a client may name an element in a document, and a text of Postgres may not hold it.
    element_id: elementId.replaceAll('\u0000', '\ufffd').toWellFormed(),
    change,
    old_values: jsonbOf(oldValues),
    new_values: jsonbOf(newValues),
  }))
  return db.transaction().execute(async (trx) => {
    for (let at = 0; at < values.length; at += 500)
      await trx
        .insertInto('agent_edits')
        .values(values.slice(at, at + 500))
        .execute()
  })
}

/** What is not undone yet, newest first, at most `limit`. Serves from: agent_edits (board_id, agent_id, created_at). */
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

/** Newest first, `limit` of them from before `before`. */
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

export const forgetEdits = (db: Db, days: number) =>
  sql`delete from ${sql.table('agent_edits')} where created_at < now() - make_interval(days => ${days})`.execute(
    db,
  )
