// The rows of every table, as Kysely sees them. Table names have no schema here; `Database.db` adds it.
// Timestamps are Date, bytea is Buffer, bigint is string. What each column is for: docs/data-model.md.
import type { ColumnType, Generated, GeneratedAlways, Insertable, Selectable, Updateable } from 'kysely'
import type { Level } from '../../shared/levels.ts'

/** A timestamp that the database fills in by default. */
type Stamp = ColumnType<Date, Date | string | undefined, Date | string>
type Time = ColumnType<Date, Date | string, Date | string>
type MaybeTime = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
/** bigint: read as string, written as either. */
type Big = ColumnType<string, string | number | bigint, string | number | bigint>
type Json = Record<string, unknown>
/** jsonb that holds a list of texts; written as JSON, because the driver makes a Postgres array of a list. */
type JsonList = ColumnType<string[], string | undefined, string>
type MaybeJson = ColumnType<Json | null, Json | null | undefined, never>

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
  created_at: Stamp
  updated_at: Stamp
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

export interface WebhooksTable {
  id: Generated<string>
  url: string
  description: Generated<string>
  events: string[]
  issuer: string | null
  /** Enciphered. @see server/webhooks/secrets.ts */
  secret: Buffer
  former_secret: Buffer | null
  former_until: MaybeTime
  created_by: number | null
  created_at: Stamp
  /** Whose right it stands on: who changed it last, with which service key. */
  keeper_id: number | null
  key_id: string | null
  is_by_key: Generated<boolean>
  failing_since: MaybeTime
  disabled_at: MaybeTime
  disabled_reason: string | null
}

/** Written by triggers alone. */
export interface WebhookEventsTable {
  id: Generated<string>
  type: string
  board_id: string | null
  data: ColumnType<Record<string, unknown>, Record<string, unknown>, never>
  created_at: Stamp
}

export interface WebhookDeliveriesTable {
  /** A bigint, as text. */
  id: ColumnType<string, never, never>
  webhook_id: string
  event_id: string
  state: Generated<'pending' | 'delivered' | 'failed'>
  attempts: Generated<number>
  next_attempt_at: Stamp
  last_attempt_at: MaybeTime
  last_status: number | null
  last_error: string | null
  last_answer: string | null
  delivered_at: MaybeTime
}

export interface AgentsTable {
  id: Generated<string>
  name: string
  description: Generated<string>
  token_sha256: Buffer | null
  is_active: Generated<boolean>
  /** Whose agent it is: it works while they are active. */
  owner_id: number
  created_by: number | null
  created_at: Stamp
  last_used_at: MaybeTime
}

/** What an agent did to one element of the bundled canvas. */
export interface AgentEditsTable {
  id: ColumnType<string, never, never>
  board_id: string
  agent_id: string
  element_id: string
  change: 'created' | 'updated' | 'deleted' | 'restored'
  /** The properties that changed, before and after; one that was or is missing stands only on the other side. */
  old_values: ColumnType<Record<string, unknown>, string, string>
  new_values: ColumnType<Record<string, unknown>, string, string>
  created_at: Stamp
  undone_at: MaybeTime
  /** The trail has counted it. */
  in_trail: Generated<boolean>
}

export interface ConsentRecordsTable {
  id: Generated<string>
  /** No foreign keys: the evidence outlives the person's row. */
  user_id: number | null
  guest_id: string | null
  /** null: of the instance. */
  board_id: string | null
  consent_version: string
  privacy_policy_version: string
  accepted_at: Stamp
  /** The only column that changes, once. */
  withdrawn_at: MaybeTime
  ip_address: string | null
  user_agent: string | null
  consent_categories: JsonList
  created_at: Stamp
}

/** Texts that people are asked to accept; one that was published changes no more. */
export interface ConsentTextsTable {
  id: Generated<string>
  /** null: of the instance. */
  board_id: string | null
  consent_version: string
  privacy_policy_version: string
  body: string
  required_categories: JsonList
  optional_categories: JsonList
  created_at: Stamp
  created_by: number | null
  ended_at: MaybeTime
}

export interface BoardsTable {
  id: Generated<string>
  owner_id: number
  title: Generated<string>
  is_public: Generated<boolean>
  members_level: Level | null
  created_at: Stamp
  created_by: number | null
  updated_at: Stamp
  updated_by: number | null
  deleted_at: MaybeTime
  folder_id: string | null
  board_type: string | null
  /** view_only: only managers and speakers write. */
  moderation: Generated<'open' | 'view_only'>
  /** A colour of CSS; null: white. */
  background: string | null
}

