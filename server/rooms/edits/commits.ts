// Which of a room's appends are committed, in the order in which they were made: "saved" may cover a frame only when
// everything that its effect rests on is safe, also what somebody else wrote a moment before it.

interface Wait {
  number: number
  resolve: () => void
  reject: (error: unknown) => void
}

export class Commits {
  #issued = 0
  #committed = 0
  #told = 0
  /** Committed before an earlier one was. */
  readonly #early = new Set<number>()
  readonly #underWay = new Set<Promise<void>>()
  readonly #onProgress: (committed: number) => void
  #waiting: Wait[] = []
  #failure: { error: unknown } | null = null

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

  /** Follows one append. @param onFailure it will never be committed, and nothing after it is called saved. */
  follow(append: Promise<void>, onFailure: (error: unknown) => void): void {
    const number = ++this.#issued
    const failed = (error: unknown) => {
      this.#failure ??= { error }
      for (const wait of this.#waiting.splice(0)) wait.reject(error)
      onFailure(error)
    }
    const followed: Promise<void> = append
      .then(() => this.#succeeded(number))
      // A turn later: the appends of one transaction are committed in the same moment, and told of once.
      .then(() => this.#tell())
      // What `onProgress` throws is no lost append, but nobody can be told about commits any more.
      .catch(failed)
      // Caught by nobody, it would end the process; `onFailure` has had its turn.
      .catch(() => undefined)
      .then(() => void this.#underWay.delete(followed))
    this.#underWay.add(followed)
  }

  /** Resolves once everything issued so far is committed. @throws what the failed append threw. */
  settled(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure.error)
    const number = this.#issued
    if (number <= this.#committed) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ number, resolve, reject }))
  }

  /** Resolves once nothing is under way any more, whatever came of it. */
  async finished(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  #succeeded(number: number): void {
    this.#early.add(number)
    const before = this.#committed
    while (this.#early.delete(this.#committed + 1)) this.#committed++
    if (this.#committed === before || this.#waiting.length === 0) return
    const ready = this.#waiting.filter((wait) => wait.number <= this.#committed)
    this.#waiting = this.#waiting.filter((wait) => wait.number > this.#committed)
    for (const wait of ready) wait.resolve()
  }

  #tell(): void {
    if (this.#told === this.#committed) return
    this.#told = this.#committed
    this.#onProgress(this.#committed)
  }
}
