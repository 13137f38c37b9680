// A bus within this process, for tests of messages without a network.
import type { Bus } from '../../server/cluster/bus.ts'

type Listener = (data: Uint8Array, by: unknown) => void

export class LocalBus {
  readonly #listeners = new Map<string, Set<Listener>>()

  /** All messages, signed or not. @param by the endpoint that sent it. */
  say(subject: string, data: Uint8Array, by: unknown = null): void {
    for (const hear of this.#listeners.get(subject) ?? []) hear(data, by)
  }

  /** One node's endpoint. @param loses whether messages of others fail to reach it. */
  end(loses: () => boolean = () => false): Bus {
    const own: (() => void)[] = []
    return {
      isConnected: true,
      maxBytes: 1024 * 1024,
      publish: (subject, data) => queueMicrotask(() => this.say(subject, data, own)),
      subscribe: (subject, onMessage) => {
        const listeners = this.#listeners.get(subject) ?? new Set()
        const hear: Listener = (data, by) => {
          if (by === own || !loses()) onMessage(data)
        }
        this.#listeners.set(subject, listeners.add(hear))
        const undo = () => void listeners.delete(hear)
        own.push(undo)
        return undo
      },
      settled: () => Promise.resolve(),
      onChange: () => undefined,
      async close() {
        for (const undo of own) undo()
      },
    }
  }
}
