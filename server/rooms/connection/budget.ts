// How much a connection may ask for: a bucket that fills with time. Overdrawing is allowed, because what has come in
// is handled; how long it lasts until the bucket is level again says how long to pause.

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

  /** Takes `amount` at `now`. @returns milliseconds until nothing is overdrawn; 0 when nothing is. */
  spend(amount: number, now: number): number {
    this.#left = Math.min(this.#burst, this.#left + (now - this.#countedAt) * this.#perMs) - amount
    this.#countedAt = now
    return this.#left >= 0 ? 0 : -this.#left / this.#perMs
  }
}
