// A bus within this process, for what is said over one, without any network.
import type { Bus } from '../../server/cluster/bus.ts'

type Listener = (data: Uint8Array, by: unknown) => void

export class LocalBus {
  readonly #listeners = new Map<string, Set<Listener>>()

  /** What anybody says, signed or not. @param by whose end it comes from. */
  say(subject: string, data: Uint8Array, by: unknown = null): void {
    for (const hear of this.#listeners.get(subject) ?? []) hear(data, by)
  }

  /** One node's end of it. @param loses whether what others say does not reach it. */
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
