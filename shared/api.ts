// Every HTTP body and event, as zod schemas with their inferred types. snake_case, strict objects: an unknown
// key is an error, because a misspelt `user_id` must never make a board public.
import { z } from 'zod'
import {
  cursor,
  limit,
  nameOf,
  PermissionLevel,
  strict,
  Timestamp,
  text,
  trimmed,
  UserId,
  Uuid,
} from './api/fields.ts'
import { FolderFilter } from './api/folders.ts'
import { BoardType } from './api/templates.ts'
import { isColor } from './color.ts'

export { listOf, PageQuery, PermissionLevel, Timestamp, UserId, Uuid } from './api/fields.ts'

const Title = nameOf(200)
/** Colours as Excalidraw writes them: `#fdf8f6`, `transparent`, a CSS name, `rgb(…)`. */
const Color = text(80).refine(isColor, 'expected a colour of CSS, such as #fdf8f6')

/** `{error: {code, message, details?}}`: the only shape in which a request fails. */
export const ErrorResponse = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
  })
  .meta({ id: 'ErrorResponse' })
export type ErrorResponse = z.infer<typeof ErrorResponse>

// Boards

export const BoardCreate = strict({
  title: Title.optional(),
  is_public: z.boolean().optional(),
  folder_id: Uuid.optional().describe('the folder in which it is created'),
  board_type: BoardType.optional().describe('new boards of some types must be made from a template'),
  template_id: Uuid.optional().describe('the current version of a template'),
  variables: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('the values for the template; stored as the record of the board'),
}).meta({
  id: 'BoardCreate',
})
export type BoardCreate = z.infer<typeof BoardCreate>

export const BoardUpdate = strict({
  title: Title.optional(),
  is_public: z.boolean().optional(),
  members_level: PermissionLevel.nullable().optional(),
  owner_id: UserId.optional().describe('an administrator hands over immediately, an owner makes an offer'),
  folder_id: Uuid.nullable().optional().describe('null: no folder'),
  background: Color.nullable().optional().describe('the background colour; null: white'),
})
  .refine(
    (body) => Object.keys(body).length > 0,
    'expected at least one of title, is_public, members_level, owner_id, folder_id, background',
  )
  .meta({ id: 'BoardUpdate' })
export type BoardUpdate = z.infer<typeof BoardUpdate>

export const BoardResponse = z
  .object({
    id: Uuid,
    owner_id: UserId,
    owner_name: z.string(),
    title: z.string(),
    is_public: z.boolean(),
    members_level: PermissionLevel.nullable(),
    created_at: Timestamp,
    created_by: UserId.nullable(),
    updated_at: Timestamp,
    updated_by: UserId.nullable(),
    deleted_at: Timestamp.nullable(),
    folder_id: Uuid.nullable().describe('null also if the requester may not see the folder'),
    moderation: z.enum(['open', 'view_only']).describe('view_only: only managers and speakers write'),
    board_type: z.string().nullable(),
    has_record: z.boolean().describe('made from a template: see GET …/record'),
    background: z.string().nullable().describe('the background colour; null: white'),
    starred: z.boolean().describe('by the requester'),
    unread_threads: z
      .int()
      .describe('threads with comments by others that the requester has not read; 100 means 100 or more'),
    offered_to: UserId.nullable().describe('who has been offered the board; only for people who manage it'),
    level: PermissionLevel.describe('the access level of the requester'),
    may_manage: z.boolean(),
  })
  .meta({ id: 'BoardResponse' })
export type BoardResponse = z.infer<typeof BoardResponse>

export const BoardListQuery = strict({
  q: text(200).optional().describe('part of the title or of a text on the board, ignoring case and accents'),
  sort: z
    .enum(['updated', 'created', 'title', 'opened'])
    .default('updated')
    .describe(
      'title: sorted for the requester’s language (Accept-Language); opened: only boards that the requester opened in the last 90 days, newest visit first',
    ),
  folder: FolderFilter.optional().describe('boards in this folder; none: boards without a folder'),
  starred: z.enum(['true', 'false']).optional().describe('true: only boards that the requester starred'),
  scope: z
    .enum(['all', 'mine', 'shared', 'instance'])
    .default('all')
    .describe(
      'mine: owned; shared: access granted by others; all: both; instance: every board, for administrators',
    ),
  deleted: z.enum(['true', 'false']).default('false').describe('true: the trash'),
  limit: limit(200),
  cursor,
})
export type BoardListQuery = z.infer<typeof BoardListQuery>

