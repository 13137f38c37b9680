// When the next commit starts. A commit costs about a millisecond of CPU however small it is, and nobody sees in the
// middle of a drag whether "saved" comes after 5 or after 250 ms: edits of continuous work share a commit. One after a
// pause is committed at once, and so is each edit of somebody who makes the next only once the last is saved.

export interface CommitSpacing {
  /** From the start of one commit to that of the next, at least. */
  leastMs: number
  /** The maximum when many boards share a commit, because it delays single edits. */
  mostApartMs: number
  /** An edit of continuous work waits so long at most. */
  mostMs: number
  /** Without an edit for so long, a board's work is not continuous (any more), and nothing waits for the next. */
  pauseMs: number
}

/** What each board that was drawn on lately adds to the least: theirs can be one commit. */
const perBoardMs = 2.5
const latelyMs = 250
/** An edit so soon after the last was saved is one that waited for it. */
const reactionMs = 15
/** After so many the next is held again, to see whether the work continues: a fast drag looks the same. */
const mostReactions = 150

/** A board that was drawn on lately. Times are those of `performance.now()`. */
interface Work {
  editedAt: number
  savedAt: number
  /** Edits of it that wait for a commit; when the first came, and when they are to be committed. */
  waiting: number
  waitingSince: number
  dueAt: number
  isUnderWay: boolean
  /** Its last edit was held back for the next, and none came until it was saved: somebody waits for that. */
  waitsForSaved: boolean
  /** Edits in a row that were committed at once for that. */
  reactions: number
}

export class CommitPace {
  readonly #spacing: CommitSpacing
  readonly #now: () => number
  readonly #work = new Map<string, Work>()
  #startedAt = Number.NEGATIVE_INFINITY
  #isHurried = false
  /** Boards committed in the stretch of time that runs, and how many they were in the one before it. */
  #boards = new Set<string>()
  #boardsBefore = 0
  #stretchFrom = Number.NEGATIVE_INFINITY

  /** @param now a clock that only goes forward, in ms. */
  constructor(spacing: CommitSpacing, now: () => number = () => performance.now()) {
    this.#spacing = spacing
    this.#now = now
  }

  /** An edit waits for a commit. @returns when that may start, for all that is known by now. */
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

  /** Somebody waits for what is there by now. */
  hurry(): void {
    this.#isHurried = true
  }

  /** A commit starts, with edits of these boards. */
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

  /** The commit is over, well or badly. */
  ended(appends: Iterable<{ boardId: string }>): void {
    const now = this.#now()
    for (const { boardId } of appends) {
      const work = this.#work.get(boardId)
      if (work === undefined) continue
      work.isUnderWay = false
      work.savedAt = now
    }
  }

  /** Until the next commit may start; 0 or less: now. */
  restMs(): number {
    const now = this.#now()
    this.#turnOver(now)
    if (this.#isHurried) return this.#startedAt + this.#spacing.leastMs - now
    let dueAt = Number.POSITIVE_INFINITY
    for (const work of this.#work.values()) if (work.waiting > 0) dueAt = Math.min(dueAt, work.dueAt)
    // What is tried again, or was left over, belongs to no board here, and is due.
    if (dueAt === Number.POSITIVE_INFINITY) dueAt = now
    return Math.max(dueAt, this.#spacedAt()) - now
  }

  #spacedAt(): number {
    const { leastMs, mostApartMs } = this.#spacing
    const lately = Math.max(this.#boards.size, this.#boardsBefore)
    return this.#startedAt + Math.max(leastMs, Math.min(mostApartMs, lately * perBoardMs))
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
    const ageMs = now - this.#stretchFrom
    if (ageMs <= latelyMs) return
    this.#boardsBefore = ageMs > 2 * latelyMs ? 0 : this.#boards.size
    this.#boards = new Set()
    this.#stretchFrom = now
    const forgottenBefore = now - Math.max(latelyMs, this.#spacing.pauseMs)
    for (const [boardId, work] of this.#work)
      if (work.waiting === 0 && !work.isUnderWay && work.editedAt < forgottenBefore)
        this.#work.delete(boardId)
  }
}
