// The instance as a whole, for administrators.
import { z } from 'zod'
import { PermissionLevel, Timestamp, UserId, Uuid } from './fields.ts'

export const InstanceConnection = z.object({
  id: Uuid,
  board_id: Uuid,
  board_title: z.string(),
  principal: z.object({
    kind: z.enum(['user', 'guest', 'agent', 'anonymous']),
    id: z.string(),
    name: z.string(),
    link_label: z.string().optional(),
  }),
  level: PermissionLevel,
  ip_address: z.string().nullable(),
  user_agent: z.string().nullable(),
  connected_at: Timestamp,
})
export type InstanceConnection = z.infer<typeof InstanceConnection>

export const InstanceLink = z.object({
  id: Uuid,
  board_id: Uuid,
  board_title: z.string(),
  label: z.string().nullable(),
  permission_level: PermissionLevel,
  state: z.enum(['open', 'revoked', 'expired', 'used_up']),
  created_by: UserId.nullable(),
  created_by_name: z.string().nullable(),
  created_at: Timestamp,
  expires_at: Timestamp.nullable(),
  uses: z.int(),
  max_uses: z.int().nullable(),
  last_used_at: Timestamp.nullable(),
})
export type InstanceLink = z.infer<typeof InstanceLink>

export const InstanceResponse = z
  .object({
    version: z.string(),
    started_at: Timestamp,
    health: z.array(z.object({ name: z.string(), is_well: z.boolean() })),
    users: z.object({ active: z.int(), deactivated: z.int(), administrators: z.int() }),
    boards: z.object({ live: z.int(), trash: z.int() }),
    files_bytes: z.int(),
    connections: z.int().describe('open on this process'),
    limits: z.record(z.string(), z.number()).describe('the settings of the same names, in bytes or counts'),
  })
  .meta({ id: 'InstanceResponse' })
export type InstanceResponse = z.infer<typeof InstanceResponse>