/** A board offered to the requester. */
export const BoardOfferResponse = z
  .object({ board_id: Uuid, title: z.string(), offered_by: z.string(), created_at: Timestamp })
  .meta({ id: 'BoardOfferResponse' })
export type BoardOfferResponse = z.infer<typeof BoardOfferResponse>

export const BoardOfferAnswer = strict({ accept: z.boolean() }).meta({ id: 'BoardOfferAnswer' })
export type BoardOfferAnswer = z.infer<typeof BoardOfferAnswer>

// Permissions

/** Exactly one of the three; everyone requires an explicit `"user_id": null`. */
export const BoardPermissionCreate = strict({
  user_id: UserId.nullable().optional(),
  email: z.email().max(254).optional(),
  external_id: text(255, 1).optional(),
  level: PermissionLevel,
})
  .refine(
    (body) =>
      [body.user_id, body.email, body.external_id].filter((value) => value !== undefined).length === 1,
    'expected exactly one of user_id (null means everyone), email, external_id',
  )
  .meta({ id: 'BoardPermissionCreate' })
export type BoardPermissionCreate = z.infer<typeof BoardPermissionCreate>

export const BoardPermissionResponse = z
  .object({
    id: z.int(),
    board_id: Uuid,
    kind: z
      .enum(['user', 'everyone', 'invitation'])
      .describe('invitation: to an e-mail address, with or without an account'),
    user_id: UserId.nullable().describe('null: everyone, or an invitation'),
    user_name: z.string().nullable(),
    user_email: z
      .string()
      .nullable()
      .describe('the address of an invitation; other addresses are for administrators'),
    level: PermissionLevel,
    created_at: Timestamp,
    granted_by: UserId.nullable(),
  })
  .meta({ id: 'BoardPermissionResponse' })
export type BoardPermissionResponse = z.infer<typeof BoardPermissionResponse>

// Share links

export const ShareLinkCreate = strict({
  level: PermissionLevel,
  label: nameOf(100).optional(),
  password: text(200, 4).optional(),
  expires_at: Timestamp.optional(),
  max_uses: z.int().positive().max(1_000_000).optional(),
}).meta({ id: 'ShareLinkCreate' })
export type ShareLinkCreate = z.infer<typeof ShareLinkCreate>

export const ShareLinkUpdate = strict({
  level: PermissionLevel.optional(),
  label: nameOf(100).nullable().optional(),
  password: text(200, 4).nullable().optional(),
  expires_at: Timestamp.nullable().optional(),
  max_uses: z.int().positive().max(1_000_000).nullable().optional(),
})
  .refine(
    (body) => Object.keys(body).length > 0,
    'expected at least one of level, label, password, expires_at, max_uses',
  )
  .meta({ id: 'ShareLinkUpdate' })
export type ShareLinkUpdate = z.infer<typeof ShareLinkUpdate>

export const ShareLinkResponse = z
  .object({
    id: Uuid,
    board_id: Uuid,
    url: z.string().nullable().describe('only in the answer to its creation; the secret is never stored'),
    permission_level: PermissionLevel,
    is_public: z.boolean().describe('whether the board itself is public'),
    label: z.string().nullable(),
    has_password: z.boolean(),
    expires_at: Timestamp.nullable(),
    max_uses: z.int().nullable(),
    uses: z.int(),
    revoked_at: Timestamp.nullable(),
    created_by: UserId.nullable(),
    created_at: Timestamp,
    last_used_at: Timestamp.nullable(),
    state: z
      .enum(['active', 'expired', 'revoked', 'used_up', 'suspended'])
      .describe('suspended: its creator may currently not give access'),
  })
  .meta({ id: 'ShareLinkResponse' })
export type ShareLinkResponse = z.infer<typeof ShareLinkResponse>

export const ShareLinkExchange = strict({
  token: text(200, 1),
  password: text(200).optional(),
  name: nameOf(100).optional(),
}).meta({ id: 'ShareLinkExchange' })
export type ShareLinkExchange = z.infer<typeof ShareLinkExchange>

export const ShareLinkPreview = strict({ token: text(200, 1) }).meta({ id: 'ShareLinkPreview' })