export interface FoldersTable {
  id: Generated<string>
  parent_id: string | null
  /** From the outermost folder to this one; kept by trigger. */
  path: ColumnType<string[], never, never>
  owner_id: number
  name: string
  created_at: Stamp
  created_by: number | null
  updated_at: Stamp
  updated_by: number | null
}

export interface FolderPermissionsTable {
  id: Generated<number>
  folder_id: string
  /** null: everyone. */
  user_id: number | null
  level: Level
  created_at: Stamp
  granted_by: number | null
}

export interface BoardSpeakersTable {
  id: Generated<number>
  board_id: string
  /** Exactly one of user_id and guest_id. */
  user_id: number | null
  guest_id: string | null
  created_at: Stamp
  created_by: number | null
}

export interface LibraryItemsTable {
  id: Generated<string>
  /** Null: the team's. */
  user_id: number | null
  name: string | null
  elements: ColumnType<Record<string, unknown>[], string, never>
  created_by: number | null
  created_at: Stamp
}

export interface BoardStarsTable {
  user_id: number
  board_id: string
  created_at: Stamp
}

export interface BoardInvitationsTable {
  /** From the sequence of board_permissions. */
  id: Generated<number>
  board_id: string
  /** Lower case. */
  email: string
  level: Level
  created_at: Stamp
  granted_by: number | null
}

export interface BoardOffersTable {
  board_id: string
  user_id: number
  offered_by: number | null
  created_at: Stamp
}

export interface BoardSearchTable {
  board_id: string
  /** The board's title when its key was made: where they differ, the key is out of date. */
  title: string
  title_key: string
  text_key: Generated<string>
  updated_at: Stamp
}

export interface AccessRequestsTable {
  id: Generated<number>
  board_id: string
  /** Exactly one of user_id and guest_id. */
  user_id: number | null
  guest_id: string | null
  level: Level
  message: string | null
  created_at: Stamp
  answered_at: MaybeTime
  answered_by: number | null
  /** null in an answered request: declined. */
  answer_level: Level | null
}

export interface BoardPermissionsTable {
  id: Generated<number>
  board_id: string
  /** null: everyone. */
  user_id: number | null
  level: Level
  created_at: Stamp
  granted_by: number | null
}

export interface ShareLinksTable {
  id: Generated<string>
  board_id: string
  level: Level
  token_sha256: Buffer
  label: string | null
  password_hash: string | null
  expires_at: MaybeTime
  max_uses: number | null
  uses: Generated<number>
  revoked_at: MaybeTime
  created_by: number | null
  created_at: Stamp
  last_used_at: MaybeTime
}

export interface ShareLinkUsesTable {
  id: Generated<number>
  link_id: string
  /** Exactly one of user_id and guest_id. */
  user_id: number | null
  guest_id: string | null
  name: string
  first_used_at: Stamp
  revoked_at: MaybeTime
}

export interface UserAgentPermissionsTable {
  id: Generated<number>
  user_id: number
  agent_name: string
  /** null: every board of the user. */
  board_id: string | null
  can_create: Generated<boolean>
  can_read: Generated<boolean>
  can_update: Generated<boolean>
  can_delete: Generated<boolean>
  granted_by: number | null
  created_at: Stamp
  expires_at: MaybeTime
}

export interface BoardTemplatesTable {
  id: Generated<string>
  code: string
  name: string
  description: Generated<string>
  category: string
  version: number
  /** One version a code at most, and only an approved one. */
  is_current: Generated<boolean>
  previous_version_id: string | null
  /** A drawing whose texts may hold `{{variables}}`; written as JSON text. */
  content: ColumnType<Json, string, never>
  variables_schema: ColumnType<Json, string, never>
  unique_fields: JsonList
  masked_fields: JsonList
  board_types: JsonList
  is_required: Generated<boolean>
  display_order: Generated<number>
  approved_by: number | null
  approved_at: MaybeTime
  approval_notes: string | null
  created_by: number | null
  created_at: Stamp
  updated_at: Stamp
}

export interface BoardRecordsTable {
  id: Generated<string>
  board_id: string
  template_id: string
  /** By trigger: of the template. */
  template_code: ColumnType<string, string | undefined, never>
  /** Written as JSON text. */
  variables: ColumnType<Json, string, string>
  search_key: Generated<string>
  created_at: Stamp
  created_by: number | null
  updated_at: Stamp
  updated_by: number | null
  deleted_at: MaybeTime
}

