// Service keys over HTTP: credentials for the server of another application.
import { z } from 'zod'
import { scopeNouns } from '../applications.ts'
import { nameOf, strict, Timestamp, text, UserId, Uuid } from './fields.ts'

export { scopeNouns } from '../applications.ts'
export type ScopeNoun = (typeof scopeNouns)[number]

const scopeVerbs = ['read', 'create', 'write'] as const

/** `boards` and `boards:write` allow everything, `boards:read` only reading, `boards:create` only POST. */
export const ServiceScope = z.enum(
  scopeNouns.flatMap((noun) => [noun, ...scopeVerbs.map((verb) => `${noun}:${verb}` as const)]),
)
export type ServiceScope = z.infer<typeof ServiceScope>

export const ServiceKeyCreate = strict({
  name: nameOf(100).pipe(z.string().min(2)),
  issuer: text(255, 1).describe(
    'the directory of your own user ids; keys with the same issuer act for the same people and boards',
  ),
  scopes: z
    .array(ServiceScope)
    .min(1)
    .max(30)
    .describe('a noun alone: everything about it; with :read only reading, with :create only POST'),
  expires_at: Timestamp.nullable().optional().describe('null, or omitted: never'),
}).meta({ id: 'ServiceKeyCreate' })
export type ServiceKeyCreate = z.infer<typeof ServiceKeyCreate>

export const ServiceKeyRotate = strict({
  overlap_seconds: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(86_400)
    .describe('how long the previous secret keeps working; a day by default, 0 ends it at once'),
  expires_at: Timestamp.nullable().optional().describe('a new expiry of the key; omitted: unchanged'),
}).meta({ id: 'ServiceKeyRotate' })
export type ServiceKeyRotate = z.infer<typeof ServiceKeyRotate>

export const ServiceKeyResponse = z
  .object({
    id: Uuid,
    name: z.string(),
    issuer: z.string(),
    scopes: z.array(z.string()),
    key: z
      .string()
      .nullable()
      .describe('only in the answers to creation and rotation; the secret is never stored'),
    hint: z.string().nullable().describe('the beginning of the secret, to recognise it'),
    state: z.enum(['active', 'expired', 'revoked']),
    created_at: Timestamp,
    created_by: UserId.nullable(),
    last_used_at: Timestamp.nullable().describe('to the minute'),
    expires_at: Timestamp.nullable(),
    revoked_at: Timestamp.nullable(),
    rotated_at: Timestamp.nullable(),
    former_until: Timestamp.nullable().describe('until when the previous secret works too, after a rotation'),
  })
  .meta({ id: 'ServiceKeyResponse' })
export type ServiceKeyResponse = z.infer<typeof ServiceKeyResponse>
