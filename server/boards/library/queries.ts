// The SQL of libraries, one function per question.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../../database/database.ts'
import type { Row, Tables } from '../../database/tables.ts'

type Trx = Transaction<Tables>

/** @param userId null: the team's. Served by the index library_items_user. */
export const libraryItems = (db: Db, userId: number | null) =>
  db
    .selectFrom('library_items as i')
    .leftJoin('users as u', 'u.id', 'i.created_by')
    .selectAll('i')
    .select('u.name as created_by_name')
    .where('i.user_id', userId === null ? 'is' : '=', userId)
    .orderBy('i.created_at')
    .orderBy('i.id')
    .execute()

export const countItems = async (trx: Trx): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from ${sql.table('library_items')} where user_id is null`.execute(trx)
  return rows[0]?.count ?? 0
}

/** Serialises changes to the same library. */
export const lockLibrary = (trx: Trx, userId: number | null) =>
  sql`select pg_advisory_xact_lock(hashtext('boardroom library'), ${userId ?? 0}::integer)`.execute(trx)

export const insertItem = (
  trx: Trx,
  item: { user_id: number | null; name: string | null; elements: unknown[]; created_by: number },
) =>
  trx
    .insertInto('library_items')
    .values({ ...item, elements: JSON.stringify(item.elements) })
    .returning('id')
    .executeTakeFirstOrThrow()

export const itemOf = (trx: Trx, id: string): Promise<Row<'library_items'> | undefined> =>
  trx
    .selectFrom('library_items')
    .selectAll()
    .where('id', '=', id)
    .where('user_id', 'is', null)
    .executeTakeFirst()

export const deleteItem = (trx: Trx, id: string) =>
  trx.deleteFrom('library_items').where('id', '=', id).execute()

export const emptyLibrary = (trx: Trx, userId: number) =>
  trx.deleteFrom('library_items').where('user_id', '=', userId).execute()
