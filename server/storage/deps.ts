// The dependencies of the storage routes, passed in by server/parts.
import type { Level } from '../../shared/levels.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import type { DocumentWorker } from '../documents/document-worker.ts'
import type { Identity } from '../principal.ts'
import type { Telling } from '../rooms/edits/side-rows.ts'
import type { AccessDecision } from '../rooms/ports.ts'

export interface StorageDeps {
  database: Database
  live: LiveBoards
  /** @see Compaction.catchUp */
  catchUp(boardId: string): Promise<void>
  worker: DocumentWorker
  /** @see requireLevel of server/boards/access.ts, with the access of this server */
  requireLevel(
    identity: Identity,
    boardId: string,
    level: Level,
    /** Also allows a board in the trash, for people who may restore it. */
    options?: { deleted?: boolean },
  ): Promise<AccessDecision>
  /** The colour behind a drawing. @see server/boards/background.ts */
  backgrounds: {
    /** Null: white. */
    read(boardId: string): Promise<string | null>
    /** Sends it to everybody on the board. */
    set(boardId: string, color: string): Promise<void>
  }
  /** The board's comments as JSON; null if there are none. @see server/comments/export-queries.ts */
  threadsJson(boardId: string): Promise<string | null>
  trail: Pick<AuditTrail, 'record' | 'recordRead'>
  config: Pick<
    Config,
    'maxFileBytes' | 'maxFilesBytes' | 'maxFilesBytesPerUser' | 'maxBoardBytes' | 'maxClientsPerBoard'
  >
}

/** The boards' current documents. @see server/rooms/rooms.ts */
export interface LiveBoards {
  /** Yjs v1, including unsaved edits. */
  document(boardId: string): Promise<Uint8Array>
  /** Sent to everybody in the room. @returns once committed, together with the event of `tell`; false if nothing changed */
  applyAsServer(boardId: string, update: Uint8Array, author: string, tell: Telling): Promise<boolean>
}
