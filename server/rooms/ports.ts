// What rooms need of the rest, declared here and handed in by server/parts, so that a room is tested with a fake
// log and a socket pair. Nothing in this folder knows HTTP or SQL.
import type { Level } from '../../shared/levels.ts'
import type { PublicPrincipal } from '../../shared/protocol.ts'
import type { ElementEdit } from '../documents/element-properties.ts'
import type { DryRunAnswer, DryRunQuestion } from '../documents/validate/crowds.ts'
import type { StateVectorLimits } from '../documents/validate/state-vector.ts'
import type { DryRunLimits, ValidationLimits } from '../documents/validate/verdict.ts'

/** A WebSocket as a connection uses it. Frames are whole server frames (unmasked, built once, shared by many). */
export interface Socket {
  /** Called once, before `resume`: from here on the events reach their owner. A socket that ended before says so. */
  listen(events: SocketEvents): void
  /**
   * Write complete WebSocket frames, or one in pieces. Buffers are shared with other sockets: never changed, never
   * pooled. After `close` nothing is written any more.
   */
  write(...pieces: readonly Buffer[]): void
  /** Bytes handed to `write` that the kernel has not taken yet. */
  readonly bufferedBytes: number
  /** Stop reading; what the client sends waits in the kernel. A paused socket does not count as dead. */
  pause(): void
  resume(): void
  /** Close with a code; the close frame goes behind what was written. Ends hard if the peer does not answer. */
  close(code: number, reason: string): void
  /** Drop the connection at once. */
  terminate(): void
}

/** What a socket reports. Nothing is reported after `closed`. */
export interface SocketEvents {
  /** What came is no message: over the transport's own limit, broken frames. `closed` follows. */
  unreadable(): void
  /** One whole message. The bytes are never reused, but keeping them keeps the larger buffer that they are part of. */
  message(data: Uint8Array, isBinary: boolean): void
  /** The kernel has taken everything after it had been held up. */
  drained(): void
  /** A pong came. */
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
   * Queue one update for the next group commit, which edits of continuous work share. While the database is away it stays queued and is tried again.
   * @param update Yjs v1, the server's own update event; owned by the log from here on.
   * @param authors client ids of which something changed that must be remembered; the last word on each.
   * @param beside what is written in the same commit.
   * @returns resolves once committed.
   * @throws BoardroomError when this board alone cannot be written (deleted, over a database limit); never for an outage.
   */
  append(
    boardId: string,
    update: Uint8Array,
    authors: readonly Author[],
    sideRows?: SideRows | null,
  ): Promise<void>
  /** Somebody waits for what is appended by now, or can bring it back no more: it is not held for what comes next. */
  hurry(): void
  /** Bytes queued or in flight: of one board, of all boards; and since when (ms epoch) commits fail, null while they work. */
  unsavedBytes(boardId: string): number
  readonly totalUnsavedBytes: number
  readonly failingSince: number | null
  /** The last connection left and everything is committed: fold what is due. Never throws. */
  idle(boardId: string): void
  /**
   * What was committed since another look at the log, by whomever; some of it may be known. Where there are other nodes.
   * @param mark of that look; null: everything. Not to be looked into.
   * @throws BoardroomError board_unreadable | database_unreachable | not_found
   */
  readSince?(boardId: string, mark: unknown): Promise<LogNews>
}

export interface LogNews {
  updates: Uint8Array[]
  /** All of the board's. */
  authors: Author[]
  mark: unknown
}

export interface StoredBoard {
  /** Yjs v1 state, checksum verified; null where nothing was folded yet. */
  snapshot: Uint8Array | null
  /** Log rows after it, in the order of their numbers. */
  updates: Uint8Array[]
  /** Who wrote under which client id. */
  authors: Author[]
}

export interface Author {
  clientId: number
  /** `user:7`, `guest:<uuid>`, `anonymous:<uuid>`, `system`. */
  principal: string
  /** Clocks that others brought in while it was away and that it has not shown yet; left out where there are none. */
  relays?: readonly Relay[]
}

/** What an agent did to elements by one update. */
export interface AgentEdits {
  agentId: string
  edits: readonly ElementEdit[]
}

