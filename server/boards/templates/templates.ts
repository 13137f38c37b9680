// Templates: submitted by anybody with an account, approved by an administrator, and never changed afterwards. Versions
// of one code are written one after the other.
import { z } from 'zod'
import type {
  TemplateComparison,
  TemplateCreate,
  TemplateListQuery,
  TemplateResponse,
  TemplateSummary,
  TemplateVersionCreate,
} from '../../../shared/api/templates.ts'
import { describeLeftOut, readDrawing } from '../../../shared/drawing.ts'
import { variablesIn } from '../../../shared/template-texts.ts'
import { transactionAs } from '../../audit/actor.ts'
import type { Db } from '../../database/database.ts'
import { BoardroomError } from '../../errors.ts'
import type { Actor, Identity } from '../../principal.ts'
import { pageOf, positionOf } from '../../routing/cursor.ts'
import { comparisonOf } from './comparison.ts'
import {
  currentOfCode,
  deleteTemplate,
  endCurrent,
  insertTemplate,
  type ListedTemplate,
  listTemplateRows,
  lockCode,
  newestOfCode,
  newestSeen,
  setApproved,
  type TemplateRow,
  templateById,
} from './queries.ts'
import { readVariablesSchema, type VariablesSchema } from './variables.ts'

export interface Author {
  userId: number
  administers: boolean
}

/** @throws BoardroomError not_signed_in | access_denied (tickets, guests, agents) */
export function templateUser(identity: Identity): Author {
  const { principal, boardId } = identity
  if (principal.kind === 'anonymous') throw new BoardroomError('not_signed_in', 'sign in to see templates')
  if (principal.kind !== 'user' || boardId !== null)
    throw new BoardroomError('access_denied', 'only signed-in people with an account can use templates')
  return { userId: principal.userId, administers: principal.role !== 'user' }
}

/**
 * Submits the first version of a code for approval.
 * @throws BoardroomError invalid_request (drawing, schema, unknown variables) | conflict (the code is taken)
 */
export async function createTemplate(
  db: Db,
  actor: Actor,
  author: Author,
  body: TemplateCreate,
): Promise<TemplateResponse> {
  const checked = checkedContent(body.content, body.variables_schema ?? {})
  const id = await transactionAs(db, actor, async (trx) => {
    await lockCode(trx, body.code)
    const taken = await newestOfCode(trx, body.code)
    if (taken !== undefined) {
      const seen = await newestSeen(trx, body.code, { ownedBy: seesOf(author) })
      throw new BoardroomError(
        'conflict',
        seen === undefined
          ? `there is already a template ${body.code}, pending approval; choose another code`
          : `there is already a template ${body.code}; submit a new version of it: POST /api/templates/${seen.id}/versions`,
        { details: { template_id: seen?.id ?? null } },
      )
    }
    return insertTemplate(trx, {
      code: body.code,
      version: 1,
      name: body.name,
      description: body.description ?? '',
      category: body.category,
      board_types: JSON.stringify(body.board_types ?? []),
      is_required: body.is_required ?? false,
      display_order: body.display_order ?? 0,
      created_by: author.userId,
      ...checked,
    })
  })
  return readTemplate(db, author, id)
}

/**
 * Submits a new version of a template's code for approval; existing boards stay as they are.
 * @param id any version of it.
 * @throws BoardroomError not_found | invalid_request
 */
export async function createVersion(
  db: Db,
  actor: Actor,
  author: Author,
  id: string,
  body: TemplateVersionCreate,
): Promise<TemplateResponse> {
  const of = await visibleTemplate(db, author, id)
  const made = await transactionAs(db, actor, async (trx) => {
    await lockCode(trx, of.code)
    const newest = await newestOfCode(trx, of.code)
    // Omitted fields are copied from the newest version that the author may see, never from somebody else's pending one.
    const before = await newestSeen(trx, of.code, { ownedBy: seesOf(author) })
    if (newest === undefined || before === undefined) throw missing()
    const checked = checkedContent(
      body.content ?? before.content,
      body.variables_schema ?? before.variables_schema,
    )
    return insertTemplate(trx, {
      code: before.code,
      version: newest.version + 1,
      previous_version_id: before.id,
      name: body.name ?? before.name,
      description: body.description ?? before.description,
      category: body.category ?? before.category,
      board_types: JSON.stringify(body.board_types ?? before.board_types),
      is_required: body.is_required ?? before.is_required,
      display_order: body.display_order ?? before.display_order,
      created_by: author.userId,
      ...checked,
    })
  })
  return readTemplate(db, author, made)
}

/**
 * Approves a version, which becomes the current one of its code. If two are approved at once, one wins.
 * @throws BoardroomError access_denied | not_found | conflict (already approved, or a newer version is current)
 */
export async function approveTemplate(
  db: Db,
  actor: Actor,
  author: Author,
  id: string,
  notes: string | undefined,
): Promise<TemplateResponse> {
  if (!author.administers)
    throw new BoardroomError('access_denied', 'only an administrator can approve a template')
  await transactionAs(db, actor, async (trx) => {
    const asked = await templateById(trx, id)
    if (asked === undefined) throw missing()
    await lockCode(trx, asked.code)
    // Checked again, now that nobody else can write this code.
    const template = await templateById(trx, id)
    if (template === undefined) throw missing()
    if (template.approved_at !== null)
      throw new BoardroomError('conflict', 'this version is already approved', {
        details: { approved_by: template.approved_by, approved_at: template.approved_at.toISOString() },
      })
    const current = await currentOfCode(trx, template.code)
    if (current !== undefined && current.version > template.version)
      throw new BoardroomError(
        'conflict',
        `version ${current.version} is current, which is newer than ${template.version}; submit this one again as a new version`,
      )
    await endCurrent(trx, template.code)
    await setApproved(trx, id, author.userId, notes ?? null)
  })
  return readTemplate(db, author, id)
}

