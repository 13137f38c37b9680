// What a board holds: updates, snapshots, versions, files.
import type { Generated, GeneratedAlways } from 'kysely'
import type { Big, Stamp } from './columns.ts'

export interface BoardUpdatesTable {
  board_id: string
  seq: GeneratedAlways<string>
  data: Buffer
  created_at: Stamp
}

/** Marks that everything committed with an update exists, so that a retry does not write it again. */
export interface SideRowsWrittenTable {
  id: string
  written_at: Stamp
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
