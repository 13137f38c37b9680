// The interfaces between a room and the other nodes. This folder does not know which bus carries the messages.
import type { BoardEvent } from '../../../shared/protocol.ts'
import type { Author } from '../ports.ts'
import type { PresenceEntry } from './messages.ts'

/** The other nodes of a deployment that can be heard. */
export interface Nodes {
  /**
   * Listens to messages of other nodes about a board, until `close`.
   * @param listener gets the messages of each node in the order sent; never called before `open` returns.
   */
  open(boardId: string, listener: BoardListener): BoardChannel
}

export interface BoardListener {
  /** A message from a node. The bytes are not reused. */
  message(nodeId: string, body: Uint8Array): void
  /** A node ended, or has not been heard for too long: its state no longer counts. */
  gone(nodeId: string): void
  /** This node can hear and be heard again; messages in between were lost. */
  backAgain(): void
  /** The same for another node: it sends its whole state now, and anything that it does not send no longer counts. */
  otherBackAgain(nodeId: string): void
  /** About once a second. @param shouldReadLog a node that we do not hear may have written to it. */
  tick(shouldReadLog: boolean): void
}

export interface BoardChannel {
  /** Resolves once every message from now on is received, or it is clear that none are. Never rejects. */
  readonly ready: Promise<void>
  /** The largest message. */
  readonly maxBytes: number
  /** The message is lost while the bus is unavailable. Never throws. */
  send(body: Uint8Array): void
  close(): void
}

/** A room as other nodes reach it. */
export interface LinkedRoom {
  /**
   * Applies and shows updates that another node has applied.
   * @param whenCommitted resolves once they are in the log, whoever commits them; null if they already are.
   */
  applyRemote(
    updates: readonly Uint8Array[],
    authors: readonly Author[],
    whenCommitted: Promise<void> | null,
  ): void
  /** Whether the document has updates whose dependencies are missing. */
  readonly isIncomplete: boolean
  remotePresence(nodeId: string, entries: readonly PresenceEntry[], isNews: boolean): void
  remoteNodeLeft(nodeId: string): void
  remoteEvent(event: BoardEvent): void
  /** The number of seats taken on other nodes has changed. */
  remoteWriters(): void
  /** Presence of this node's connections. @param withGone includes those who left. */
  ownPresence(withGone: boolean): PresenceEntry[]
  readonly ownWriters: number
}
