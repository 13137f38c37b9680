// Export and erasure of personal data over HTTP.
import { z } from 'zod'
import { strict, text, UserId } from './fields.ts'

export const PersonExportQuery = strict({ format: z.enum(['json', 'html']).default('json') })

export const PersonErase = strict({
  confirm: text(254, 1).describe(
    'the e-mail of the account (its name, where it has none): what goes does not come back',
  ),
  transfer_to: z.email().max(254).optional().describe('whose the boards are from then on'),
}).meta({ id: 'PersonErase' })
export type PersonErase = z.infer<typeof PersonErase>

export const PersonErased = z
  .object({
    user_id: UserId,
    rows: z.int().describe('rows of the trail that lost their personal values'),
    boards: z.int().describe('boards that were handed over'),
  })
  .meta({ id: 'PersonErased' })

export const ExportProgress = z
  .object({
    section: z.string().nullable().describe('what is being gathered; null: no export is under way here'),
    done: z.int(),
    total: z.int().describe('rows'),
  })
  .meta({ id: 'ExportProgress' })
export type ExportProgress = z.infer<typeof ExportProgress>
