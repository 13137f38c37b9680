// People, their sessions, guests, and keys of applications.
import type { Generated, GeneratedAlways } from 'kysely'
import type { MaybeTime, Stamp, Time } from './columns.ts'

export type UserRole = 'sysadmin' | 'admin' | 'user'

export interface UsersTable {
  id: Generated<number>
  email: string | null
  email_verified: Generated<boolean>
  name: string
  image: string | null
  role: Generated<UserRole>
  is_active: Generated<boolean>
  issuer: string | null
  external_id: string | null
  banned: Generated<boolean>
  ban_reason: string | null
  ban_expires: MaybeTime
  two_factor_enabled: Generated<boolean>
  created_at: Stamp
  updated_at: Stamp
  erased_at: MaybeTime
}

export interface SessionsTable {
  id: Generated<number>
  user_id: number
  token: string
  expires_at: Time
  ip_address: string | null
  user_agent: string | null
  impersonated_by: string | null
  /** What the provider of single sign-on calls its own. */
  provider_session: string | null
  /** When the provider said who this is. */
  provider_signed_at: MaybeTime
  created_at: Stamp
  updated_at: Stamp
}

/** What the provider of single sign-on has ended: nobody comes in by what it said before. */
export interface ProviderLogoutsTable {
  id: GeneratedAlways<string>
  /** Null: all of the person. */
  provider_session: string | null
  /** As in `accounts`; null: anybody with the session. */
  account_id: string | null
  signed_before: Time
  created_at: Stamp
}

export interface AccountsTable {
  id: Generated<number>
  user_id: number
  account_id: string
  provider_id: string
  access_token: string | null
  refresh_token: string | null
  id_token: string | null
  access_token_expires_at: MaybeTime
  refresh_token_expires_at: MaybeTime
  scope: string | null
  password: string | null
  created_at: Stamp
  updated_at: Stamp
}

export interface VerificationsTable {
  id: Generated<number>
  identifier: string
  value: string
  expires_at: Time
  created_at: Stamp
  updated_at: Stamp
}

export interface TwoFactorsTable {
  id: Generated<number>
  user_id: number
  secret: string
  backup_codes: string
  verified: Generated<boolean | null>
  failed_verification_count: Generated<number | null>
  locked_until: MaybeTime
}

export interface SetupTokensTable {
  id: Generated<string>
  token_sha256: Buffer
  created_at: Stamp
  used_at: MaybeTime
  used_by: number | null
}

export interface InvitationsTable {
  id: Generated<string>
  email: string | null
  role: Generated<UserRole>
  token_sha256: Buffer
  created_by: number | null
  created_at: Stamp
  expires_at: Time
  accepted_at: MaybeTime
  accepted_by: number | null
  revoked_at: MaybeTime
}

export interface PasswordResetsTable {
  id: Generated<string>
  user_id: number
  token_sha256: Buffer
  /** null: asked for by mail. */
  created_by: number | null
  created_at: Stamp
  expires_at: Time
  used_at: MaybeTime
}

export interface GuestsTable {
  id: Generated<string>
  name: string
  token_sha256: Buffer
  expires_at: Time
  created_at: Stamp
  erased_at: MaybeTime
}

export interface ServiceKeysTable {
  id: Generated<string>
  name: string
  /** The issuer of the foreign users that this key speaks for. */
  issuer: string
  token_sha256: Buffer
  /** What it may be used for. @see shared/api/service-keys.ts */
  scopes: Generated<string[]>
  hint: string | null
  /** The secret from before the rotation, good until `former_until`. */
  former_sha256: Buffer | null
  former_until: MaybeTime
  rotated_at: MaybeTime
  created_by: number | null
  created_at: Stamp
  last_used_at: MaybeTime
  expires_at: MaybeTime
  revoked_at: MaybeTime
}