export const ShareLinkPreviewResponse = z
  .object({
    board_id: Uuid,
    level: PermissionLevel,
    needs_password: z
      .boolean()
      .describe('whether the requester needs one; people who already used the link do not'),
    needs_name: z.boolean().describe('the requester is not identified: using the link creates a guest'),
  })
  .meta({ id: 'ShareLinkPreviewResponse' })
export type ShareLinkPreviewResponse = z.infer<typeof ShareLinkPreviewResponse>

export const ShareLinkExchangeResponse = z
  .object({
    board_id: Uuid,
    level: PermissionLevel,
    name: z.string(),
    ticket: z.string(),
  })
  .meta({ id: 'ShareLinkExchangeResponse' })
export type ShareLinkExchangeResponse = z.infer<typeof ShareLinkExchangeResponse>

// Tickets

export const TicketCreate = strict({
  expires_in: z.int().min(1).max(86_400).optional().describe('seconds; 12 hours by default'),
  max_level: PermissionLevel.optional(),
  user: strict({ external_id: text(255, 1), name: trimmed(100) })
    .optional()
    .describe('service keys only'),
}).meta({ id: 'TicketCreate' })
export type TicketCreate = z.infer<typeof TicketCreate>

export const TicketResponse = z
  .object({ ticket: z.string(), expires_at: Timestamp, url: z.string() })
  .meta({ id: 'TicketResponse' })
export type TicketResponse = z.infer<typeof TicketResponse>

// Permissions, presence, and the current user

export const AccessReason = z.enum([
  'owner',
  'administrator',
  'permission',
  'folder',
  'members',
  'public',
  'link',
  'agent',
  'none',
])
export type AccessReason = z.infer<typeof AccessReason>

export const AccessResponse = z
  .object({
    items: z.array(
      z.object({
        principal: z.object({
          kind: z.enum(['user', 'guest', 'agent', 'members', 'everyone']),
          id: z.string().nullable(),
          name: z.string(),
          email: z.string().nullable(),
        }),
        level: PermissionLevel,
        may_manage: z.boolean(),
        reasons: z.array(
          z.object({
            reason: AccessReason,
            level: PermissionLevel,
            permission_id: z.int().nullable(),
            link_id: Uuid.nullable(),
          }),
        ),
      }),
    ),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: 'AccessResponse' })
export type AccessResponse = z.infer<typeof AccessResponse>

export const ConnectionResponse = z
  .object({
    id: Uuid,
    principal: z.object({
      kind: z.enum(['user', 'guest', 'agent', 'anonymous']),
      id: z.string(),
      name: z.string(),
      link_label: z.string().optional(),
    }),
    level: PermissionLevel,
    reason: AccessReason,
    link_id: Uuid.nullable(),
    ip_address: z.string().nullable(),
    user_agent: z.string().nullable(),
    connected_at: Timestamp,
  })
  .meta({ id: 'ConnectionResponse' })
export type ConnectionResponse = z.infer<typeof ConnectionResponse>

export const AuthorResponse = z
  .object({
    principal: z.object({
      kind: z.enum(['user', 'guest', 'agent', 'system', 'anonymous']),
      id: z.string().nullable().describe('null: all unidentified people together'),
      name: z.string().nullable().describe('null: deleted, or erased'),
    }),
    client_ids: z.array(z.int()).describe('of the Yjs document, in order of first use'),
    first_written_at: Timestamp,
    latest_client_at: Timestamp.describe('when their newest client began to write'),
  })
  .meta({ id: 'AuthorResponse' })
export type AuthorResponse = z.infer<typeof AuthorResponse>

export const MeResponse = z
  .object({
    kind: z.enum(['user', 'guest', 'agent', 'anonymous']),
    id: z.string().nullable(),
    user_id: UserId.nullable(),
    name: z.string().nullable(),
    email: z.string().nullable(),
    role: z.enum(['sysadmin', 'admin', 'user']).nullable(),
    two_factor: z
      .enum(['off', 'on', 'required'])
      .nullable()
      .describe('required: must be set up before anything else; null if none is required'),
  })
  .meta({ id: 'MeResponse' })
export type MeResponse = z.infer<typeof MeResponse>

export const SetupRequest = strict({
  token: text(200, 1),
  name: nameOf(100).pipe(z.string().min(2)),
  email: z.email().max(254),
  password: text(128, 8),
}).meta({ id: 'SetupRequest' })
export type SetupRequest = z.infer<typeof SetupRequest>

