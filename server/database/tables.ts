// The rows of every table, as Kysely sees them. Table names have no schema here; `Database.db` adds it.
// Timestamps are Date, bytea is Buffer, bigint is string. What each column is for: docs/data-model.md.
import type { Insertable, Selectable, Updateable } from 'kysely'
import type {
  AccountsTable,
  GuestsTable,
  InvitationsTable,
  PasswordResetsTable,
  ProviderLogoutsTable,
  ServiceKeysTable,
  SessionsTable,
  SetupTokensTable,
  TwoFactorsTable,
  UsersTable,
  VerificationsTable,
} from './tables/accounts.ts'
import type {
  AgentEditsTable,
  AgentsTable,
  BoardRecordKeysTable,
  BoardRecordsTable,
  BoardTemplatesTable,
  ConsentRecordsTable,
  ConsentTextsTable,
  RecordTextsWaitingTable,
  UserAgentPermissionsTable,
} from './tables/agents.ts'
import type { AuditChainTable, AuditLogsTable, AuditUnsealedTable, ServersTable } from './tables/audit.ts'
import type {
  AccessRequestsTable,
  BoardInvitationsTable,
  BoardOffersTable,
  BoardPermissionsTable,
  BoardSearchTable,
  BoardSpeakersTable,
  BoardStarsTable,
  BoardsTable,
  FolderPermissionsTable,
  FoldersTable,
  LibraryItemsTable,
  ShareLinksTable,
  ShareLinkUsesTable,
} from './tables/boards.ts'
import type {
  CommentMentionsTable,
  CommentReadsTable,
  CommentsTable,
  MailChoicesTable,
  NotificationsTable,
  ThreadsTable,
} from './tables/comments.ts'
import type {
  BoardAuthorsTable,
  BoardFilesTable,
  BoardSnapshotsTable,
  BoardUpdatesTable,
  BoardVersionsTable,
  FileContentsTable,
  SideRowsWrittenTable,
} from './tables/storage.ts'
import type { WebhookDeliveriesTable, WebhookEventsTable, WebhooksTable } from './tables/webhooks.ts'

export type * from './tables/accounts.ts'
export type * from './tables/agents.ts'
export type * from './tables/audit.ts'
export type * from './tables/boards.ts'
export type * from './tables/comments.ts'
export type * from './tables/storage.ts'
export type * from './tables/webhooks.ts'

export interface Tables {
  servers: ServersTable
  users: UsersTable
  sessions: SessionsTable
  provider_logouts: ProviderLogoutsTable
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
  side_rows_written: SideRowsWrittenTable
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
