// The interface to the message bus between nodes: publish and subscribe. It may lose messages while it is unavailable, but
// reports outages, and the rest of the server can cope with that. @see docs/nodes.md

export interface Bus {
  /** Whether the bus is reachable, as far as known. */
  readonly isConnected: boolean
  /** The largest message, in bytes. */
  readonly maxBytes: number
  /** The message is lost if the bus is unavailable. Never throws. */
  publish(subject: string, data: Uint8Array): void
  /**
   * Calls `onMessage` for each message of a subject, in the order in which each publisher sent them, until unsubscribed.
   * It resumes automatically when the bus is available again.
   * @returns a function that unsubscribes.
   */
  subscribe(subject: string, onMessage: (data: Uint8Array) => void): () => void
  /** Resolves once the bus has received every subscription so far, or is unavailable. Never rejects. */
  settled(): Promise<void>
  /** `listener` is called when the bus is lost and when it is available again. */
  onChange(listener: (isConnected: boolean) => void): void
  close(): Promise<void>
}
