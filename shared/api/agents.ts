// Agents over HTTP: who they are, and what each may do for which users.
import { z } from 'zod'
import { cursor, limit, nameOf, strict, Timestamp, text, UserId, Uuid } from './fields.ts'

const bit = z.boolean().default(false)

export const AgentCreate = strict({
  name: nameOf(100).pipe(z.string().min(2)).describe('shown to people; no two agents share one'),
  description: text(2000).optional(),
}).meta({ id: 'AgentCreate' })
export type AgentCreate = z.infer<typeof AgentCreate>

export const AgentUpdate = strict({
  is_active: z.boolean().optional().describe('false: the agent is stopped, and its connections end at once'),
  description: text(2000).optional(),
})
  .refine((body) => Object.keys(body).length > 0, 'expected at least one of is_active, description')
  .meta({ id: 'AgentUpdate' })
export type AgentUpdate = z.infer<typeof AgentUpdate>

export const AgentResponse = z
  .object({
    id: Uuid,
    name: z.string(),
    description: z.string(),
    owner_id: UserId,
    owner_name: z.string(),
    is_active: z.boolean(),
    is_working: z.boolean().describe('the agent is active, and so is its owner'),
    created_at: Timestamp,
    last_used_at: Timestamp.nullable().describe('to the minute'),
    may_manage: z.boolean().describe('the requester owns it, or is an administrator'),
  })
  .meta({ id: 'AgentResponse' })
export type AgentResponse = z.infer<typeof AgentResponse>

export const AgentCreated = AgentResponse.extend({
  token: z.string().describe('shown only once; for Authorization: Bearer, or instead of a ticket'),
}).meta({ id: 'AgentCreated' })
export type AgentCreated = z.infer<typeof AgentCreated>

export const AgentListQuery = strict({
  scope: z
    .enum(['mine', 'instance'])
    .default('mine')
    .describe('mine: owned, or with a grant by the requester; instance: all, for administrators'),
  limit: limit(200),
  cursor,
})
export type AgentListQuery = z.infer<typeof AgentListQuery>

export const AgentGrantCreate = strict({
  board_id: Uuid.nullable().describe('null: every board that the requester may open'),
  can_create: bit.describe('add elements and comments'),
  can_read: bit,
  can_update: bit.describe('change elements'),
  can_delete: bit.describe('delete elements'),
  expires_at: Timestamp.nullable().optional(),
})
  .refine(
    (body) => body.can_create || body.can_read || body.can_update || body.can_delete,
    'expected at least one of can_create, can_read, can_update, can_delete to be true',
  )
  .meta({ id: 'AgentGrantCreate' })
export type AgentGrantCreate = z.infer<typeof AgentGrantCreate>

export const AgentGrantResponse = z
  .object({
    id: z.int(),
    agent_id: Uuid,
    agent_name: z.string(),
    user_id: UserId.describe('the user for whom it acts: never with more access than they have now'),
    user_name: z.string(),
    board_id: Uuid.nullable(),
    board_title: z.string().nullable().describe('null also if the requester may not open the board'),
    can_create: z.boolean(),
    can_read: z.boolean(),
    can_update: z.boolean(),
    can_delete: z.boolean(),
    granted_by: UserId.nullable(),
    created_at: Timestamp,
    expires_at: Timestamp.nullable(),
    is_expired: z.boolean(),
  })
  .meta({ id: 'AgentGrantResponse' })
export type AgentGrantResponse = z.infer<typeof AgentGrantResponse>

export const AgentEditQuery = strict({
  limit: limit(200),
  cursor: z
    .string()
    .regex(/^\d{1,18}$/)
    .optional(),
})

export const AgentEditResponse = z
  .object({
    id: z.string(),
    board_id: Uuid,
    board_title: z.string(),
    element_id: z.string(),
    change: z.enum(['created', 'updated', 'deleted', 'restored']),
    old_values: z
      .record(z.string(), z.unknown())
      .describe('of the properties that changed; `geo` is place, size and points'),
    new_values: z.record(z.string(), z.unknown()),
    created_at: Timestamp,
    undone_at: Timestamp.nullable(),
  })
  .meta({ id: 'AgentEditResponse' })
export type AgentEditResponse = z.infer<typeof AgentEditResponse>

export const AgentUndo = strict({ since: Timestamp }).meta({ id: 'AgentUndo' })
export type AgentUndo = z.infer<typeof AgentUndo>

export const AgentUndone = z
  .object({
    edits: z.int().describe('rows of the journal'),
    elements: z.int(),
    kept: z.int().describe('properties that somebody has changed since, which are kept'),
  })
  .meta({ id: 'AgentUndone' })
export type AgentUndone = z.infer<typeof AgentUndone>
