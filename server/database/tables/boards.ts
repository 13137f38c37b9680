// Boards, folders, and who may open them.
import type { ColumnType, Generated } from 'kysely'
import type { Level } from '../../../shared/levels.ts'
import type { MaybeTime, Stamp } from './columns.ts'

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
