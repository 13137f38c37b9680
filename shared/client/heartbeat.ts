// Detects within two seconds whether the server is reachable: a browser reports a lost network only after sent data
// has been unacknowledged for half a minute. Without DOM.
import type { Clock } from './clock.ts'

/** The connection that the heartbeat probes and watches. */
export interface Line {
  /** Sends a heartbeat. @throws if nothing can be sent */
  ask(): void
  /** Whether anything can be sent at all. */
  isOpen(): boolean
  /** Silent, or responding again. */
  changed(): void
  /** Silent for so long that reconnecting is better. */
  lost(): void
}

const askEveryMs = 700
const patienceMs = 1000
const mostPatienceMs = 5000
const lostMs = 20_000
/** A timer that fires this late was delayed by the page itself: received messages are not processed yet. */
const lateMs = 300
/** Anything sent occupies a slow line for as long as it takes there, and an answer waits behind it. */
const bytesPerMs = 25

/** One per page; connections come and go. Call `stop()` when the page closes. */
export class Heartbeat {
  readonly #clock: Clock
  readonly #line: Line
  #cancel: (() => void) | null = null
  #isSilent = false
  #isPaused = false
  #heardAt = 0
  /** When the heartbeat was sent that has not been answered yet. */
  #askedAt: number | null = null
  /** Round-trip time: the longest one, which decays slowly. */
  #usualMs = 0
  #bytesOut = 0

  constructor(clock: Clock, line: Line) {
    this.#clock = clock
    this.#line = line
  }

  get isSilent(): boolean {
    return this.#isSilent
  }

  /** A connection has been opened. */
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

  /** Nobody is looking: no heartbeats until somebody does. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
    if (isPaused || this.#cancel === null) return
    this.#askedAt = null
    this.#ask()
  }

  sent(bytes: number): void {
    this.#bytesOut += bytes
  }

  /** Something was received. @param isAnswer it answers the heartbeat: everything sent before that has arrived. */
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
      this.#say(true) // sending failed: there is no connection, whatever the socket says
    }
  }

  #say(isSilent: boolean): void {
    if (isSilent === this.#isSilent) return
    this.#isSilent = isSilent
    this.#line.changed()
  }
}
