// A delay that can be ended early. One at a time.

export class Pause {
  #timer: NodeJS.Timeout | null = null
  #over: (() => void) | null = null
  #endsAt = Number.POSITIVE_INFINITY

  /** In the time of `performance.now()`; infinite while nothing waits. */
  get endsAt(): number {
    return this.#endsAt
  }

  get isOn(): boolean {
    return this.#over !== null
  }

  for(milliseconds: number): Promise<void> {
    this.#endsAt = performance.now() + milliseconds
    return new Promise((resolve) => {
      this.#over = resolve
      this.#timer = setTimeout(() => this.end(), milliseconds)
    })
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    const over = this.#over
    this.#timer = null
    this.#over = null
    this.#endsAt = Number.POSITIVE_INFINITY
    over?.()
  }
}
