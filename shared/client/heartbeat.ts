// Whether the server is there, known within two seconds: a browser tells nobody that the network has gone until
// something it sent has been waiting for half a minute. Without DOM.
import type { Clock } from './clock.ts'

/** The connection as this asks and watches it. */
export interface Line {
  /** Asks for a sign of life. @throws where nothing can be sent */
  ask(): void
  /** Whether what is sent can go out at all. */
  isOpen(): boolean
  /** Silent, or heard again. */
  changed(): void
  /** Silent for so long that a new connection is worth more. */
  lost(): void
}

const askEveryMs = 700
const patienceMs = 1000
const mostPatienceMs = 5000
const lostMs = 20_000
/** A timer that is this late was kept waiting by the page itself: what has come in meanwhile is not read yet. */
const lateMs = 300
/** Whatever is sent takes the line for as long as it takes a slow one, and an answer waits behind it. */
const bytesPerMs = 25

/** Of one page; connections come and go. `stop()` when the page goes. */
export class Heartbeat {
  readonly #clock: Clock
  readonly #line: Line
  #cancel: (() => void) | null = null
  #isSilent = false
  #isPaused = false
  #heardAt = 0
  /** When the question was asked that has no answer yet. */
  #askedAt: number | null = null
  /** How long answers took: the longest, forgotten slowly. */
  #usualMs = 0
  #bytesOut = 0

  constructor(clock: Clock, line: Line) {
    this.#clock = clock
    this.#line = line
  }

  get isSilent(): boolean {
    return this.#isSilent
  }

  /** A connection is there. */
  start(): void {
    this.stop()
    this.#heardAt = this.#clock.now()
    this.#schedule()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#askedAt = null
    this.#bytesOut = 0
    this.#isSilent = false
  }

  /** Nobody looks: nothing is asked until somebody does. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
    if (isPaused || this.#cancel === null) return
    this.#askedAt = null
    this.#ask()
  }

  sent(bytes: number): void {
    this.#bytesOut += bytes
  }

  /** Anything came in. @param isAnswer to the question: then whatever was sent before it has arrived. */
  heard(isAnswer: boolean): void {
    const now = this.#clock.now()
    this.#heardAt = now
    if (isAnswer) {
      if (this.#askedAt !== null) this.#usualMs = Math.max(now - this.#askedAt, this.#usualMs * 0.9)
      this.#bytesOut = 0
    }
    this.#askedAt = null
    this.#say(false)
  }

  #schedule(): void {
    const due = this.#clock.now() + askEveryMs / 2
    this.#cancel = this.#clock.after(askEveryMs / 2, () => {
      this.#schedule()
      this.#look(this.#clock.now() - due > lateMs)
    })
  }

  #look(isLate: boolean): void {
    const now = this.#clock.now()
    if (!this.#line.isOpen()) {
      this.#say(true)
      return
    }
    if (this.#isPaused && this.#askedAt === null) return
    if (this.#askedAt === null) {
      if (now - this.#heardAt >= askEveryMs) this.#ask()
      return
    }
    if (isLate) {
      this.#askedAt = Math.max(this.#askedAt, now - patienceMs / 2)
      return
    }
    const waited = now - this.#askedAt
    const usual = Math.min(mostPatienceMs, Math.max(patienceMs, 3 * this.#usualMs))
    const patience = usual + this.#bytesOut / bytesPerMs
    if (waited >= patience) this.#say(true)
    if (waited >= patience + lostMs) {
      this.#askedAt = null
      this.#line.lost()
    }
  }

  #ask(): void {
    this.#askedAt = this.#clock.now()
    try {
      this.#line.ask()
    } catch {
      this.#say(true) // it cannot be sent: there is no connection, whatever the socket says
    }
  }

  #say(isSilent: boolean): void {
    if (isSilent === this.#isSilent) return
    this.#isSilent = isSilent
    this.#line.changed()
  }
}
