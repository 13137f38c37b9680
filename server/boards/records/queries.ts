// The SQL of records, one function per question.
import { type RawBuilder, sql, type Transaction } from 'kysely'
import { searchKeyOf } from '../../../shared/search-key.ts'
import type { Db } from '../../database/database.ts'
import type { Row, Tables } from '../../database/tables.ts'
import type { Position } from '../../routing/cursor.ts'
import { withinReach } from '../board-list-queries.ts'
import { bareId } from '../templates/national-ids.ts'
import type { Variables } from '../templates/variables.ts'

type Trx = Transaction<Tables>

export type RecordRow = Row<'board_records'> & {
  board_title: string
  template_name: string
  template_version: number
  variables_schema: Record<string, unknown>
  masked_fields: string[]
  created_by_name: string | null
  updated_by_name: string | null
}

const columns = sql`
  r.*, b.title as board_title, t.name as template_name, t.version as template_version, t.variables_schema, t.masked_fields,
  (select u.name from ${sql.table('users')} u where u.id = r.created_by) as created_by_name,
  (select u.name from ${sql.table('users')} u where u.id = r.updated_by) as updated_by_name`
/** @param records the source of `r` */
const fromRecords = (records: RawBuilder<unknown>) => sql`
  from ${records}
  join ${sql.table('boards')} b on b.id = r.board_id
  join ${sql.table('board_templates')} t on t.id = r.template_id`
const from = fromRecords(sql`${sql.table('board_records')} r`)
/** Starts from the boards: a person has hundreds, while an instance may have a hundred thousand records. */
const fromReach = (userId: number) =>
  fromRecords(sql`(${withinReach(userId)}) reach
    cross join lateral (select * from ${sql.table('board_records')} where board_id = reach.id limit 1) r`)

export async function recordOfBoard(db: Db, boardId: string): Promise<RecordRow | undefined> {
  const { rows } = await sql<RecordRow>`select ${columns} ${from} where r.board_id = ${boardId}`.execute(db)
  return rows[0]
}

/** Locked until the transaction ends. */
export const lockRecord = (trx: Trx, boardId: string): Promise<Row<'board_records'> | undefined> =>
  trx.selectFrom('board_records').selectAll().where('board_id', '=', boardId).forUpdate().executeTakeFirst()

export const insertRecord = (
  trx: Trx,
  record: { boardId: string; templateId: string; variables: Variables; searchKey: string; by: number | null },
) =>
  trx
    .insertInto('board_records')
    .values({
      board_id: record.boardId,
      template_id: record.templateId,
      variables: JSON.stringify(record.variables),
      search_key: record.searchKey,
      created_by: record.by,
      updated_by: record.by,
    })
    .execute()

export const updateRecord = (
  trx: Trx,
  id: string,
  change: { variables: Variables; searchKey: string; deletedAt: Date | null; by: number | null },
) =>
  trx
    .updateTable('board_records')
    .set({
      variables: JSON.stringify(change.variables),
      search_key: change.searchKey,
      deleted_at: change.deletedAt,
      updated_by: change.by,
      updated_at: sql<Date>`greatest(clock_timestamp(), updated_at + interval '1 millisecond')`,
    })
    .where('id', '=', id)
    .execute()

export interface RecordQuestion {
  template: string | undefined
  q: string | undefined
  deleted: boolean
  /** Whose boards; null: everybody's. Access decides whether the user really has a level. */
  userId: number | null
}

/**
 * Newest first. Served by the indexes board_records (template_code, created_at, id), (created_at, id) and (board_id);
 * board_record_keys by primary key; for one user also those of `withinReach`.
 */
export async function listRecordRows(
  db: Db,
  question: RecordQuestion,
  after: Position | null,
  most: number,
): Promise<(RecordRow & { key: string })[]> {
  return (await recordsStatement(question, after, most).execute(db)).rows
}

/** The statement itself, so that a test can check its plan. */
export function recordsStatement(
  { template, q, deleted, userId }: RecordQuestion,
  after: Position | null,
  most: number,
): RawBuilder<RecordRow & { key: string }> {
  const conditions: RawBuilder<unknown>[] = [
    sql`b.deleted_at is null`,
    deleted ? sql`r.deleted_at is not null` : sql`r.deleted_at is null`,
    ...(template === undefined ? [] : [sql`r.template_code = ${template}`]),
    ...(q === undefined || searchKeyOf(q) === '' ? [] : [matching(q)]),
    ...(after === null ? [] : [sql`(r.created_at, r.id) < (${after.key}::timestamptz, ${after.id}::uuid)`]),
  ]
  return sql<RecordRow & { key: string }>`
    select ${columns}, to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as key
    ${userId === null ? from : fromReach(userId)}
    where ${sql.join(conditions, sql` and `)}
    order by r.created_at desc, r.id desc limit ${most}`
}

/** National ids match only as a whole: partial matches would reveal them digit by digit to people who may not see them. */
const matching = (q: string): RawBuilder<unknown> => {
  // As an array, so that both sides of the `or` can use an index: also one for parts of words that an operator adds.
  const whole = sql`r.id = any(array(
    select k.record_id from ${sql.table('board_record_keys')} k where k.value in (${q.trim()}, ${bareId(q)})))`
  const pattern = `%${searchKeyOf(q).replace(/[\\%_]/g, '\\$&')}%`
  return sql`(r.search_key like ${pattern} or ${whole})`
}

/** The lock for updating the texts of this board, on any node, until the transaction ends. */
export const lockTexts = (trx: Trx, boardId: string): Promise<unknown> =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`record texts ${boardId}`}, 0))`.execute(trx)

export const versionWaiting = async (trx: Trx, boardId: string): Promise<string | undefined> =>
  (
    await trx
      .selectFrom('record_texts_waiting')
      .select('version')
      .where('board_id', '=', boardId)
      .executeTakeFirst()
  )?.version

/** A change made meanwhile remains queued. */
export const textsFollowed = (trx: Trx, boardId: string, version: string): Promise<unknown> =>
  trx
    .deleteFrom('record_texts_waiting')
    .where('board_id', '=', boardId)
    .where('version', '=', version)
    .execute()

/** Boards with outdated texts, except those in the trash, which cannot be written. */
export const boardsWaiting = async (db: Db): Promise<string[]> =>
  (
    await db
      .selectFrom('record_texts_waiting as w')
      .innerJoin('boards as b', 'b.id', 'w.board_id')
      .select('w.board_id')
      .where('b.deleted_at', 'is', null)
      .limit(1000)
      .execute()
  ).map(({ board_id }) => board_id)

/** The names of all variables in any version of a code, starting with the newest. */
export async function variablesOfCode(db: Db, code: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select name from (
      select f.field as name, max(t.version) as version, min(f.place) as place
      from ${sql.table('board_templates')} t
      cross join lateral jsonb_array_elements_text(t.variables_schema -> 'fieldOrder') with ordinality as f (field, place)
      where t.code = ${code} and t.approved_at is not null group by f.field) named
    order by version desc, place`.execute(db)
  return rows.map(({ name }) => name)
}
