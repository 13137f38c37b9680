// What the comments need of the rest, handed in by server/parts.
import type { AuditTrail } from '../audit/trail.ts'
import type { BoardAccess } from '../boards/access.ts'
import type { Config } from '../config.ts'
import type { Db } from '../database/database.ts'
import type { DocumentWorker } from '../documents/document-worker.ts'
import { type Actor, type Identity, principalKey } from '../principal.ts'
import type { AccessDecision } from '../rooms/ports.ts'
import type { RateLimit } from '../routing/rate-limits.ts'

export interface CommentsDeps {
  db: Db
  /** The database schema, for the notification channel `<schema>_events`. */
  schema: string
  access: BoardAccess
  audit: Pick<AuditTrail, 'recordRead'>
  /** The document as its room has it. @see server/rooms/rooms.ts */
  live: { document(boardId: string): Promise<Uint8Array> }
  worker: Pick<DocumentWorker, 'run'>
  limits: Pick<Config, 'maxThreadsPerBoard' | 'maxCommentsPerThread'>
  /** Of one person, or of one address where nobody is known. */
  writes: Pick<RateLimit, 'take' | 'retryAfterMs'>
  /** Whether this server mails. */
  mails: boolean
  /** Signs the addresses that stop mails. */
  secret: string
}

/** Who writes, as comments say it. */
export interface Writer {
  actor: Actor
  /** `user:7`, … */
  principal: string
  name: string
  /** Of the share link that a guest came in by. */
  label: string | null
  /** null: the server's own code. */
  identity: Identity | null
  mayManage: boolean
}

/** Who reads, as threads and comments are shown to them. */
export interface Reader {
  /** Whose read marks are asked for; null: somebody who is not known from one request to the next. */
  principal: string | null
  /** Who manages the board also sees by which link a guest came in. */
  mayManage: boolean
}

export const writerOf = (identity: Identity, actor: Actor, decision: AccessDecision): Writer => ({
  actor,
  principal: principalKey(identity.principal),
  name:
    identity.principal.kind === 'anonymous'
      ? 'Anonymous'
      : identity.principal.name.slice(0, 100).toWellFormed(),
  label: identity.principal.kind === 'guest' ? decision.linkLabel : null,
  identity,
  mayManage: decision.mayManage,
})

/** Whose read marks and notifications are kept: people that are known from one request to the next. */
export const readerKey = ({ principal }: Identity): string | null =>
  principal.kind === 'anonymous' ? null : principalKey(principal)