/** Boards whose texts have not followed their record yet; written by trigger. */
export interface RecordTextsWaitingTable {
  board_id: string
  /** bigint */
  version: Generated<string>
}

/** What no two living records of a template share; kept by trigger. */
export interface BoardRecordKeysTable {
  template_code: string
  field: string
  value: string
  record_id: string
}

export interface BoardUpdatesTable {
  board_id: string
  seq: GeneratedAlways<string>
  data: Buffer
  created_at: Stamp
}

export interface BoardSnapshotsTable {
  board_id: string
  state: Buffer
  checksum: Buffer
  created_at: Stamp
}

export interface BoardAuthorsTable {
  board_id: string
  client_id: Big
  /** `user:7`, `guest:<uuid>`, … */
  principal: string
  first_seen: Stamp
  /** Clocks that others brought in while the owner of the client id was away: an array of Relay. */
  relays: unknown | null
}

/** Why a version was kept. */
export type VersionReason =
  | 'automatic'
  | 'named'
  | 'before_removal'
  | 'before_restore'
  | 'before_import'
  | 'before_rebuild'

export interface BoardVersionsTable {
  id: Generated<string>
  board_id: string
  /** Never null for `named`, and otherwise only set for `before_rebuild`. */
  name: string | null
  reason: Generated<VersionReason>
  state: Buffer
  checksum: Buffer
  created_by: number | null
  created_at: Stamp
}

export interface BoardFilesTable {
  board_id: string
  /** Lower-case hex sha-256 of the content, or `thumbnail`. */
  id: string
  mime: string
  size: number
  /** Its sha-256 in file_contents; equal to `id` but for a thumbnail. */
  content: string
  /** `user:7`, `guest:<uuid>`, … */
  created_by: string | null
  created_at: Stamp
}

export interface FileContentsTable {
  sha256: string
  data: Buffer
  used_at: Stamp
}

export interface Anchor {
  x: number
  y: number
  element_id?: string | undefined
}

export interface ThreadsTable {
  id: Generated<string>
  board_id: string
  anchor: ColumnType<Anchor, Anchor, Anchor>
  /** Where on the anchor's element, in parts of its width and height; null both where it has none. */
  place_x: number | null
  place_y: number | null
  /** The author's own name for it, so that a retry writes nothing twice. */
  client_id: string | null
  /** `user:7`, `guest:<uuid>`, … */
  created_by: string
  created_by_name: string
  created_at: Stamp
  resolved_at: MaybeTime
  resolved_by: string | null
  resolved_by_name: string | null
}

export interface CommentsTable {
  id: Generated<string>
  thread_id: string
  client_id: string | null
  /** `user:7`, `guest:<uuid>`, … */
  author: string
  author_name: string
  author_label: string | null
  /** Empty once deleted. */
  body: string
  created_at: Stamp
  edited_at: MaybeTime
  deleted_at: MaybeTime
  deleted_by: string | null
  deleted_by_name: string | null
}

export interface CommentReadsTable {
  thread_id: string
  /** `user:7`, `guest:<uuid>`, … */
  reader: string
  read_at: Stamp
}

export interface CommentMentionsTable {
  comment_id: string
  /** `user:7` or `guest:<uuid>` */
  principal: string
  name: string
}

export interface NotificationsTable {
  id: Generated<string>
  /** `user:7` or `guest:<uuid>` */
  recipient: string
  kind: 'mention' | 'reply'
  board_id: string
  thread_id: string
  comment_id: string
  created_at: Stamp
  read_at: MaybeTime
  mailed_at: MaybeTime
}

export interface MailChoicesTable {
  user_id: number
  comments: boolean
  updated_at: Stamp
}

export type AuditAction =
  | 'access'
  | 'leave'
  | 'access_denied'
  | 'read'
  | 'permission_change'
  | 'create'
  | 'update'
  | 'delete'
  | 'restore'
  | 'link_create'
  | 'link_use'
  | 'link_revoke'
  | 'comment'
  | 'export'
  | 'login'
  | 'logout'
  | 'login_failed'
  | 'role_change'
  | 'agent_grant'
  | 'consent'
  | 'retention'
  | 'erase'
