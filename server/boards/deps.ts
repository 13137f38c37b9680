// The dependencies of boards, passed in by server/parts.
import type { Transaction } from 'kysely'
import type { Logger } from 'pino'
import type { BoardEvent } from '../../shared/protocol.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import type { Identity } from '../principal.ts'
import type { ConnectionSummary } from '../rooms/ports.ts'
import type { BoardDocuments } from '../storage/board-documents.ts'
import type { BoardAccess, PublicBoards } from './access.ts'
import type { AskedText } from './consent/instance-text.ts'

export type { BoardDocuments, MadeDocument } from '../storage/board-documents.ts'

export interface BoardsDeps {
  db: Db
  /** The database schema, for the notification channel `<schema>_events`. */
  schema: string
  access: BoardAccess
  publicBoards: PublicBoards
  /** The text that everybody on the instance must accept; null: none. */
  instanceText: AskedText | null
  /** Where to accept it. */
  consentUrl(): string
  audit: Pick<AuditTrail, 'record' | 'recordRead'>
  guests: GuestMaker
  limits: BoardLimits
  /** New guests, by address. */
  newGuests: GuessLimit
  /** Wrong links and passwords, by address. */
  failedGuesses: GuessLimit
  /** A ticket for one board, with the usual lifetime. */
  makeTicket(identity: Identity, boardId: string): Promise<string>
  /** The URL of a board's page for a request with this `host` header. */
  boardUrl(boardId: string, host: string | null): string
  connections: LiveConnections
  /** @see server/storage/board-documents.ts */
  documents: BoardDocuments
  /** @see server/boards/records/following.ts */
  recordTexts: { follow(boardId: string): Promise<void> }
  /** Copies document and files of a board to a new, empty one. @see server/storage */
  copyDocument(trx: Transaction<Tables>, fromBoardId: string, toBoardId: string): Promise<void>
  notifications: BoardNotifications
  /** Aborted when the process stops: open event streams end. */
  closing: AbortSignal
  log: Logger
}

/** Limits per account and per link. @see server/config.ts */
export interface BoardLimits {
  maxBoardsPerUser: number
  maxGuestsPerLink: number
}

/** Inside the caller's transaction. @see server/accounts/guests.ts */
export interface GuestMaker {
  /** @returns the new guest's id, and the value of the `Set-Cookie` with its secret. */
  create(
    trx: Transaction<Tables>,
    guest: { name: string; linkExpiresAt: Date | null },
  ): Promise<{ guestId: string; cookie: string }>
  /** Extends a guest who received another link to that link's expiry. */
  extend(trx: Transaction<Tables>, guestId: string): Promise<void>
}

/** @see server/routing/rate-limits.ts */
export interface GuessLimit {
  take(key: string): boolean
  giveBack(key: string): void
  retryAfterMs(key: string): number
}

/** The connections in a board's room. @see server/rooms/rooms.ts */
export interface LiveConnections {
  connectionsOf(boardId: string): readonly ConnectionSummary[] | Promise<readonly ConnectionSummary[]>
  /** Closes one connection with 4403. @returns false if there is none (any more). */
  disconnect(connectionId: string): boolean | Promise<boolean>
}

/** @see server/database/notifications.ts */
export interface BoardNotifications {
  onAccess(listener: (payloads: string[]) => void): () => void
  onEvent(listener: (notification: { boardId: string; event: BoardEvent }) => void): () => void
}
