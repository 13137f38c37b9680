// A bus within this process, for what is said over one, without any network.
import type { Bus } from '../../server/cluster/bus.ts'

export class LocalBus {
  readonly #listeners = new Map<string, Set<(data: Uint8Array) => void>>()

  /** What anybody says, signed or not. */
  say(subject: string, data: Uint8Array): void {
    for (const listener of this.#listeners.get(subject) ?? []) listener(data)
  }

  /** One node's end of it. */
  end(): Bus {
    const own: (() => void)[] = []
    return {
      isConnected: true,
      maxBytes: 1024 * 1024,
      publish: (subject, data) => queueMicrotask(() => this.say(subject, data)),
      subscribe: (subject, onMessage) => {
        const listeners = this.#listeners.get(subject) ?? new Set()
        this.#listeners.set(subject, listeners.add(onMessage))
        const undo = () => void listeners.delete(onMessage)
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
