// How long a commit waits for the next edits: nothing after a pause, and longer the more boards are drawn on, because
// a commit costs about a millisecond of CPU however small, and theirs can be one.

/** From the start of one commit to that of the next: the least, and the most, for when many boards are drawn on. */
export interface CommitSpacing {
  leastMs: number
  mostMs: number
}

/** What each board that was drawn on lately adds. */
const perBoardMs = 2.5
const latelyMs = 250

export class CommitPace {
  readonly #spacing: CommitSpacing
  #startedAt = Number.NEGATIVE_INFINITY
  /** Boards committed in the stretch of time that runs, and how many they were in the one before it. */
  #boards = new Set<string>()
  #boardsBefore = 0
  #stretchFrom = Number.NEGATIVE_INFINITY

  constructor(spacing: CommitSpacing) {
    this.#spacing = spacing
  }

  /** A commit starts, with edits of these boards. */
  started(appends: Iterable<{ boardId: string }>): void {
    this.#startedAt = performance.now()
    this.#turnOver(this.#startedAt)
    for (const { boardId } of appends) this.#boards.add(boardId)
  }

  /** Until the next commit may start; 0 or less: now. */
  restMs(): number {
    const now = performance.now()
    this.#turnOver(now)
    const { leastMs, mostMs } = this.#spacing
    const lately = Math.max(this.#boards.size, this.#boardsBefore)
    return this.#startedAt + Math.min(mostMs, Math.max(leastMs, lately * perBoardMs)) - now
  }

  #turnOver(now: number): void {
    const ageMs = now - this.#stretchFrom
    if (ageMs <= latelyMs) return
    this.#boardsBefore = ageMs > 2 * latelyMs ? 0 : this.#boards.size
    this.#boards = new Set()
    this.#stretchFrom = now
  }
}
