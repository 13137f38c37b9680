// The SQL of consent, one function per question.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../../database/database.ts'
import type { Row, Tables } from '../../database/tables.ts'
import type { AskedText } from './instance-text.ts'

type Trx = Transaction<Tables>

/** Exactly one of the two. */
export type ConsentPerson = { userId: number } | { guestId: string }

export const textOfVersion = (
  db: Db,
  boardId: string | null,
  text: Pick<AskedText, 'consentVersion' | 'privacyPolicyVersion'>,
): Promise<Row<'consent_texts'> | undefined> =>
  db
    .selectFrom('consent_texts')
    .selectAll()
    .where('board_id', boardId === null ? 'is' : '=', boardId)
    .where('consent_version', '=', text.consentVersion)
    .where('privacy_policy_version', '=', text.privacyPolicyVersion)
    .executeTakeFirst()

/** Idempotent, because two processes that start at once publish the same text. */
export const insertText = (trx: Trx, boardId: string | null, text: AskedText, by: number | null) =>
  trx
    .insertInto('consent_texts')
    .values({
      board_id: boardId,
      consent_version: text.consentVersion,
      privacy_policy_version: text.privacyPolicyVersion,
      body: text.body,
      required_categories: JSON.stringify(text.requiredCategories),
      optional_categories: JSON.stringify(text.optionalCategories),
      created_by: by,
    })
    .onConflict((conflict) => conflict.constraint('consent_texts_once').doNothing())
    .execute()

export type BoardText = Row<'consent_texts'> & { board_title: string }

/** The text that a board currently requires. */
export const textOfBoard = (db: Db, boardId: string): Promise<BoardText | undefined> =>
  db
    .selectFrom('consent_texts as t')
    .innerJoin('boards as b', 'b.id', 't.board_id')
    .selectAll('t')
    .select('b.title as board_title')
    .where('t.board_id', '=', boardId)
    .where('t.ended_at', 'is', null)
    .executeTakeFirst()

/** @returns whether the board required consent. */
export const endTextOfBoard = async (trx: Trx, boardId: string): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('consent_texts')
    .set({ ended_at: sql<Date>`now()` })
    .where('board_id', '=', boardId)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Requires a published text again, unchanged. */
export const reviveText = (trx: Trx, textId: string) =>
  trx.updateTable('consent_texts').set({ ended_at: null }).where('id', '=', textId).execute()

/** The records of one person, newest first. */
export const recordsOf = (db: Db, person: ConsentPerson, most: number): Promise<Row<'consent_records'>[]> =>
  ofPerson(db.selectFrom('consent_records').selectAll(), person)
    .orderBy('accepted_at', 'desc')
    .orderBy('id')
    .limit(most)
    .execute()

/** Serialises transactions that write records for the same person. */
export const lockPerson = async (trx: Trx, person: ConsentPerson): Promise<void> => {
  const key = 'userId' in person ? `consent user:${person.userId}` : `consent guest:${person.guestId}`
  await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(trx)
}

export const standingRecord = (
  trx: Trx,
  person: ConsentPerson,
  boardId: string | null,
  text: Pick<AskedText, 'consentVersion' | 'privacyPolicyVersion'>,
): Promise<Row<'consent_records'> | undefined> =>
  ofPerson(trx.selectFrom('consent_records').selectAll(), person)
    .where('board_id', boardId === null ? 'is' : '=', boardId)
    .where('consent_version', '=', text.consentVersion)
    .where('privacy_policy_version', '=', text.privacyPolicyVersion)
    .where('withdrawn_at', 'is', null)
    .executeTakeFirst()

export const insertRecord = (
  trx: Trx,
  person: ConsentPerson,
  record: {
    boardId: string | null
    consentVersion: string
    privacyPolicyVersion: string
    categories: readonly string[]
    ip: string | null
    userAgent: string | null
  },
): Promise<Row<'consent_records'>> =>
  trx
    .insertInto('consent_records')
    .values({
      user_id: 'userId' in person ? person.userId : null,
      guest_id: 'guestId' in person ? person.guestId : null,
      board_id: record.boardId,
      consent_version: record.consentVersion,
      privacy_policy_version: record.privacyPolicyVersion,
      consent_categories: JSON.stringify(record.categories),
      ip_address: record.ip,
      user_agent: record.userAgent,
    })
    .returningAll()
    .executeTakeFirstOrThrow()

export const withdrawRecord = (trx: Trx, id: string) =>
  trx.updateTable('consent_records').set({ withdrawn_at: sql<Date>`now()` }).where('id', '=', id).execute()

/** Withdraws all valid records of a person, for the instance's texts or one board's. @returns how many. */
export const withdrawStanding = async (
  trx: Trx,
  person: ConsentPerson,
  boardId: string | null,
): Promise<number> => {
  const standing = trx
    .updateTable('consent_records')
    .set({ withdrawn_at: sql<Date>`greatest(now(), accepted_at)` })
    .where('board_id', boardId === null ? 'is' : '=', boardId)
    .where('withdrawn_at', 'is', null)
  const { numUpdatedRows } = await ('userId' in person
    ? standing.where('user_id', '=', person.userId)
    : standing.where('guest_id', '=', person.guestId)
  ).executeTakeFirst()
  return Number(numUpdatedRows)
}

const ofPerson = <Query extends { where(column: 'user_id' | 'guest_id', op: '=', value: never): Query }>(
  query: Query,
  person: ConsentPerson,
): Query =>
  // The types of Kysely's builders differ by their selection; all of them have these two columns.
  'userId' in person
    ? query.where('user_id', '=', person.userId as never)
    : query.where('guest_id', '=', person.guestId as never)
