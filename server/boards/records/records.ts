// Records: the structured data of a board created from a template. Typed by the template's schema, unique where it says
// so, masked for people who may not see national ids; the texts on the board follow.
import { z } from 'zod'
import type {
  BoardRecordResponse,
  RecordListQuery,
  RecordResponse,
  RecordUpdate,
} from '../../../shared/api/templates.ts'
import { allows } from '../../../shared/levels.ts'
import { searchKeyOf } from '../../../shared/search-key.ts'
import { transactionAs } from '../../audit/actor.ts'
import { BoardroomError } from '../../errors.ts'
import type { Actor, Identity } from '../../principal.ts'
import type { AccessDecision } from '../../rooms/ports.ts'
import { pageOf, positionOf } from '../../routing/cursor.ts'
import { subjectOf } from '../access.ts'
import type { BoardsDeps } from '../deps.ts'
import { checkVariables, type Variables } from '../templates/variables.ts'
import {
  listRecordRows,
  lockRecord,
  type RecordQuestion,
  type RecordRow,
  recordOfBoard,
  updateRecord,
} from './queries.ts'
import { masksOf } from './shown.ts'

/** The search key of a record: its values except the masked ones. */
export const recordSearchKey = (variables: Variables, masked: readonly string[]): string =>
  searchKeyOf(
    Object.entries(variables)
      .filter(([name]) => !masked.includes(name))
      .map(([, value]) => String(value))
      .join('\n'),
  ).slice(0, 20_000)

/** @throws BoardroomError not_found if the board was not created from a template */
export async function readRecord(
  deps: Pick<BoardsDeps, 'db'>,
  identity: Identity,
  decision: AccessDecision,
  boardId: string,
): Promise<BoardRecordResponse> {
  const row = await recordOfBoard(deps.db, boardId)
  if (row === undefined || (row.deleted_at !== null && !decision.mayManage))
    throw new BoardroomError('not_found', 'this board has no record')
  const { variables_schema } = row
  return {
    ...shownRecord(row, identity, decision),
    variables_schema,
    may_change: mayChange(identity, decision),
  }
}

/**
 * Changes some values, and deletes or restores a record. The texts on the board follow once it is committed.
 * @throws BoardroomError not_found | access_denied | invalid_request (values) | conflict (taken, or changed meanwhile)
 */
export async function changeRecord(
  deps: Pick<BoardsDeps, 'db' | 'recordTexts'>,
  identity: Identity,
  actor: Actor,
  decision: AccessDecision,
  boardId: string,
  body: RecordUpdate,
): Promise<BoardRecordResponse> {
  if (!mayChange(identity, decision)) {
    throw new BoardroomError(
      'access_denied',
      `this requires the level edit and an account; you have ${decision.level}`,
    )
  }
  if (body.deleted !== undefined && !decision.mayManage)
    throw new BoardroomError('access_denied', 'only people who manage the board can delete its record')
  const before = await recordOfBoard(deps.db, boardId)
  if (before === undefined) throw new BoardroomError('not_found', 'this board has no record')
  const { masked_fields: masked } = before
  await guardUnique(() =>
    transactionAs(deps.db, actor, async (trx) => {
      const record = await lockRecord(trx, boardId)
      if (record === undefined) throw new BoardroomError('not_found', 'this board has no record')
      if (body.updated_at !== undefined && Date.parse(body.updated_at) !== record.updated_at.getTime()) {
        throw new BoardroomError('conflict', 'the record has been changed since; reload it', {
          details: { updated_at: record.updated_at.toISOString() },
        })
      }
      if (record.deleted_at !== null && body.deleted !== false)
        throw new BoardroomError('conflict', 'this record is deleted; restore it first')
      const next = checkVariables(before.variables_schema, { ...record.variables, ...body.variables })
      await updateRecord(trx, record.id, {
        variables: next,
        searchKey: recordSearchKey(next, masked),
        deletedAt: body.deleted === true ? new Date() : null,
        by: actor.userId,
      })
    }),
  )
  await deps.recordTexts.follow(boardId)
  return readRecord(deps, identity, decision, boardId)
}

/**
 * Records of the boards that the asker may open, newest first. A page may be shorter than its limit even if there is a next_cursor.
 * @throws BoardroomError not_signed_in | access_denied | invalid_request (cursor)
 */
export async function listRecords(
  deps: Pick<BoardsDeps, 'db' | 'access'>,
  identity: Identity,
  query: RecordListQuery,
): Promise<{ items: RecordResponse[]; next_cursor: string | null }> {
  const { principal, boardId } = identity
  if (principal.kind === 'anonymous') throw new BoardroomError('not_signed_in', 'sign in to see records')
  if (principal.kind !== 'user' || boardId !== null)
    throw new BoardroomError('access_denied', 'only signed-in people with an account can list records')
  const administers = principal.role !== 'user'
  const asked = { template: query.template, q: query.q, deleted: query.deleted === 'true' }
  const question: RecordQuestion = { ...asked, userId: administers ? null : principal.userId }
  const names = ['records', asked, principal.userId]
  const after = positionOf(names, query.cursor, { key: z.iso.datetime(), id: z.uuid() })
  const rows = await listRecordRows(deps.db, question, after, query.limit + 1)
  const page = pageOf(names, rows, query.limit, ({ key, id }) => ({ key, id }))
  const decisions = await deps.access.decide(page.rows.map((row) => subjectOf(identity, row.board_id)))
  const items = page.rows.flatMap((row, at) => {
    const decision = decisions[at]
    if (decision === undefined || decision.level === null) return []
    return row.deleted_at !== null && !decision.mayManage ? [] : [shownRecord(row, identity, decision)]
  })
  return { items, next_cursor: page.next_cursor }
}

/** Runs `work`; for a value that another record of the template already has, the error names only the field. */
export async function guardUnique<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const { constraint, detail } = error as { constraint?: string; detail?: string } // a field that pg adds to its errors
    if (constraint !== 'board_record_keys_pkey') throw error
    const field = /\)=\([^,]+, ([A-Za-z0-9_]+),/.exec(detail ?? '')?.[1] ?? 'a field'
    throw new BoardroomError(
      'conflict',
      `variables: another record of this template already has this ${field}`,
      {
        cause: error,
        details: { in: 'variables', field },
      },
    )
  }
}

const mayChange = ({ principal }: Identity, { level }: AccessDecision): boolean =>
  principal.kind === 'user' && allows(level, 'edit')

function shownRecord(row: RecordRow, identity: Identity, decision: AccessDecision): RecordResponse {
  const masked = mayChange(identity, decision) ? [] : row.masked_fields
  return {
    id: row.id,
    board_id: row.board_id,
    board_title: row.board_title,
    template: {
      id: row.template_id,
      code: row.template_code,
      name: row.template_name,
      version: row.template_version,
    },
    variables: masksOf(row.variables as Variables, masked), // checked when it was written
    masked,
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    created_by_name: row.created_by_name,
    updated_at: row.updated_at.toISOString(),
    updated_by: row.updated_by,
    updated_by_name: row.updated_by_name,
    deleted_at: row.deleted_at?.toISOString() ?? null,
  }
}
