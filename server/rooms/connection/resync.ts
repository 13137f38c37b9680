// Limits how often full states are exchanged with one client: how often it is asked for its state, after an update that
// could not be applied, and how often it gets ours. Nothing is refused: delayed requests are merged and handled later.
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
  /** When updates were dropped in the last minute; cleared when one is accepted. */
  #droppedAt: number[] = []

  constructor(options: { clock: Clock; ask: () => void }) {
    this.#clock = options.clock
    this.#ask = options.ask
  }

  /** An update was dropped. @returns false if that happens again and again. */
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

/** Answers one client's sync step 1: once per 2 s, with bursts of five, and not while an answer is still unsent. */
export class Answers {
  readonly #clock: Clock
  readonly #budget: Budget
  readonly #answer: (stateVector: Uint8Array) => void
  readonly #isFull: () => boolean
  readonly #onDelayed: () => void
  #timer: Timer | null = null
  /** The newest state vector that waits for an answer. */
  #stateVector: Uint8Array | null = null

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

  /** @param stateVector of the client; copied if it must wait. */
  asked(stateVector: Uint8Array): void {
    if (this.#stateVector !== null) {
      this.#onDelayed()
      this.#stateVector = stateVector.slice()
      return
    }
    const waitMs = this.#budget.spend(1, this.#clock.now())
    if (waitMs === 0 && !this.#isFull()) {
      this.#answer(stateVector)
      return
    }
    this.#onDelayed()
    this.#stateVector = stateVector.slice()
    if (waitMs > 0) this.#timer = this.#clock.after(waitMs, () => this.#later())
  }

  /** The socket has taken everything. */
  drained(): void {
    if (this.#timer === null) this.#later()
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#stateVector = null
  }

  #later(): void {
    this.#timer = null
    const stateVector = this.#stateVector
    if (stateVector === null || this.#isFull()) return
    this.#stateVector = null
    this.#answer(stateVector)
  }
}
