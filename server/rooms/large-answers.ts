// Limits how many full states of large boards are sent to joining connections at once, in all rooms of the process. A
// hundred of them written in one turn of the event loop would delay every other board; one after the other, the last
// arrives no later and the first sooner. A slow receiver does not delay others.
import type { Clock, Timer } from './clock.ts'

/** Smaller answers are not worth queueing. */
const largeBytes = 256 * 1024
const mostUnderWayBytes = 8 * 1024 * 1024
const mostBytesPerTurn = 2 * 1024 * 1024
const turnMs = 1
/** How long to wait for a receiver to take its answer. */
const patienceMs = 50

/** The outbox of a socket. Never throws, and ignores everything once it is closed. */
export interface Receiver {
  readonly unsentBytes: number
  answer(pieces: readonly Buffer[]): void
}

interface Answer {
  receiver: Receiver
  pieces: readonly Buffer[]
  bytes: number
}

export class LargeAnswers {
  readonly #clock: Clock
  #waiting: Answer[] = []
  readonly #underWay = new Map<Receiver, { bytes: number; since: number }>()
  #timer: Timer | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Passes an answer to its receiver: immediately if it is small or nothing else is under way, otherwise in its turn. */
  give(receiver: Receiver, pieces: readonly Buffer[]): void {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (bytes < largeBytes) {
      receiver.answer(pieces)
      return
    }
    this.#waiting.push({ receiver, pieces, bytes })
    if (this.#timer === null) this.#turn()
  }

  #turn(): void {
    this.#timer = null
    const now = this.#clock.now()
    let underWayBytes = 0
    for (const [receiver, { bytes, since }] of this.#underWay) {
      if (receiver.unsentBytes === 0 || now - since >= patienceMs) this.#underWay.delete(receiver)
      else underWayBytes += bytes
    }
    let given = 0
    let taken = 0
    for (const { receiver, pieces, bytes } of this.#waiting) {
      if (underWayBytes > 0 && underWayBytes + bytes > mostUnderWayBytes) break
      if (taken > 0 && taken + bytes > mostBytesPerTurn) break
      receiver.answer(pieces)
      this.#underWay.set(receiver, { bytes, since: now })
      underWayBytes += bytes
      taken += bytes
      given++
    }
    this.#waiting.splice(0, given)
    if (this.#waiting.length > 0) this.#timer = this.#clock.after(turnMs, () => this.#turn())
  }
}
