// Two clients' questions for the whole: ours, after an update that could not be placed, and theirs. Both have a pace,
// and both are answered in the end: what was put off comes once, later.

import type { Clock, Timer } from '../clock.ts'
import { Budget } from './budget.ts'

const resyncEveryMs = 500
const mostResyncs = 20
const withinMs = 60_000
const answersPerSecond = 0.5
const answersBurst = 5

/** Sends sync step 1 to one client, at most every 500 ms. */
export class Resync {
  readonly #clock: Clock
  readonly #ask: () => void
  #askedAt = Number.NEGATIVE_INFINITY
  #timer: Timer | null = null
  /** Moments of the last minute at which an update was dropped; emptied by one that is accepted. */
  #droppedAt: number[] = []

  constructor(options: { clock: Clock; ask: () => void }) {
    this.#clock = options.clock
    this.#ask = options.ask
  }

  /** An update was dropped. @returns false where this client never gets anywhere. */
  dropped(): boolean {
    const now = this.#clock.now()
    this.#droppedAt = this.#droppedAt.filter((at) => at > now - withinMs)
    if (this.#timer === null) {
      this.#droppedAt.push(now)
      const inMs = Math.max(0, this.#askedAt + resyncEveryMs - now)
      if (inMs === 0) this.#askNow()
      else this.#timer = this.#clock.after(inMs, () => this.#askNow())
    }
    return this.#droppedAt.length < mostResyncs
  }

  accepted(): void {
    this.#droppedAt = []
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #askNow(): void {
    this.#timer = null
    this.#askedAt = this.#clock.now()
    this.#ask()
  }
}

/** Answers one client's sync step 1: one in 2 s, five at once, and not while its socket holds an answer already. */
export class Answers {
  readonly #clock: Clock
  readonly #budget: Budget
  readonly #answer: (stateVector: Uint8Array) => void
  readonly #isFull: () => boolean
  readonly #onDelayed: () => void
  #timer: Timer | null = null
  /** The newest question that waits. */
  #question: Uint8Array | null = null

  constructor(options: {
    clock: Clock
    answer: (stateVector: Uint8Array) => void
    isFull: () => boolean
    onDelayed: () => void
  }) {
    this.#onDelayed = options.onDelayed
    this.#clock = options.clock
    this.#answer = options.answer
    this.#isFull = options.isFull
    this.#budget = new Budget({ perSecond: answersPerSecond, burst: answersBurst, now: options.clock.now() })
  }

  /** @param stateVector of the client; copied where it must wait. */
  asked(stateVector: Uint8Array): void {
    if (this.#question !== null) {
      this.#onDelayed()
      this.#question = stateVector.slice()
      return
    }
    const waitMs = this.#budget.spend(1, this.#clock.now())
    if (waitMs === 0 && !this.#isFull()) {
      this.#answer(stateVector)
      return
    }
    this.#onDelayed()
    this.#question = stateVector.slice()
    if (waitMs > 0) this.#timer = this.#clock.after(waitMs, () => this.#later())
  }

  /** The socket has taken everything. */
  drained(): void {
    if (this.#timer === null) this.#later()
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#question = null
  }

  #later(): void {
    this.#timer = null
    const question = this.#question
    if (question === null || this.#isFull()) return
    this.#question = null
    this.#answer(question)
  }
}