/**
 * Removes a pending version (its author withdraws it, or an administrator declines it), or retires the current one (only
 * administrators). Boards created from it stay.
 * @throws BoardroomError access_denied | not_found | conflict (a previous version)
 */
export async function removeTemplate(db: Db, actor: Actor, author: Author, id: string): Promise<void> {
  const { code } = await visibleTemplate(db, author, id)
  await transactionAs(db, actor, async (trx) => {
    await lockCode(trx, code)
    const template = await templateById(trx, id)
    if (template === undefined) throw missing()
    if (template.approved_at === null) {
      await deleteTemplate(trx, id)
      return
    }
    if (!author.administers)
      throw new BoardroomError('access_denied', 'only an administrator can retire a template')
    if (!template.is_current)
      throw new BoardroomError(
        'conflict',
        'this version is not current; boards created from it still need it',
      )
    await endCurrent(trx, code)
  })
}

/** @throws BoardroomError not_found */
export async function readTemplate(db: Db, author: Author, id: string): Promise<TemplateResponse> {
  const template = await visibleTemplate(db, author, id)
  return { ...summaryOf(template), content: template.content }
}

/** @throws BoardroomError invalid_request (cursor) */
export async function listTemplates(
  db: Db,
  author: Author,
  query: TemplateListQuery,
): Promise<{ items: TemplateSummary[]; next_cursor: string | null }> {
  const { limit: most, cursor, scope, category, board_type, code, q } = query
  const question = {
    scope,
    category,
    board_type,
    code,
    q,
    ownedBy: seesOf(author),
  }
  const after = positionOf(['templates', question], cursor, { key: z.string().max(400), id: z.uuid() })
  const rows = await listTemplateRows(db, question, after, most + 1)
  const page = pageOf(['templates', question], rows, most, ({ key, id }) => ({ key, id }))
  return { items: page.rows.map(summaryOf), next_cursor: page.next_cursor }
}

/**
 * The changes since the previous version that the asker may see; everything, if there is none.
 * @throws BoardroomError not_found
 */
export async function compareTemplate(db: Db, author: Author, id: string): Promise<TemplateComparison> {
  const after = await visibleTemplate(db, author, id)
  const before = await newestSeen(db, after.code, { ownedBy: seesOf(author), before: after.version })
  return comparisonOf(before, after)
}

/** Whose pending versions somebody may see; null: everybody's. */
const seesOf = (author: Author): number | null => (author.administers ? null : author.userId)

/** A pending version is visible only to its author and administrators. */
async function visibleTemplate(db: Db, author: Author, id: string): Promise<TemplateRow> {
  const template = await templateById(db, id)
  const isVisible =
    template !== undefined &&
    (template.approved_at !== null || author.administers || template.created_by === author.userId)
  if (!isVisible) throw missing()
  return template
}

const missing = () => new BoardroomError('not_found', 'there is no such template')

/** The columns for a drawing and its matching schema. @throws BoardroomError invalid_request */
function checkedContent(content: Record<string, unknown>, schema: Record<string, unknown>) {
  const drawing = readDrawing(content)
  if (drawing === null)
    throw wrongContent('expected an Excalidraw drawing: an object with "type": "excalidraw" and "elements"')
  if (drawing.leftOut.length > 0) throw wrongContent(describeLeftOut(drawing.leftOut))
  const read: VariablesSchema = readVariablesSchema(schema)
  const unknown = variablesIn(drawing.elements).filter((name) => !read.fields.includes(name))
  if (unknown.length > 0)
    throw wrongContent(
      `its texts contain {{${unknown.join('}}, {{')}}}, which variables_schema does not define`,
    )
  const { files, appState } = content
  return {
    content: JSON.stringify({
      type: 'excalidraw',
      version: 2,
      source: 'boardroom',
      elements: drawing.elements,
      ...(typeof appState === 'object' && appState !== null
        ? { appState: { viewBackgroundColor: drawing.background } }
        : {}),
      ...(typeof files === 'object' && files !== null ? { files } : {}),
    }),
    variables_schema: JSON.stringify(read.schema),
    unique_fields: JSON.stringify(read.uniqueFields),
    masked_fields: JSON.stringify(read.maskedFields),
  }
}

const wrongContent = (reason: string): BoardroomError =>
  new BoardroomError('invalid_request', `content: ${reason}`, {
    details: { in: 'json', issues: [{ path: 'content', message: reason }] },
  })

const summaryOf = (row: ListedTemplate): TemplateSummary => ({
  id: row.id,
  code: row.code,
  name: row.name,
  description: row.description,
  category: row.category,
  version: row.version,
  is_current: row.is_current,
  status: row.approved_at === null ? 'waiting' : row.is_current ? 'current' : 'former',
  previous_version_id: row.previous_version_id,
  board_types: row.board_types,
  is_required: row.is_required,
  display_order: row.display_order,
  variables_schema: row.variables_schema,
  approved_by: row.approved_by,
  approved_at: row.approved_at?.toISOString() ?? null,
  approval_notes: row.approval_notes,
  created_by: row.created_by,
  created_at: row.created_at.toISOString(),
  updated_at: row.updated_at.toISOString(),
})
