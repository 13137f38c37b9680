// Decides when the next commit starts. Even the smallest commit costs about a millisecond of CPU, and during a drag nobody
// notices whether "saved" comes after 5 or 250 ms. So edits of continuous work share a commit. An edit after a pause is
// committed immediately, and so are the edits of a client that waits for each to be saved before it makes the next.

export interface CommitSpacing {
  /** The least time from the start of one commit to the start of the next. */
  leastMs: number
  /** The maximum when many boards share a commit, because it delays single edits. */
  mostApartMs: number
  /** The longest that an edit of continuous work waits. */
  mostMs: number
  /** After this long without an edit, work on a board is no longer continuous, and its edits wait no longer. */
  pauseMs: number
}

/** Added to the time between commits per recently edited board, because these boards can share a commit. */
const perBoardMs = 2.5
const recentMs = 250
/** An edit this soon after the last one was saved has waited for it. */
const reactionMs = 15
/** After this many, one edit is held back again, because a fast drag looks the same. */
const mostReactions = 150

/** A recently edited board. Times are those of `performance.now()`. */
interface Work {
  editedAt: number
  savedAt: number
  /** Its edits that wait for a commit, when the first of them arrived, and when they are due. */
  waiting: number
  waitingSince: number
  dueAt: number
  isUnderWay: boolean
  /** Its last edit was held back, and no other arrived until it was saved: its client probably waits for that. */
  waitsForSaved: boolean
  /** How many edits in a row were committed immediately because of that. */
  reactions: number
}

export class CommitPace {
  readonly #spacing: CommitSpacing
  readonly #now: () => number
  readonly #work = new Map<string, Work>()
  #startedAt = Number.NEGATIVE_INFINITY
  #isHurried = false
  /** Boards committed in the current period, and how many there were in the previous one. */
  #boards = new Set<string>()
  #boardsBefore = 0
  #periodFrom = Number.NEGATIVE_INFINITY

  /** @param now a monotonic clock in ms. */
  constructor(spacing: CommitSpacing, now: () => number = () => performance.now()) {
    this.#spacing = spacing
    this.#now = now
  }

  /** An edit waits for a commit. @returns when that may start, as far as is known now. */
  appended(boardId: string): { mayStartAt: number } {
    const now = this.#now()
    const work = this.#workOn(boardId)
    const { mostMs, pauseMs } = this.#spacing
    if (work.waiting === 0) {
      const isReaction =
        work.waitsForSaved &&
        !work.isUnderWay &&
        work.reactions < mostReactions &&
        now - work.savedAt <= Math.min(reactionMs, pauseMs)
      work.reactions = isReaction ? work.reactions + 1 : 0
      const isAfterPause = now - work.editedAt >= pauseMs
      work.waitingSince = now
      work.dueAt = isReaction || isAfterPause ? now : now + Math.min(mostMs, pauseMs)
    } else if (work.dueAt > work.waitingSince) {
      work.dueAt = Math.min(work.waitingSince + mostMs, now + pauseMs)
    }
    if (work.waiting > 0 || work.isUnderWay) work.waitsForSaved = false
    work.waiting++
    work.editedAt = now
    return { mayStartAt: Math.max(work.dueAt, this.#spacedAt()) }
  }

  /** Somebody waits for the edits so far. */
  hurry(): void {
    this.#isHurried = true
  }

  /** A commit with edits of these boards starts. */
  started(appends: Iterable<{ boardId: string }>): void {
    const now = this.#now()
    this.#startedAt = now
    this.#isHurried = false
    this.#turnOver(now)
    for (const { boardId } of appends) {
      this.#boards.add(boardId)
      const work = this.#work.get(boardId)
      if (work === undefined || work.waiting === 0) continue
      if (work.waiting === 1 && work.dueAt > work.waitingSince && now >= work.dueAt) work.waitsForSaved = true
      work.waiting = 0
      work.isUnderWay = true
    }
  }

  /** The commit ended, successfully or not. */
  ended(appends: Iterable<{ boardId: string }>): void {
    const now = this.#now()
    for (const { boardId } of appends) {
      const work = this.#work.get(boardId)
      if (work === undefined) continue
      work.isUnderWay = false
      work.savedAt = now
    }
  }

  /** Milliseconds until the next commit may start; 0 or less: now. */
  restMs(): number {
    const now = this.#now()
    this.#turnOver(now)
    if (this.#isHurried) return this.#startedAt + this.#spacing.leastMs - now
    let dueAt = Number.POSITIVE_INFINITY
    for (const work of this.#work.values()) if (work.waiting > 0) dueAt = Math.min(dueAt, work.dueAt)
    // Edits that are retried or left over are not counted here, and are due.
    if (dueAt === Number.POSITIVE_INFINITY) dueAt = now
    return Math.max(dueAt, this.#spacedAt()) - now
  }

  #spacedAt(): number {
    const { leastMs, mostApartMs } = this.#spacing
    const boards = Math.max(this.#boards.size, this.#boardsBefore)
    return this.#startedAt + Math.max(leastMs, Math.min(mostApartMs, boards * perBoardMs))
  }

  #workOn(boardId: string): Work {
    const known = this.#work.get(boardId)
    if (known !== undefined) return known
    const never = Number.NEGATIVE_INFINITY
    const times = { editedAt: never, savedAt: never, waitingSince: never, dueAt: never }
    const work = { ...times, waiting: 0, isUnderWay: false, waitsForSaved: false, reactions: 0 }
    this.#work.set(boardId, work)
    return work
  }

  #turnOver(now: number): void {
    const ageMs = now - this.#periodFrom
    if (ageMs <= recentMs) return
    this.#boardsBefore = ageMs > 2 * recentMs ? 0 : this.#boards.size
    this.#boards = new Set()
    this.#periodFrom = now
    const forgottenBefore = now - Math.max(recentMs, this.#spacing.pauseMs)
    for (const [boardId, work] of this.#work)
      if (work.waiting === 0 && !work.isUnderWay && work.editedAt < forgottenBefore)
        this.#work.delete(boardId)
  }
}
