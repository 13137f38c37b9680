// Which of a room's appends are committed, in the order in which they were made: «saved» may cover a frame only when
// everything that its effect rests on is safe, also what somebody else wrote a moment before it.

export class Commits {
  #issued = 0
  #committed = 0
  /** Committed before an earlier one was. */
  readonly #early = new Set<number>()
  readonly #onProgress: (committed: number) => void
  #waiting: { number: number; resolve: () => void; reject: (error: unknown) => void }[] = []

  /** @param onProgress called with the number up to which everything is committed now. */
  constructor(onProgress: (committed: number) => void) {
    this.#onProgress = onProgress
  }

  /** Number of the newest append; 0 before the first. */
  get issued(): number {
    return this.#issued
  }

  get committed(): number {
    return this.#committed
  }

  /** Follows one append. @returns settles like `append`, its progress told. */
  async follow(append: Promise<void>): Promise<void> {
    const number = ++this.#issued
    await append
    this.#early.add(number)
    const before = this.#committed
    while (this.#early.delete(this.#committed + 1)) this.#committed++
    if (this.#committed === before) return
    const ready = this.#waiting.filter((wait) => wait.number <= this.#committed)
    this.#waiting = this.#waiting.filter((wait) => wait.number > this.#committed)
    for (const wait of ready) wait.resolve()
    this.#onProgress(this.#committed)
  }

  /** Resolves once everything issued so far is committed. @throws what `fail` was given. */
  settled(): Promise<void> {
    const number = this.#issued
    if (number <= this.#committed) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ number, resolve, reject }))
  }

  /** One append will never be committed: whoever waits is told. */
  fail(error: unknown): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wait of waiting) wait.reject(error)
  }
}