/** What is committed with an update, and once, however often that is tried and by whichever node. */
export interface SideRows {
  /** Of this update alone. */
  id: string
  /** What agents did by it. */
  byAgents: readonly AgentEdits[]
  /** What the trail says of it. @see rowOf of server/audit/event.ts */
  trail: readonly Record<string, unknown>[]
  /** Rows of the agents' journal that it takes back. */
  undone: readonly string[]
}

/** Clocks `fromClock` (inclusive) to `toClock` (exclusive) of one client id came from the principal `by`. */
export interface Relay {
  by: string
  fromClock: number
  toClock: number
}

/** What decides a connection's access: who is asked about, on which board. All ids that can matter for it. */
export interface AccessSubject {
  boardId: string
  userId: number | null
  guestId: string | null
  agentId: string | null
  /** A session that must live on. */
  sessionId: string | null
  /** A ticket's cap. */
  maxLevel: Level | null
  /** Proven by a ticket, which an app hands to a page: it opens the board and manages nothing. */
  byTicket?: true
  /** A service key that must live on. */
  keyId?: string
}

/** What an agent may do on a board: for its users together, and never more than they may do now. */
export interface AgentRights {
  /** See what is there; without it a socket brings in and gets nothing back. */
  read: boolean
  comment: boolean
  /** Elements of the bundled canvas; where a document has another form, all three are needed to write at all. */
  create: boolean
  update: boolean
  delete: boolean
}

export interface AccessDecision {
  /** null: no access. Already capped. */
  level: Level | null
  /** Owner or administrator, not by a ticket. Stays true on a deleted board: to restore or purge it. */
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
  /** The share link that gave it, and its label, where one did. */
  linkId: string | null
  linkLabel: string | null
  /**
   * What the asker may know of it, so that nobody can leak more: `deleted` only to who had rights on it, `missing`
   * only to administrators. Anybody else finds a board like any other that gives them nothing.
   */
  board: 'live' | 'deleted' | 'missing'
  /** ended: the session is gone, the user deactivated, the guest expired: closes 4401. */
  credential: 'valid' | 'ended'
  /**
   * Set where the level is null for want of consent alone: where to give it, and the level that waits behind it. Closes
   * 4451.
   */
  awaitsConsent?: { url: string; level: Level }
  /** The next moment at which time alone may change this decision (expiry of a link, grant, session, guest). */
  nextChangeAt: Date | null
  /** Set for agents alone. */
  agent: AgentRights | null
}

/** The one function that answers what somebody may do, for many at once, in one query. @see server/boards/access.ts */
export interface Access {
  /** @returns one decision a subject, in their order. @throws BoardroomError database_unreachable */
  decide(subjects: readonly AccessSubject[]): Promise<AccessDecision[]>
}

/** What a connection brings into a room, known once the join is admitted. */
export interface Joining {
  connectionId: string
  boardId: string
  subject: AccessSubject
  /** `user:7`, `guest:<uuid>`, … fresh for every anonymous connection. */
  principalKey: string
  /** The guest that this user was in the same browser before signing in; null where there was none. */
  formerKey: string | null
  principal: PublicPrincipal
  /** Address and user agent, by which anonymous reconnects are recognised (presence only). */
  fingerprint: string
  /** The client offered boardroom.v1: frames 64-69. */
  ownProtocol: boolean
  ip: string | null
  userAgent: string | null
}

/** What rooms heed of the configuration; a `Config` is one. */
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
  /** Where the bounds of what clients send are not the usual ones. */
  inspection?: InspectionLimits | undefined
}

/** Bounds of what clients send, those that no setting names. What is left out is as docs/security.md says. */
export interface InspectionLimits {
  update?: Partial<ValidationLimits>
  stateVector?: StateVectorLimits
  trial?: DryRunLimits
}

/** Folds a board's rows into one update, away from the main thread, so that other rooms do not feel it. */
export type Fold = (stored: StoredBoard) => Promise<Uint8Array>

/** Cuts a state into updates that are applied one after the other, away from the main thread. */
export type Cut = (state: Uint8Array) => Promise<Uint8Array[]>

/** Tries an update on a copy of its board, away from the main thread. */
export type DryRun = (question: DryRunQuestion) => Promise<DryRunAnswer>

/** Who is here, as the trail and the HTTP routes tell it. */
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
