// Tells one connection up to which of its edits everything is saved. Its [0,1] and [0,2] frames are counted in the order
// received. A count is reported once every frame up to it is committed, had no effect, or was reported as refused. A
// frame that was dropped for a full sync delays the count until the client's full answer is committed.
import type { Notice } from '../../../shared/protocol.ts'

const mostMarks = 64

export interface Listener {
  saved(count: number): void
  refused(notice: Notice): void
}

interface Mark {
  count: number
  /** Reported once the room's appends are committed up to here; null: waits for a full answer. */
  after: number | null
  notice: { code: string; message: string } | null
}

export class Saved {
  readonly #listener: Listener
  #received = 0
  #told = 0
  #marks: Mark[] = []

  constructor(listener: Listener) {
    this.#listener = listener
  }

  get isWaiting(): boolean {
    return this.#marks.length > 0
  }

  /** A frame arrived. @returns its count. */
  receive(): number {
    return ++this.#received
  }

  /** The frame's effect, if any, is committed with append number `after`. */
  effective(count: number, after: number): void {
    this.#mark({ count, after, notice: null })
  }

  /** The frame was refused. Earlier ones may still wait. */
  refused(count: number, after: number, notice: { code: string; message: string }): void {
    this.#mark({ count, after, notice })
  }

  /** The frame was dropped; the answer to the sync step 1 that follows will contain its edits. */
  dropped(count: number): void {
    this.#mark({ count, after: null, notice: null })
  }

  /** A full answer was accepted, and is committed with append number `after`. */
  answered(after: number): void {
    for (const mark of this.#marks) mark.after ??= after
  }

  /** Everything up to append number `committed` is committed. */
  progress(committed: number): void {
    let passed = 0
    let count = this.#told
    for (const mark of this.#marks) {
      if (mark.after === null || mark.after > committed) break
      passed++
      count = mark.count
      const next = this.#marks[passed]
      const isRepeated =
        next?.notice?.code === mark.notice?.code && next?.after != null && next.after <= committed
      if (mark.notice !== null && !isRepeated)
        this.#listener.refused({ ...mark.notice, refused_through: mark.count })
    }
    if (passed === 0) return
    this.#marks.splice(0, passed)
    this.#told = count
    this.#listener.saved(count)
  }

  #mark(mark: Mark): void {
    const last = this.#marks.at(-1)
    const isSame = last !== undefined && last.notice?.code === mark.notice?.code
    // Keeps the list short even if commits take long or an answer never comes; the joined count waits for the later one.
    const mayJoin =
      isSame && (last.after === mark.after || (this.#marks.length >= mostMarks && mark.after !== null))
    if (!mayJoin) {
      this.#marks.push(mark)
      return
    }
    last.count = mark.count
    if (last.after !== null) last.after = mark.after
  }
}
