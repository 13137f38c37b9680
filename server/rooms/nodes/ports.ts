// What a room needs of the other nodes, declared here and handed in: a channel a board, and who is heard. Nothing in
// this folder knows what carries it.

/** The other nodes of a deployment, as far as they are heard. */
export interface Nodes {
  /**
   * Listens to what other nodes say about a board, until `close`.
   * @param listener called in the order in which each node spoke; never before `open` returned.
   */
  open(boardId: string, listener: BoardListener): BoardChannel
}

export interface BoardListener {
  /** What a node said. The bytes are not reused. */
  message(nodeId: string, body: Uint8Array): void
  /** A node ended, or has not been heard for too long: nothing of it counts any more. */
  gone(nodeId: string): void
  /** We were not heard, or did not hear, and are back: whatever was said meanwhile is lost. */
  backAgain(): void
  /** The same of another node: what it still has of the board it says now, and nothing else of it counts any more. */
  otherBackAgain(nodeId: string): void
  /** About every second. `isToLook`: somebody may have written to the log whom we did not hear. */
  tick(isToLook: boolean): void
}

export interface BoardChannel {
  /** Resolves once everything said from here on is heard, or nothing is heard at all. Never rejects. */
  readonly ready: Promise<void>
  /** Bytes that one message may have. */
  readonly maxBytes: number
  /** Lost where the bus is away. Never throws. */
  send(body: Uint8Array): void
  close(): void
}
