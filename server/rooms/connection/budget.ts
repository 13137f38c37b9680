// A token bucket. It may be overdrawn, because whatever has been received is handled; the time until it is balanced again
// is how long to pause.

export class Budget {
  readonly #perMs: number
  readonly #burst: number
  #left: number
  #countedAt: number

  constructor(options: { perSecond: number; burst: number; now: number }) {
    this.#perMs = options.perSecond / 1000
    this.#burst = options.burst
    this.#left = options.burst
    this.#countedAt = options.now
  }

  /** Takes `amount` at `now`. @returns milliseconds until the bucket is no longer overdrawn; 0 if it is not. */
  spend(amount: number, now: number): number {
    this.#left = Math.min(this.#burst, this.#left + (now - this.#countedAt) * this.#perMs) - amount
    this.#countedAt = now
    return this.#left >= 0 ? 0 : -this.#left / this.#perMs
  }
}