export type AuditCategory =
  | 'access'
  | 'permission'
  | 'board'
  | 'link'
  | 'comment'
  | 'account'
  | 'agent'
  | 'folder'
  | 'consent'
  | 'template'
  | 'trail'
export type ActorKind = 'user' | 'guest' | 'agent' | 'system' | 'sql' | 'anonymous'

/** Append-only: an update does not typecheck, and the database refuses it. */
type Once<Value> = ColumnType<Value, Value, never>
type MaybeOnce<Value> = ColumnType<Value | null, Value | null | undefined, never>

export interface AuditLogsTable {
  id: ColumnType<string, string | undefined, never>
  timestamp: ColumnType<Date, undefined, never>
  action: Once<AuditAction>
  category: Once<AuditCategory>
  actor_kind: Once<ActorKind>
  actor_name: MaybeOnce<string>
  user_id: MaybeOnce<number>
  guest_id: MaybeOnce<string>
  agent_id: MaybeOnce<string>
  board_id: MaybeOnce<string>
  link_id: MaybeOnce<string>
  resource_type: MaybeOnce<string>
  resource_id: MaybeOnce<string>
  permission_level: MaybeOnce<Level>
  old_values: MaybeJson
  new_values: MaybeJson
  details: MaybeJson
  ip_address: MaybeOnce<string>
  user_agent: MaybeOnce<string>
  session_id: MaybeOnce<string>
  salt: ColumnType<Buffer | null, never, never>
  erased_by: ColumnType<string | null, never, never>
}

export interface AuditChainTable {
  seq: ColumnType<string, never, never>
  audit_timestamp: ColumnType<Date, never, never>
  audit_id: ColumnType<string, never, never>
  content_hash: ColumnType<Buffer, never, never>
  personal_hash: ColumnType<Buffer, never, never>
  prev_hash: ColumnType<Buffer, never, never>
  hash: ColumnType<Buffer, never, never>
  sealed_at: ColumnType<Date, never, never>
}

export interface AuditUnsealedTable {
  timestamp: ColumnType<Date, never, never>
  id: ColumnType<string, never, never>
}

export interface ServersTable {
  id: string
  host: string
  pid: number
  started_at: Stamp
  ended_at: MaybeTime
}

export interface Tables {
  servers: ServersTable
  users: UsersTable
  sessions: SessionsTable
  accounts: AccountsTable
  verifications: VerificationsTable
  two_factors: TwoFactorsTable
  setup_tokens: SetupTokensTable
  invitations: InvitationsTable
  password_resets: PasswordResetsTable
  guests: GuestsTable
  service_keys: ServiceKeysTable
  webhooks: WebhooksTable
  webhook_events: WebhookEventsTable
  webhook_deliveries: WebhookDeliveriesTable
  agents: AgentsTable
  agent_edits: AgentEditsTable
  consent_records: ConsentRecordsTable
  consent_texts: ConsentTextsTable
  boards: BoardsTable
  folders: FoldersTable
  folder_permissions: FolderPermissionsTable
  board_speakers: BoardSpeakersTable
  board_stars: BoardStarsTable
  library_items: LibraryItemsTable
  record_texts_waiting: RecordTextsWaitingTable
  board_search: BoardSearchTable
  board_invitations: BoardInvitationsTable
  board_offers: BoardOffersTable
  access_requests: AccessRequestsTable
  board_permissions: BoardPermissionsTable
  share_links: ShareLinksTable
  share_link_uses: ShareLinkUsesTable
  user_agent_permissions: UserAgentPermissionsTable
  board_templates: BoardTemplatesTable
  board_records: BoardRecordsTable
  board_record_keys: BoardRecordKeysTable
  board_updates: BoardUpdatesTable
  board_snapshots: BoardSnapshotsTable
  board_authors: BoardAuthorsTable
  board_versions: BoardVersionsTable
  board_files: BoardFilesTable
  file_contents: FileContentsTable
  threads: ThreadsTable
  comments: CommentsTable
  comment_reads: CommentReadsTable
  comment_mentions: CommentMentionsTable
  notifications: NotificationsTable
  mail_choices: MailChoicesTable
  audit_logs: AuditLogsTable
  audit_chain: AuditChainTable
  audit_unsealed: AuditUnsealedTable
}

export type Row<Table extends keyof Tables> = Selectable<Tables[Table]>
export type NewRow<Table extends keyof Tables> = Insertable<Tables[Table]>
export type RowChange<Table extends keyof Tables> = Updateable<Tables[Table]>
