// Keep-alive for all connections of the process with one timer. Each is visited every nine seconds, so that its client
// receives something at least every twenty, and is pinged at every second visit. Visits are spread over the seconds.
import type { Clock, Timer } from '../clock.ts'

const slotMs = 1000
const slots = 9

export interface Visited {
  tick(withPing: boolean): void
}

export class KeepAlive {
  readonly #clock: Clock
  readonly #onSecond: () => void
  readonly #wheel: Set<Visited>[] = Array.from({ length: slots }, () => new Set())
  readonly #slotOf = new Map<Visited, number>()
  #next = 0
  #turns = 0
  #timer: Timer | null = null

  /** @param onSecond called every second while there are connections. */
  constructor(clock: Clock, onSecond: () => void) {
    this.#clock = clock
    this.#onSecond = onSecond
  }

  add(visited: Visited): void {
    // The slot visited last: a full turn passes before the first visit.
    const slot = (this.#next + slots - 1 - (this.#slotOf.size % 3)) % slots
    this.#wheel[slot]?.add(visited)
    this.#slotOf.set(visited, slot)
    this.#timer ??= this.#clock.after(slotMs, () => this.#turn())
  }

  remove(visited: Visited): void {
    const slot = this.#slotOf.get(visited)
    if (slot === undefined) return
    this.#wheel[slot]?.delete(visited)
    this.#slotOf.delete(visited)
    if (this.#slotOf.size > 0) return
    this.#timer?.cancel()
    this.#timer = null
  }

  #turn(): void {
    this.#timer = this.#clock.after(slotMs, () => this.#turn())
    const withPing = this.#turns % 2 === 1
    const due = this.#wheel[this.#next] ?? []
    this.#next = (this.#next + 1) % slots
    if (this.#next === 0) this.#turns++
    for (const visited of due) visited.tick(withPing)
    this.#onSecond()
  }
}
