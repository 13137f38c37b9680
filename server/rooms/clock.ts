// The clock of rooms, passed in so that tests can control the time.

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Milliseconds since 1970. */
  wall(): number
  /** Runs once after `ms`, unless cancelled by the caller. */
  after(ms: number, run: () => void): Timer
}

const longestTimerMs = 2 ** 31 - 1

class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout

  constructor(handle: NodeJS.Timeout) {
    this.#handle = handle
  }

  cancel(): void {
    clearTimeout(this.#handle)
  }
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, run) => new SystemTimer(setTimeout(run, Math.min(ms, longestTimerMs))),
}

/** A clock whose timers pass errors to `onThrow`, because a timer has no caller that could catch them. */
export class GuardedClock implements Clock {
  readonly #clock: Clock
  readonly #onThrow: (error: unknown) => void

  constructor(clock: Clock, onThrow: (error: unknown) => void) {
    this.#clock = clock
    this.#onThrow = onThrow
  }

  now(): number {
    return this.#clock.now()
  }

  wall(): number {
    return this.#clock.wall()
  }

  after(ms: number, run: () => void): Timer {
    return this.#clock.after(ms, () => {
      try {
        run()
      } catch (error) {
        this.#onThrow(error)
      }
    })
  }
}
