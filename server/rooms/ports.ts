// What rooms need from the rest of the server. Passed in by server/parts, so that a room can be tested with a fake log and
// a socket pair. Nothing in this folder knows HTTP or SQL.
import type { Level } from '../../shared/levels.ts'
import type { PublicPrincipal } from '../../shared/protocol.ts'
import type { ElementEdit } from '../documents/element-properties.ts'
import type { DryRunAnswer, DryRunQuestion } from '../documents/validate/crowds.ts'
import type { StateVectorLimits } from '../documents/validate/state-vector.ts'
import type { DryRunLimits, ValidationLimits } from '../documents/validate/verdict.ts'

/** A WebSocket as a connection uses it. Frames are complete server frames (unmasked), built once and shared by sockets. */
export interface Socket {
  /** Called once, before `resume`. If the socket has already ended, that is reported too. */
  listen(events: SocketEvents): void
  /**
   * Writes complete WebSocket frames, or one in pieces. Buffers are shared with other sockets, and never changed or
   * pooled. Does nothing after `close`.
   */
  write(...pieces: readonly Buffer[]): void
  /** Bytes passed to `write` that the kernel has not taken yet. */
  readonly bufferedBytes: number
  /** Stops reading; what the client sends waits in the kernel. A paused socket does not count as dead. */
  pause(): void
  resume(): void
  /** Closes with a code, after what was written before. The socket is destroyed if the peer does not answer. */
  close(code: number, reason: string): void
  /** Destroys the socket immediately. */
  terminate(): void
}

/** What a socket reports. Nothing is reported after `closed`. */
export interface SocketEvents {
  /** Something invalid was received: a message over the transport's limit, or broken frames. `closed` follows. */
  unreadable(): void
  /** A complete message. The bytes are never reused, but keeping them keeps the larger buffer that they are part of. */
  message(data: Uint8Array, isBinary: boolean): void
  /** The kernel has taken everything, after a backlog. */
  drained(): void
  /** A pong arrived. */
  heard(): void
  closed(code: number, reason: string): void
}

/** The durable log of boards. @see server/storage/log/update-log.ts */
export interface UpdateLog {
  /**
   * Everything that makes up a board, read in one repeatable-read transaction.
   * @throws BoardroomError board_unreadable (checksum or decoding) | database_unreachable | not_found
   */
  load(boardId: string): Promise<StoredBoard>
  /**
   * Queues an update for the next group commit, which edits of continuous work share. While the database is unavailable,
   * it stays queued and is tried again.
   * @param update Yjs v1, as emitted by the server's document; owned by the log from now on.
   * @param authors the client ids whose author or relays changed.
   * @param sideRows rows to write in the same commit.
   * @returns resolves once committed.
   * @throws BoardroomError if only this board cannot be written (deleted, over a database limit); never for an outage.
   */
  append(
    boardId: string,
    update: Uint8Array,
    authors: readonly Author[],
    sideRows?: SideRows | null,
  ): Promise<void>
  /** Commits everything appended so far soon, because somebody waits for it or can no longer send it again. */
  hurry(): void
  /** Bytes of one board that are not committed yet. */
  unsavedBytes(boardId: string): number
  /** The same for all boards. */
  readonly totalUnsavedBytes: number
  /** Since when commits fail (ms since 1970); null while they succeed. */
  readonly failingSince: number | null
  /** The last connection left and everything is committed: the log may be folded. Never throws. */
  idle(boardId: string): void
  /**
   * Reads what any node has committed since an earlier read; some of it may be known already. Only with several nodes.
   * @param mark of the earlier read, opaque; null reads everything.
   * @throws BoardroomError board_unreadable | database_unreachable | not_found
   */
  readSince?(boardId: string, mark: unknown): Promise<LogNews>
}

export interface LogNews {
  updates: Uint8Array[]
  /** All authors of the board. */
  authors: Author[]
  mark: unknown
}

export interface StoredBoard {
  /** Yjs v1 state with a verified checksum; null if nothing was folded yet. */
  snapshot: Uint8Array | null
  /** The log after the snapshot, in order. */
  updates: Uint8Array[]
  /** Who wrote under which client id. */
  authors: Author[]
}

export interface Author {
  clientId: number
  /** `user:7`, `guest:<uuid>`, `anonymous:<uuid>`, `system`. */
  principal: string
  /** Clocks that others sent while it was away and that it has not shown yet; omitted if there are none. */
  relays?: readonly Relay[]
}

/** What an agent changed in elements with one update. */
export interface AgentEdits {
  agentId: string
  edits: readonly ElementEdit[]
}

