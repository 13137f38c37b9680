// Export and erasure of personal data over HTTP.
import { z } from 'zod'
import { strict, text, UserId } from './fields.ts'

export const PersonExportQuery = strict({ format: z.enum(['json', 'html']).default('json') })

export const PersonErase = strict({
  confirm: text(254, 1).describe(
    'the e-mail of the account (its name, if it has none), as confirmation: this cannot be undone',
  ),
  transfer_to: z.email().max(254).optional().describe('the new owner of the boards'),
}).meta({ id: 'PersonErase' })
export type PersonErase = z.infer<typeof PersonErase>

export const PersonErased = z
  .object({
    user_id: UserId,
    rows: z.int().describe('rows of the trail whose personal values were removed'),
    boards: z.int().describe('boards that were handed over'),
  })
  .meta({ id: 'PersonErased' })

export const ExportProgress = z
  .object({
    section: z.string().nullable().describe('the current step; null: no export is running here'),
    done: z.int(),
    total: z.int().describe('rows'),
  })
  .meta({ id: 'ExportProgress' })
export type ExportProgress = z.infer<typeof ExportProgress>
