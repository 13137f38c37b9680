// Whole states of large boards on their way to those who join, of all rooms of the process: a few at once, the rest in
// their turn. A hundred that are written in one turn of the loop are felt on every other board; one after the other they
// are there as soon, and the first of them sooner. Whoever reads slowly holds up nobody.
import type { Clock, Timer } from './clock.ts'

/** Below this, writing takes no longer than asking whose turn it is. */
const largeBytes = 256 * 1024
const mostUnderWayBytes = 8 * 1024 * 1024
const mostBytesOfATurn = 2 * 1024 * 1024
const turnMs = 1
/** A receiver that has not taken its answer by then is not waited for. */
const patienceMs = 50

/** One socket's way out. Never throws, and takes nothing once it is closed. */
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

  /** Gives an answer to its receiver: at once where it is small or nothing else is under way, else in its turn. */
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
      if (taken > 0 && taken + bytes > mostBytesOfATurn) break
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
