// Templates, and the records of boards made from them, over HTTP.
import { z } from 'zod'
import { cursor, limit, nameOf, strict, Timestamp, text, trimmed, UserId, Uuid } from './fields.ts'

export const BoardType = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$/,
    'expected a name like intake: letters, digits, _ . -, at most 50',
  )
const Code = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
    'expected a name like CLIENT_INTAKE: letters, digits, _ . -, at most 64',
  )
const object = z.record(z.string(), z.unknown())

const described = {
  name: nameOf(100).pipe(z.string().min(2)),
  description: text(2000).optional(),
  category: nameOf(50),
  board_types: z
    .array(BoardType)
    .max(50)
    .transform((types) => [...new Set(types)])
    .optional()
    .describe('the board types that it is for'),
  is_required: z
    .boolean()
    .optional()
    .describe('new boards of its types must be made from it, or from another required one'),
  display_order: z.int().min(-1_000_000).max(1_000_000).optional(),
  variables_schema: object
    .optional()
    .describe(
      'JSON Schema of an object with simple properties. Also: formats cpf, cnpj, cpf-or-cnpj; unique, masked; notAfter, notBefore: a date or today',
    ),
}
const content = object.describe('an Excalidraw drawing whose texts may contain {{variables}}')

export const TemplateCreate = strict({ code: Code, ...described, content }).meta({ id: 'TemplateCreate' })
export type TemplateCreate = z.infer<typeof TemplateCreate>

export const TemplateVersionCreate = strict({
  ...described,
  name: described.name.optional(),
  category: described.category.optional(),
  content: content.optional(),
})
  .describe('omitted fields are copied from the previous version')
  .meta({ id: 'TemplateVersionCreate' })
export type TemplateVersionCreate = z.infer<typeof TemplateVersionCreate>

/** From a board: its drawing becomes the content. */
export const TemplateFromBoard = strict({ code: Code, ...described }).meta({ id: 'TemplateFromBoard' })
export type TemplateFromBoard = z.infer<typeof TemplateFromBoard>

export const TemplateApproval = strict({ notes: trimmed(2000).optional() }).meta({ id: 'TemplateApproval' })

export const TemplateListQuery = strict({
  scope: z
    .enum(['current', 'waiting', 'all'])
    .default('current')
    .describe(
      'waiting: not approved yet (your own, or all for administrators); all: every version that you may see',
    ),
  category: text(50).optional(),
  board_type: text(50).optional(),
  code: text(64).optional(),
  q: text(200).optional().describe('part of the name or the code'),
  limit: limit(200),
  cursor,
})
export type TemplateListQuery = z.infer<typeof TemplateListQuery>

export const TemplateSummary = z
  .object({
    id: Uuid,
    code: z.string(),
    name: z.string(),
    description: z.string(),
    category: z.string(),
    version: z.int(),
    is_current: z.boolean(),
    status: z.enum(['waiting', 'current', 'former']).describe('waiting: for an administrator’s approval'),
    previous_version_id: Uuid.nullable(),
    board_types: z.array(z.string()),
    is_required: z.boolean(),
    display_order: z.int(),
    variables_schema: object,
    approved_by: UserId.nullable(),
    approved_at: Timestamp.nullable(),
    approval_notes: z.string().nullable(),
    created_by: UserId.nullable(),
    created_at: Timestamp,
    updated_at: Timestamp,
  })
  .meta({ id: 'TemplateSummary' })
export type TemplateSummary = z.infer<typeof TemplateSummary>

export const TemplateResponse = TemplateSummary.extend({ content: object }).meta({ id: 'TemplateResponse' })
export type TemplateResponse = z.infer<typeof TemplateResponse>

const Changed = z.object({
  added: z.array(z.string()),
  removed: z.array(z.string()),
  changed: z.array(z.string()),
})
export const TemplateComparison = z
  .object({
    version: z.int(),
    previous_version: z.int().nullable(),
    fields: z.array(z.object({ field: z.string(), before: z.unknown(), after: z.unknown() })),
    variables: Changed,
    elements: Changed.describe('by element id'),
    texts: z.array(z.object({ id: z.string(), before: z.string().nullable(), after: z.string().nullable() })),
  })
  .meta({ id: 'TemplateComparison' })
export type TemplateComparison = z.infer<typeof TemplateComparison>

export const RecordUpdate = strict({
  variables: object.optional().describe('only the fields to change; null clears one'),
  updated_at: Timestamp.optional().describe(
    'of the record that was read: refused if somebody has changed it since',
  ),
  deleted: z.boolean().optional().describe('true: move to the trash; false: restore'),
})
  .refine(
    (body) => body.variables !== undefined || body.deleted !== undefined,
    'expected variables or deleted',
  )
  .meta({ id: 'RecordUpdate' })
export type RecordUpdate = z.infer<typeof RecordUpdate>

export const RecordResponse = z
  .object({
    id: Uuid,
    board_id: Uuid,
    board_title: z.string(),
    template: z.object({ id: Uuid, code: z.string(), name: z.string(), version: z.int() }),
    variables: object,
    masked: z.array(z.string()).describe('fields of which the requester sees only the end'),
    created_at: Timestamp,
    created_by: UserId.nullable(),
    created_by_name: z.string().nullable(),
    updated_at: Timestamp,
    updated_by: UserId.nullable(),
    updated_by_name: z.string().nullable(),
    deleted_at: Timestamp.nullable(),
  })
  .meta({ id: 'RecordResponse' })
export type RecordResponse = z.infer<typeof RecordResponse>

export const BoardRecordResponse = RecordResponse.extend({
  variables_schema: object,
  may_change: z.boolean(),
}).meta({ id: 'BoardRecordResponse' })
export type BoardRecordResponse = z.infer<typeof BoardRecordResponse>

const listed = {
  template: Code.optional().describe('the code of a template'),
  q: text(200)
    .optional()
    .describe('part of any value in a record, ignoring case and accents; national ids only in full'),
  deleted: z.enum(['true', 'false']).default('false').describe('true: those in the trash'),
}
export const RecordListQuery = strict({ ...listed, limit: limit(200), cursor })
export type RecordListQuery = z.infer<typeof RecordListQuery>
export const RecordExportQuery = strict({
  ...listed,
  template: Code,
  format: z.enum(['csv', 'ndjson']).default('csv'),
})
export type RecordExportQuery = z.infer<typeof RecordExportQuery>
