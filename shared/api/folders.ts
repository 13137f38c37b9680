// Folders, stars, moderation and access requests over HTTP.
import { z } from 'zod'
import { nameOf, PermissionLevel, strict, Timestamp, trimmed, UserId, Uuid } from './fields.ts'

const FolderName = nameOf(100)

export const FolderCreate = strict({ name: FolderName, parent_id: Uuid.nullable().optional() }).meta({
  id: 'FolderCreate',
})
export type FolderCreate = z.infer<typeof FolderCreate>

export const FolderUpdate = strict({
  name: FolderName.optional(),
  parent_id: Uuid.nullable().optional(),
  owner_id: UserId.optional(),
})
  .refine((body) => Object.keys(body).length > 0, 'expected at least one of name, parent_id, owner_id')
  .meta({ id: 'FolderUpdate' })
export type FolderUpdate = z.infer<typeof FolderUpdate>

export const FolderResponse = z
  .object({
    id: Uuid,
    parent_id: Uuid.nullable().describe('null also if the requester may not see the parent folder'),
    name: z.string(),
    owner_id: UserId,
    owner_name: z.string(),
    created_at: Timestamp,
    updated_at: Timestamp,
    level: PermissionLevel.describe('the level of the requester; edit: add boards, create folders inside'),
    may_manage: z.boolean(),
  })
  .meta({ id: 'FolderResponse' })
export type FolderResponse = z.infer<typeof FolderResponse>

export const FolderPermissionResponse = z
  .object({
    id: z.int(),
    folder_id: Uuid,
    user_id: UserId.nullable(),
    user_name: z.string().nullable(),
    level: PermissionLevel,
    created_at: Timestamp,
    granted_by: UserId.nullable(),
  })
  .meta({ id: 'FolderPermissionResponse' })
export type FolderPermissionResponse = z.infer<typeof FolderPermissionResponse>

export const Moderation = strict({
  mode: z.enum(['open', 'view_only']).describe('view_only: only managers and speakers write'),
  speakers: z
    .array(Uuid)
    .max(100)
    .default([])
    .describe('connections (from GET …/connections) whose people may write; replaces the previous speakers'),
}).meta({ id: 'Moderation' })
export type Moderation = z.infer<typeof Moderation>

export const ModerationResponse = z
  .object({
    mode: z.enum(['open', 'view_only']),
    speakers: z.array(z.object({ principal: z.string(), name: z.string() })),
  })
  .meta({ id: 'ModerationResponse' })
export type ModerationResponse = z.infer<typeof ModerationResponse>

const coordinate = z.number().min(-1e9).max(1e9)
export const Summon = strict({ x: coordinate, y: coordinate, zoom: z.number().min(0.01).max(100) })
  .describe('the centre of the view, in board coordinates, and its zoom (1: a unit is a pixel)')
  .meta({ id: 'Summon' })
export type Summon = z.infer<typeof Summon>

export const AccessRequestCreate = strict({ level: PermissionLevel, message: trimmed(500).optional() }).meta({
  id: 'AccessRequestCreate',
})
export type AccessRequestCreate = z.infer<typeof AccessRequestCreate>

export const AccessRequestAnswer = strict({
  level: PermissionLevel.nullable().describe('null declines'),
}).meta({
  id: 'AccessRequestAnswer',
})
export type AccessRequestAnswer = z.infer<typeof AccessRequestAnswer>

export const AccessRequestResponse = z
  .object({
    id: z.int(),
    board_id: Uuid,
    principal: z.string().describe('user:7 or guest:<uuid>'),
    name: z.string(),
    level: PermissionLevel,
    message: z.string().nullable(),
    created_at: Timestamp,
    answered_at: Timestamp.nullable(),
    answer_level: PermissionLevel.nullable(),
  })
  .meta({ id: 'AccessRequestResponse' })
export type AccessRequestResponse = z.infer<typeof AccessRequestResponse>

export const OwnAccessRequest = z
  .object({
    level: PermissionLevel.nullable().describe(
      'your current access level; null also if there is no such board',
    ),
    declined: z.boolean().describe('whether your last request was declined'),
  })
  .meta({ id: 'OwnAccessRequest' })
export type OwnAccessRequest = z.infer<typeof OwnAccessRequest>

/**
 * The `folder` of a list of boards: one folder, `none` for boards without a folder, or all boards if it is omitted.
 */
export const FolderFilter = z.union([Uuid, z.literal('none')])
