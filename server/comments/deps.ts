// The dependencies of comments, passed in by server/parts.
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
  /** The current document of the board's room. @see server/rooms/rooms.ts */
  live: { document(boardId: string): Promise<Uint8Array> }
  worker: Pick<DocumentWorker, 'run'>
  limits: Pick<Config, 'maxThreadsPerBoard' | 'maxCommentsPerThread'>
  /** Per person, or per address for anonymous people. */
  writes: Pick<RateLimit, 'take' | 'retryAfterMs'>
  /** Whether this server sends mail. */
  mails: boolean
  /** Signs the unsubscribe URLs. */
  secret: string
}

/** The author of a comment. */
export interface Writer {
  actor: Actor
  /** `user:7`, … */
  principal: string
  name: string
  /** The label of the share link that a guest came in through. */
  label: string | null
  /** null: the server's own code. */
  identity: Identity | null
  mayManage: boolean
}

/** The reader to whom threads and comments are shown. */
export interface Reader {
  /** Whose read marks apply; null: an anonymous reader, who has none. */
  principal: string | null
  /** Managers of the board also see which link a guest came in through. */
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

/** People with read marks and notifications: those that are recognised across requests. */
export const readerKey = ({ principal }: Identity): string | null =>
  principal.kind === 'anonymous' ? null : principalKey(principal)
