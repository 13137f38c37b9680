// The SQL of templates, one function per question.
import { type RawBuilder, sql, type Transaction } from 'kysely'
import { searchKeyOf } from '../../../shared/search-key.ts'
import type { Db } from '../../database/database.ts'
import type { NewRow, Row, Tables } from '../../database/tables.ts'
import type { Position } from '../../routing/cursor.ts'

type Trx = Transaction<Tables>
export type TemplateRow = Row<'board_templates'>
/** Without the drawing, which lists do not show. */
export type ListedTemplate = Omit<TemplateRow, 'content'>

export const templateById = (db: Db, id: string): Promise<TemplateRow | undefined> =>
  db.selectFrom('board_templates').selectAll().where('id', '=', id).executeTakeFirst()

/** Serialises transactions that write the same code. */
export const lockCode = (trx: Trx, code: string) =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`template ${code}`}, 0))`.execute(trx)

export const newestOfCode = (db: Db, code: string): Promise<TemplateRow | undefined> =>
  db
    .selectFrom('board_templates')
    .selectAll()
    .where('code', '=', code)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()

/** The newest visible version. @param ownedBy whose pending versions are included; null: everybody's. */
export const newestSeen = (
  db: Db,
  code: string,
  { ownedBy, before }: { ownedBy: number | null; before?: number },
): Promise<TemplateRow | undefined> => {
  const versions = db.selectFrom('board_templates').selectAll().where('code', '=', code)
  const older = before === undefined ? versions : versions.where('version', '<', before)
  const seen =
    ownedBy === null
      ? older
      : older.where((eb) => eb.or([eb('approved_at', 'is not', null), eb('created_by', '=', ownedBy)]))
  return seen.orderBy('version', 'desc').limit(1).executeTakeFirst()
}

export const currentOfCode = (db: Db, code: string): Promise<TemplateRow | undefined> =>
  db
    .selectFrom('board_templates')
    .selectAll()
    .where('code', '=', code)
    .where('is_current', '=', true)
    .executeTakeFirst()

export const insertTemplate = async (trx: Trx, row: NewRow<'board_templates'>): Promise<string> =>
  (await trx.insertInto('board_templates').values(row).returning('id').executeTakeFirstOrThrow()).id

/** Retires the current version of a code, if any. */
export const endCurrent = (trx: Trx, code: string) =>
  trx
    .updateTable('board_templates')
    .set({ is_current: false, updated_at: sql<Date>`now()` })
    .where('code', '=', code)
    .where('is_current', '=', true)
    .execute()

export const setApproved = (trx: Trx, id: string, by: number, notes: string | null) =>
  trx
    .updateTable('board_templates')
    .set({
      is_current: true,
      approved_by: by,
      approved_at: sql<Date>`now()`,
      approval_notes: notes,
      updated_at: sql<Date>`now()`,
    })
    .where('id', '=', id)
    .execute()

export const deleteTemplate = (trx: Trx, id: string) =>
  trx.deleteFrom('board_templates').where('id', '=', id).execute()

/** The codes of the templates that new boards of this type must be created from. */
export const requiredFor = async (db: Db, boardType: string): Promise<string[]> => {
  const rows = await db
    .selectFrom('board_templates')
    .select('code')
    .where('is_current', '=', true)
    .where('is_required', '=', true)
    .where(sql<boolean>`board_types @> ${JSON.stringify([boardType])}::jsonb`)
    .orderBy('code')
    .execute()
  return rows.map(({ code }) => code)
}

export interface TemplateQuestion {
  scope: 'current' | 'waiting' | 'all'
  category: string | undefined
  board_type: string | undefined
  code: string | undefined
  q: string | undefined
  /** Whose unapproved versions are included besides all approved ones; null: everybody's. */
  ownedBy: number | null
}

/** The library by category, order and name; otherwise by code, newest version first. */
export async function listTemplateRows(
  db: Db,
  question: TemplateQuestion,
  after: Position | null,
  most: number,
): Promise<(ListedTemplate & { key: string })[]> {
  const { scope, category, board_type, code, q, ownedBy } = question
  const version = sql`to_char(1000000000 - t.version, 'FM0000000000')`
  // Pending and past versions are sorted by code, newest first.
  const key =
    scope !== 'current'
      ? sql`t.code || chr(31) || ${version}`
      : sql`t.category || chr(31) || to_char(t.display_order + 1000000, 'FM0000000') || chr(31) || t.name || chr(31) || t.code`
  const conditions: RawBuilder<unknown>[] = [
    sql`true`,
    ...(scope === 'current' ? [sql`t.is_current`] : []),
    ...(scope === 'waiting' ? [sql`t.approved_at is null`] : []),
    ...(ownedBy === null ? [] : [sql`(t.approved_at is not null or t.created_by = ${ownedBy})`]),
    ...(category === undefined ? [] : [sql`t.category = ${category}`]),
    ...(board_type === undefined ? [] : [sql`t.board_types @> ${JSON.stringify([board_type])}::jsonb`]),
    ...(code === undefined ? [] : [sql`t.code = ${code}`]),
    ...(q === undefined
      ? []
      : [
          sql`(${sql.table('search_key')}(t.name) like ${like(q)} or ${sql.table('search_key')}(t.code) like ${like(q)})`,
        ]),
    ...(after === null ? [] : [sql`(${key}, t.id) > (${after.key}, ${after.id}::uuid)`]),
  ]
  const { rows } = await sql<ListedTemplate & { key: string }>`
    select t.id, t.code, t.name, t.description, t.category, t.version, t.is_current, t.previous_version_id,
      t.variables_schema, t.unique_fields, t.masked_fields, t.board_types, t.is_required, t.display_order,
      t.approved_by, t.approved_at, t.approval_notes, t.created_by, t.created_at, t.updated_at, ${key} as key
    from ${sql.table('board_templates')} t
    where ${sql.join(conditions, sql` and `)}
    order by ${key}, t.id limit ${most}`.execute(db)
  return rows
}

const like = (text: string): string => `%${searchKeyOf(text).replace(/[\\%_]/g, '\\$&')}%`