/** Whether a set-up link is still valid. */
export const SetupPreview = strict({ token: text(200, 1) }).meta({ id: 'SetupPreview' })

// Signing in; the field names are Better Auth's

const password = text(128, 8)

export const SignInRequest = strict({
  email: z.email().max(254),
  password: text(1000, 1),
  rememberMe: z.boolean().optional().describe('false: until the browser is closed, but at most a day'),
})
export type SignInRequest = z.infer<typeof SignInRequest>

export const SignUpRequest = strict({
  name: nameOf(100).pipe(z.string().min(2)),
  email: z.email().max(254),
  password,
})
export type SignUpRequest = z.infer<typeof SignUpRequest>

export const ChangePasswordRequest = strict({ currentPassword: text(1000, 1), newPassword: password })
export type ChangePasswordRequest = z.infer<typeof ChangePasswordRequest>

/** `token` also works as `Authorization: Bearer`; browsers use the cookie. */
export const SignInResponse = z.looseObject({
  token: z.string().optional(),
  user: z.looseObject({ id: z.string(), name: z.string(), email: z.string() }).optional(),
})
export type SignInResponse = z.infer<typeof SignInResponse>

export const SessionResponse = z.object({
  id: z.int(),
  created_at: Timestamp,
  expires_at: Timestamp,
  ip_address: z.string().nullable(),
  user_agent: z.string().nullable(),
  is_current: z.boolean(),
})
export type SessionResponse = z.infer<typeof SessionResponse>

// Audit

const auditFilters = {
  action: text(50, 1).optional(),
  category: text(50, 1).optional(),
  user_id: z.coerce.number('expected the number of a user').int().positive().max(2_147_483_647).optional(),
  board_id: Uuid.optional(),
  /** A share link: what was done with it and to it. */
  link_id: Uuid.optional(),
  from: Timestamp.optional(),
  to: Timestamp.optional(),
}

export const AuditQuery = strict({ ...auditFilters, limit: limit(1000), cursor })
export type AuditQuery = z.infer<typeof AuditQuery>

/** The same filters, for endpoints without pagination. */
export const AuditStreamQuery = strict(auditFilters)
export type AuditStreamQuery = z.infer<typeof AuditStreamQuery>
export const AuditExportQuery = strict({
  ...auditFilters,
  format: z.enum(['ndjson', 'csv']).default('ndjson'),
})
export type AuditExportQuery = z.infer<typeof AuditExportQuery>

export const AuditResponse = z
  .object({
    id: Uuid,
    timestamp: Timestamp,
    action: z.string(),
    category: z.string(),
    actor_kind: z.enum(['user', 'guest', 'agent', 'system', 'sql', 'anonymous']),
    actor_name: z.string().nullable(),
    user_id: UserId.nullable(),
    guest_id: Uuid.nullable(),
    agent_id: z.string().nullable(),
    board_id: Uuid.nullable(),
    link_id: Uuid.nullable(),
    resource_type: z.string().nullable(),
    resource_id: z.string().nullable(),
    permission_level: z.string().nullable(),
    old_values: z.record(z.string(), z.unknown()).nullable(),
    new_values: z.record(z.string(), z.unknown()).nullable(),
    details: z.record(z.string(), z.unknown()).nullable(),
    ip_address: z.string().nullable(),
    user_agent: z.string().nullable(),
    session_id: z.string().nullable(),
  })
  .meta({ id: 'AuditResponse' })
export type AuditResponse = z.infer<typeof AuditResponse>

// Versions, files

export const VersionCreate = strict({ name: nameOf(100) }).meta({ id: 'VersionCreate' })
export const VersionResponse = z
  .object({
    id: Uuid,
    board_id: Uuid,
    name: z.string().nullable(),
    reason: z
      .enum(['automatic', 'named', 'before_removal', 'before_restore', 'before_import', 'before_rebuild'])
      .describe('why it was kept: automatically, by name, or before content was removed or replaced'),
    bytes: z.int(),
    created_by: UserId.nullable(),
    created_by_name: z.string().nullable(),
    created_at: Timestamp,
  })
  .meta({ id: 'VersionResponse' })
export type VersionResponse = z.infer<typeof VersionResponse>

export const FileResponse = z
  .object({ id: z.string(), mime: z.string(), size: z.int() })
  .meta({ id: 'FileResponse' })
export type FileResponse = z.infer<typeof FileResponse>
