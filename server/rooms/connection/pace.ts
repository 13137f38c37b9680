// How fast a connection is read. Over its budget it is paused, and what it sends waits in the kernel: it is slowed down,
// and nothing is dropped.
import type { Clock, Timer } from '../clock.ts'
import type { EditHold } from '../edits/edit.ts'
import type { RoomLimits, Socket } from '../ports.ts'
import { Budget } from './budget.ts'

/** Time for validating and applying edits, and messages of any kind. */
const workMsPerSecond = 200
const messagesPerSecond = 2000

/** pace: over its budget. */
export type Hold = EditHold | 'pace'

export class Pace {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #onSlowed: () => void
  readonly #updates: Budget
  readonly #work: Budget
  readonly #messages: Budget
  readonly #holds = new Set<Hold>()
  #timer: Timer | null = null
  #until = 0

  constructor(options: { socket: Socket; clock: Clock; limits: RoomLimits; onSlowed: () => void }) {
    const { clock, limits } = options
    const now = clock.now()
    this.#socket = options.socket
    this.#clock = clock
    this.#onSlowed = options.onSlowed
    this.#updates = new Budget({ perSecond: limits.updatesPerSecond, burst: limits.updatesBurst, now })
    this.#work = new Budget({ perSecond: workMsPerSecond, burst: workMsPerSecond, now })
    this.#messages = new Budget({ perSecond: messagesPerSecond, burst: 2 * messagesPerSecond, now })
  }

  get isHeld(): boolean {
    return this.#holds.size > 0
  }

  message(): void {
    const now = this.#clock.now()
    this.#rest(this.#messages.spend(1, now), now)
  }

  update(): void {
    const now = this.#clock.now()
    this.#rest(this.#updates.spend(1, now), now)
  }

  /** Milliseconds that validating and applying took. */
  work(ms: number): void {
    const now = this.#clock.now()
    this.#rest(this.#work.spend(ms, now), now)
  }

  hold(why: Hold): void {
    if (this.#holds.size === 0) this.#socket.pause()
    this.#holds.add(why)
  }

  release(why: Hold): void {
    if (this.#holds.delete(why) && this.#holds.size === 0) this.#socket.resume()
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#holds.clear()
  }

  #rest(ms: number, now: number): void {
    if (ms === 0) return
    this.#until = Math.max(this.#until, now + ms)
    if (this.#timer !== null) return
    this.#onSlowed()
    this.hold('pace')
    this.#timer = this.#clock.after(ms, () => this.#rested())
  }

  #rested(): void {
    this.#timer = null
    const ms = this.#until - this.#clock.now()
    if (ms > 0) this.#timer = this.#clock.after(ms, () => this.#rested())
    else this.release('pace')
  }
}
