// People over HTTP: accounts for administrators, invitations, password resets, one's own profile.
import { z } from 'zod'
import { cursor, limit, nameOf, strict, Timestamp, text, UserId, Uuid } from './fields.ts'

export const Role = z.enum(['sysadmin', 'admin', 'user'])
export type Role = z.infer<typeof Role>

const Name = nameOf(100).pipe(z.string().min(2))
const Password = text(128, 8)

export const UserListQuery = strict({
  q: text(200).optional().describe('part of the name or the address, ignoring case'),
  role: Role.optional(),
  active: z.enum(['true', 'false']).optional(),
  limit: limit(200),
  cursor,
})
export type UserListQuery = z.infer<typeof UserListQuery>

export const UserResponse = z
  .object({
    id: UserId,
    name: z.string(),
    email: z.string().nullable(),
    role: Role,
    is_active: z.boolean(),
    kind: z
      .enum(['member', 'foreign', 'service'])
      .describe('foreign: from another application; service: the account that its keys act as'),
    issuer: z.string().nullable(),
    external_id: z.string().nullable(),
    two_factor_enabled: z.boolean(),
    has_password: z.boolean(),
    sessions: z.int().describe('active sessions'),
    boards: z.int().describe('boards that they own, including the trash'),
    last_seen_at: Timestamp.nullable().describe('the last sign-in or use of an active session, to the day'),
    created_at: Timestamp,
    may_change: z.boolean().describe('whether the requester may change this account'),
  })
  .meta({ id: 'UserResponse' })
export type UserResponse = z.infer<typeof UserResponse>

export const UserUpdate = strict({
  name: Name.optional(),
  role: Role.optional(),
  is_active: z.boolean().optional(),
  transfer_to: UserId.optional().describe(
    'with "is_active": false: who takes over their boards and share links; without it boards stay with the administrators and links stop',
  ),
})
  .refine(
    ({ name, role, is_active }) => name !== undefined || role !== undefined || is_active !== undefined,
    'expected at least one of name, role, is_active',
  )
  .refine(
    ({ transfer_to, is_active }) => transfer_to === undefined || is_active === false,
    'transfer_to: only together with "is_active": false',
  )
  .meta({ id: 'UserUpdate' })
export type UserUpdate = z.infer<typeof UserUpdate>

const StoppedLink = z.object({ id: Uuid, board_id: Uuid, label: z.string().nullable() })

/** What was ended together with an account that was just deactivated. */
export const Deactivation = z.object({
  transferred_to: UserId.nullable(),
  boards: z.int().describe('that were handed over'),
  links: z.int().describe('that were handed over'),
  stopped_links: z.array(StoppedLink).describe('that stop working'),
  sessions: z.int().describe('that ended, including their sockets and tickets'),
})

export const UserUpdateResponse = UserResponse.extend({
  deactivation: Deactivation.nullable().describe('null if nobody was deactivated'),
}).meta({ id: 'UserUpdateResponse' })
export type UserUpdateResponse = z.infer<typeof UserUpdateResponse>

/** What would stop. */
export const UserHoldings = z
  .object({
    boards: z.int(),
    links: z.array(StoppedLink),
    sessions: z.int(),
    invitations: z.int().describe('created by them and still open'),
  })
  .meta({ id: 'UserHoldings' })
export type UserHoldings = z.infer<typeof UserHoldings>

export const InvitationCreate = strict({
  email: z.email().max(254).optional().describe('the invited address; default: anybody with the link'),
  role: Role.default('user').describe('at most your own'),
  expires_in: z
    .int()
    .min(60)
    .max(90 * 86_400)
    .default(7 * 86_400)
    .describe('seconds; a week by default'),
  send: z.boolean().default(true).describe('send the link by mail, if there is an address and a mail server'),
}).meta({ id: 'InvitationCreate' })
export type InvitationCreate = z.infer<typeof InvitationCreate>

export const InvitationResponse = z
  .object({
    id: Uuid,
    url: z.string().nullable().describe('only in the answer to its creation; the secret is never stored'),
    email: z.string().nullable(),
    role: Role,
    state: z.enum(['open', 'accepted', 'revoked', 'expired']),
    created_by: UserId.nullable(),
    created_by_name: z.string().nullable(),
    created_at: Timestamp,
    expires_at: Timestamp,
    accepted_at: Timestamp.nullable(),
    accepted_by: UserId.nullable(),
    mailed: z.boolean().describe('in the answer to its creation: whether it was sent by mail'),
  })
  .meta({ id: 'InvitationResponse' })
export type InvitationResponse = z.infer<typeof InvitationResponse>

export const LinkToken = strict({ token: text(200, 1) }).meta({ id: 'LinkToken' })

export const InvitationPreview = z
  .object({
    email: z.string().nullable(),
    role: Role,
    invited_by: z.string(),
    expires_at: Timestamp,
  })
  .meta({ id: 'InvitationPreview' })
export type InvitationPreview = z.infer<typeof InvitationPreview>

export const InvitationAccept = strict({
  token: text(200, 1),
  name: Name,
  email: z.email().max(254).optional().describe('if the invitation has no address'),
  password: Password,
}).meta({ id: 'InvitationAccept' })
export type InvitationAccept = z.infer<typeof InvitationAccept>

export const PasswordResetResponse = z
  .object({
    url: z.string().describe('shown only once'),
    expires_at: Timestamp,
    mailed: z.boolean(),
  })
  .meta({ id: 'PasswordResetResponse' })
export type PasswordResetResponse = z.infer<typeof PasswordResetResponse>

export const PasswordResetAsk = strict({ email: z.email().max(254) }).meta({ id: 'PasswordResetAsk' })

export const PasswordResetPreview = strict({ token: text(200, 1) }).meta({ id: 'PasswordResetPreview' })

export const PasswordResetUse = strict({ token: text(200, 1), password: Password }).meta({
  id: 'PasswordResetUse',
})
export type PasswordResetUse = z.infer<typeof PasswordResetUse>

export const ProfileUpdate = strict({ name: Name }).meta({ id: 'ProfileUpdate' })

/** The sign-in methods to offer on the page. */
export const SignInOptions = z
  .object({
    sign_up: z.enum(['invite', 'open']),
    password: z.boolean().describe('whether accounts have passwords'),
    password_reset_by_mail: z.boolean(),
    two_factor: z.enum(['off', 'admins', 'all']).describe('who must use a second factor'),
    sso: z.object({ name: z.string() }).nullable(),
  })
  .meta({ id: 'SignInOptions' })
export type SignInOptions = z.infer<typeof SignInOptions>