/** Rows that are committed with an update: exactly once, however often and by whichever node that is tried. */
export interface SideRows {
  /** Identifies the update. */
  id: string
  /** What agents changed with it. */
  byAgents: readonly AgentEdits[]
  /** Its rows in the audit trail. @see rowOf of server/audit/event.ts */
  trail: readonly Record<string, unknown>[]
  /** Rows of the agents' journal that it undoes. */
  undone: readonly string[]
}

/** Clocks `fromClock` (inclusive) to `toClock` (exclusive) of one client id came from the principal `by`. */
export interface Relay {
  by: string
  fromClock: number
  toClock: number
}

/** Everything that a connection's access to a board depends on. */
export interface AccessSubject {
  boardId: string
  userId: number | null
  guestId: string | null
  agentId: string | null
  /** A session that must stay valid. */
  sessionId: string | null
  /** The cap of a ticket. */
  maxLevel: Level | null
  /** Identified by a ticket, which opens the board but does not allow managing it. */
  byTicket?: true
  /** A service key that must stay valid. */
  keyId?: string
}

/** What an agent may do on a board. Never more than its users together may do at the moment. */
export interface AgentRights {
  /** Without it, a connection can send edits but gets nothing back. */
  read: boolean
  comment: boolean
  /** For elements of the bundled canvas. To edit a document of any other form, all three are needed. */
  create: boolean
  update: boolean
  delete: boolean
}

export interface AccessDecision {
  /** null: no access. Already capped. */
  level: Level | null
  /** Owner or administrator, and not by a ticket. Also true for a deleted board, which they may restore or purge. */
  mayManage: boolean
  reason:
    | 'owner'
    | 'administrator'
    | 'permission'
    | 'folder'
    | 'members'
    | 'public'
    | 'link'
    | 'agent'
    | 'none'
  /** The share link that gave access, and its label. */
  linkId: string | null
  linkLabel: string | null
  /**
   * What the subject may know about the board: `deleted` only if it had access to it, `missing` only for administrators.
   * For everybody else such a board looks like one that they have no access to.
   */
  board: 'live' | 'deleted' | 'missing'
  /** ended: the session is gone, the user is deactivated, or the guest has expired; closes with 4401. */
  credential: 'valid' | 'ended'
  /**
   * Set if the level is null only because consent is missing: where to give it, and the level that it would open. Closes
   * with 4451.
   */
  awaitsConsent?: { url: string; level: Level }
  /** When this decision may change by time alone (a link, grant, session or guest expires). */
  nextChangeAt: Date | null
  /** Set only for agents. */
  agent: AgentRights | null
}

/** Decides what subjects may do, for many of them in one query. @see server/boards/access.ts */
export interface Access {
  /** @returns one decision per subject, in the same order. @throws BoardroomError database_unreachable */
  decide(subjects: readonly AccessSubject[]): Promise<AccessDecision[]>
}

/** What is known about a connection when it joins a room. */
export interface Joining {
  connectionId: string
  boardId: string
  subject: AccessSubject
  /** `user:7`, `guest:<uuid>`, …; a new one for every anonymous connection. */
  principalKey: string
  /** The guest that this user was in the same browser before signing in; null if there was none. */
  formerKey: string | null
  principal: PublicPrincipal
  /** Address and user agent, which identify an anonymous client after a reconnect (for presence only). */
  fingerprint: string
  /** The client offered boardroom.v1: frames 64-69. */
  ownProtocol: boolean
  ip: string | null
  userAgent: string | null
}

/** The part of the configuration that rooms use. */
export interface RoomLimits {
  maxFrameBytes: number
  maxBoardBytes: number
  maxFileBytes: number
  maxWritersPerRoom: number
  updatesPerSecond: number
  updatesBurst: number
  awarenessPerSecond: number
  maxNewClientsPerUpdate: number
  maxNewClientsPerConnection: number
  maxClientsPerBoard: number
  /** Limits of what clients send, if they differ from the defaults. */
  inspection?: InspectionLimits | undefined
}

/** Limits of what clients send for which there is no setting. For the defaults see docs/security.md. */
export interface InspectionLimits {
  update?: Partial<ValidationLimits>
  stateVector?: StateVectorLimits
  trial?: DryRunLimits
}

/** Folds a stored board into one update, in a worker thread so that other rooms are not slowed down. */
export type Fold = (stored: StoredBoard) => Promise<Uint8Array>

/** Cuts a state into updates to be applied one after the other, in a worker thread. */
export type Cut = (state: Uint8Array) => Promise<Uint8Array[]>

/** Applies an update to a copy of its board, in a worker thread. */
export type DryRun = (question: DryRunQuestion) => Promise<DryRunAnswer>

/** A connection as the trail and the HTTP routes show it. */
export interface ConnectionSummary {
  connectionId: string
  boardId: string
  subject: AccessSubject
  principalKey: string
  principal: PublicPrincipal
  level: Level
  joinedAt: Date
  ip: string | null
  userAgent: string | null
}
