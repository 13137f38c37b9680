// What nodes need of a message bus: to say something, and to hear what is said from now on. It may lose whatever is
// said while it is away, and tells of both; the rest of the server lives with that. @see docs/nodes.md

export interface Bus {
  /** The bus answers, as far as is known. */
  readonly isConnected: boolean
  /** Bytes that one message may have. */
  readonly maxBytes: number
  /** Lost where the bus is away. Never throws. */
  publish(subject: string, data: Uint8Array): void
  /**
   * Calls `onMessage` for each message of a subject, in the order in which each publisher sent them, until it is ended.
   * It goes on by itself when the bus comes back.
   * @returns a function that ends it.
   */
  subscribe(subject: string, onMessage: (data: Uint8Array) => void): () => void
  /** Resolves once the bus knows of every subscription so far, or is away. Never rejects. */
  settled(): Promise<void>
  /** `listener` is told when the bus is lost, and when it is there again. */
  onChange(listener: (isConnected: boolean) => void): void
  close(): Promise<void>
}
