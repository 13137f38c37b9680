// Library shapes for reuse: each user's own, stored with the account, and those of the whole team.
import { z } from 'zod'
import { nameOf, strict, Timestamp, UserId, Uuid } from './fields.ts'

const elements = z
  .array(z.record(z.string(), z.unknown()))
  .min(1)
  .max(2000)
  .describe('Excalidraw elements; those that cannot be drawn are left out')

export const LibraryItemCreate = strict({ name: nameOf(200).optional(), elements }).meta({
  id: 'LibraryItemCreate',
})
export type LibraryItemCreate = z.infer<typeof LibraryItemCreate>

export const LibraryItemResponse = z
  .object({
    id: Uuid,
    name: z.string().nullable(),
    elements: z.array(z.record(z.string(), z.unknown())),
    created_by: UserId.nullable(),
    created_by_name: z.string().nullable(),
    created_at: Timestamp,
    may_remove: z.boolean(),
  })
  .meta({ id: 'LibraryItemResponse' })
export type LibraryItemResponse = z.infer<typeof LibraryItemResponse>

/** The user's complete library: the canvas does not address single items. */
export const OwnLibrary = strict({ items: z.array(LibraryItemCreate).max(500) }).meta({ id: 'OwnLibrary' })
export type OwnLibrary = z.infer<typeof OwnLibrary>
