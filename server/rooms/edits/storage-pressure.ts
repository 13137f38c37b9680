// Slows the writers of a room down while too many of their bytes are not saved, because those exist only in memory. If
// the database is unavailable at that point, the room ends.
import type { UpdateLog } from '../ports.ts'
import type { Editor } from './edit.ts'
import type { Judged } from './judge.ts'

/** Unsaved bytes of a room, and of all rooms, above which writers are not read until some of them are committed. */
const mostUnsavedBytes = 8 * 1024 * 1024
const mostUnsavedBytesOfAll = 128 * 1024 * 1024

export class StoragePressure {
  readonly #log: UpdateLog
  readonly #boardId: string
  readonly #onOverflow: () => void
  readonly #held = new Set<Editor>()

  /** @param options.onOverflow there are too many unsaved bytes, and the database is unavailable. */
  constructor(options: { log: UpdateLog; boardId: string; onOverflow: () => void }) {
    this.#log = options.log
    this.#boardId = options.boardId
    this.#onOverflow = options.onOverflow
  }

  /** Called after these edits were handed to the log. */
  added(outcomes: Judged['outcomes']): void {
    if (!this.#isOver(1)) return
    if (this.#log.failingSince !== null) {
      this.#onOverflow()
      return
    }
    for (const { edit, outcome } of outcomes) {
      if (outcome.name !== 'effective' || !edit.editor.isOpen) continue
      edit.editor.hold('storage')
      this.#held.add(edit.editor)
    }
  }

  /** Called after a commit. */
  eased(): void {
    if (this.#held.size === 0 || this.#isOver(0.5)) return
    for (const editor of this.#held) editor.release('storage')
    this.#held.clear()
  }

  left(editor: Editor): void {
    this.#held.delete(editor)
  }

  #isOver(share: number): boolean {
    const unsaved = this.#log.unsavedBytes(this.#boardId)
    return (
      unsaved > mostUnsavedBytes * share ||
      (unsaved > 0 && this.#log.totalUnsavedBytes > mostUnsavedBytesOfAll * share)
    )
  }
}
