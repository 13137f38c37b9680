// The dependencies of agents, passed in by server/parts.
import type { Logger } from 'pino'
import type { AuditTrail } from '../audit/trail.ts'
import type { BoardAccess } from '../boards/access.ts'
import type { CommentsDeps } from '../comments/deps.ts'
import type { Db } from '../database/database.ts'
import type { ServerChange } from '../rooms/edits/server-change.ts'
import type { Telling } from '../rooms/edits/side-rows.ts'
import type { RateLimit } from '../routing/rate-limits.ts'
import type { AgentJournal } from './journal.ts'

export interface AgentsDeps {
  db: Db
  access: BoardAccess
  trail: Pick<AuditTrail, 'record' | 'recordRead'>
  /** @see server/rooms/rooms.ts */
  rooms: {
    document(boardId: string): Promise<Uint8Array>
    applyAsServer(
      boardId: string,
      change: ServerChange,
      principalKey: string,
      tell?: Telling,
    ): Promise<boolean>
    saved(boardId: string): Promise<void>
  }
  journal: Pick<AgentJournal, 'flush'>
}

export interface McpDeps extends AgentsDeps {
  comments: CommentsDeps
  /** How many requests each agent may send. */
  calls: RateLimit
  log: Logger
}
