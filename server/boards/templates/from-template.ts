// Creates a board from a template: drawing, filled-in texts, images and record in one transaction.
import type { Transaction } from 'kysely'
import type { BoardCreate } from '../../../shared/api.ts'
import { readDrawing } from '../../../shared/drawing.ts'
import { fillElements } from '../../../shared/template-texts.ts'
import type { Tables } from '../../database/tables.ts'
import { BoardroomError } from '../../errors.ts'
import type { BoardsDeps, MadeDocument } from '../deps.ts'
import { insertRecord } from '../records/queries.ts'
import { recordSearchKey } from '../records/records.ts'
import { shownVariables } from '../records/shown.ts'
import { currentOfCode, requiredFor, type TemplateRow, templateById } from './queries.ts'
import { checkVariables, type Variables } from './variables.ts'

/** Everything that is prepared before the transaction begins. */
export interface Planned {
  template: TemplateRow
  variables: Variables
  document: MadeDocument
  boardType: string | null
}

type Deps = Pick<BoardsDeps, 'db' | 'documents'>

/**
 * The content of a new board; null: an empty one.
 * @throws BoardroomError invalid_request (variables, a template is required) | not_found (template) | conflict (not current)
 */
export async function planBoard(
  deps: Deps,
  body: Pick<BoardCreate, 'template_id' | 'variables' | 'board_type'>,
): Promise<Planned | null> {
  const { template_id, variables, board_type } = body
  if (template_id === undefined) {
    if (variables !== undefined)
      throw new BoardroomError('invalid_request', 'variables: only allowed together with a template_id')
    await refuseWithoutTemplate(deps, board_type, null)
    return null
  }
  const template = await currentTemplate(deps, template_id)
  const types = template.board_types
  if (board_type !== undefined && types.length > 0 && !types.includes(board_type)) {
    throw new BoardroomError(
      'invalid_request',
      `board_type: the template ${template.code} is only for boards of the types ${types.join(', ')}`,
    )
  }
  const boardType = board_type ?? types[0] ?? null
  await refuseWithoutTemplate(deps, boardType ?? undefined, template)
  const checked = checkVariables(template.variables_schema, variables ?? {})
  const elements = fillElements(
    readDrawing(template.content)?.elements ?? [],
    shownVariables(checked, template.masked_fields),
  )
  const document = await deps.documents.make({ ...template.content, elements })
  return { template, variables: checked, document, boardType }
}

/** Writes the prepared content to the new, empty board, in the transaction that creates it. */
export async function writePlanned(
  trx: Transaction<Tables>,
  { documents }: Pick<BoardsDeps, 'documents'>,
  { template, variables, document }: Planned,
  boardId: string,
  by: number,
): Promise<void> {
  await documents.write(trx, boardId, document, `user:${by}`)
  await insertRecord(trx, {
    boardId,
    templateId: template.id,
    variables,
    searchKey: recordSearchKey(variables, template.masked_fields),
    by,
  })
}

async function currentTemplate({ db }: Deps, id: string): Promise<TemplateRow> {
  const template = await templateById(db, id)
  // A pending version is visible only to its author, who cannot create boards from it either.
  if (template === undefined) throw new BoardroomError('not_found', 'template_id: there is no such template')
  if (template.is_current) return template
  if (template.approved_at === null)
    throw new BoardroomError(
      'conflict',
      'template_id: this version has not been approved by an administrator yet',
    )
  const current = await currentOfCode(db, template.code)
  throw new BoardroomError(
    'conflict',
    current === undefined
      ? 'template_id: this template was retired'
      : `template_id: version ${template.version} is no longer current; use version ${current.version}`,
    { details: { current_template_id: current?.id ?? null } },
  )
}

async function refuseWithoutTemplate(
  { db }: Deps,
  boardType: string | undefined,
  template: TemplateRow | null,
): Promise<void> {
  if (boardType === undefined) return
  const required = await requiredFor(db, boardType)
  if (required.length === 0 || (template !== null && required.includes(template.code))) return
  throw new BoardroomError(
    'invalid_request',
    `template_id: a new board of the type ${boardType} must be created from the template ${required.join(' or ')}`,
    { details: { required_templates: required } },
  )
}
