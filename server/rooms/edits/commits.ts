// Up to which of a room's appends everything is committed. "Saved" may cover a frame only when everything that it depends
// on is committed, including what others wrote just before.

interface Wait {
  number: number
  resolve: () => void
  reject: (error: unknown) => void
}

export class Commits {
  #issued = 0
  #committed = 0
  #told = 0
  /** Appends that were committed before an earlier one. */
  readonly #early = new Set<number>()
  readonly #underWay = new Set<Promise<void>>()
  readonly #onProgress: (committed: number) => void
  #waiting: Wait[] = []
  #failure: { error: unknown } | null = null

  /** @param onProgress called with the number up to which everything is committed. */
  constructor(onProgress: (committed: number) => void) {
    this.#onProgress = onProgress
  }

  /** The number of the newest append; 0 before the first. */
  get issued(): number {
    return this.#issued
  }

  get committed(): number {
    return this.#committed
  }

  /** Follows one append. @param onFailure called if it will never be committed; nothing after it counts as saved. */
  follow(append: Promise<void>, onFailure: (error: unknown) => void): void {
    const number = ++this.#issued
    const failed = (error: unknown) => {
      this.#failure ??= { error }
      for (const wait of this.#waiting.splice(0)) wait.reject(error)
      onFailure(error)
    }
    const followed: Promise<void> = append
      .then(() => this.#succeeded(number))
      // One turn later, so that all appends of a transaction are reported at once.
      .then(() => this.#tell())
      // If `onProgress` throws, the append is not lost, but commits can no longer be reported.
      .catch(failed)
      // An error of `onFailure` itself must not end the process.
      .catch(() => undefined)
      .then(() => void this.#underWay.delete(followed))
    this.#underWay.add(followed)
  }

  /** Resolves once everything issued so far is committed. @throws the error of a failed append. */
  settled(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure.error)
    const number = this.#issued
    if (number <= this.#committed) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ number, resolve, reject }))
  }

  /** Resolves once no append is under way, whether committed or failed. */
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
