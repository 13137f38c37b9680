// When the whole machine stood still: a promise in seconds is not broken by a test machine that is busy with other
// work.
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'

/** A query that takes milliseconds took longer than this: our event loop, or the database, stood still. */
const noticeableMs = 100

export class Standstills {
  readonly #pool: pg.Pool
  readonly #ended: { from: number; to: number }[] = []
  #asked = Date.now()
  #isOver = false
  readonly #asking: Promise<void>

  constructor(pool: pg.Pool) {
    this.#pool = pool
    this.#asking = this.#ask()
  }

  /** For the time between two moments, in ms since the epoch: how long nothing happened. */
  between(from: number, to: number): number {
    return [...this.#ended, { from: this.#asked, to: Date.now() }]
      .filter((still) => still.to - still.from > noticeableMs)
      .reduce((sum, still) => sum + Math.max(0, Math.min(to, still.to) - Math.max(from, still.from)), 0)
  }

  close(): Promise<void> {
    this.#isOver = true
    return this.#asking
  }

  async #ask(): Promise<void> {
    while (!this.#isOver) {
      this.#asked = Date.now()
      await Promise.all([delay(10), this.#pool.query('select 1')])
      const now = Date.now()
      if (now - this.#asked > noticeableMs) this.#ended.push({ from: this.#asked, to: now })
    }
  }
}
