// Updates whose cost only Yjs can tell are tried on a copy of the board first, in another thread. Meanwhile their
// sender is not read, and its later edits wait; everybody else continues.

import { dryRun } from '../../documents/validate/crowds.ts'
import type { DryRunLimits } from '../../documents/validate/verdict.ts'
import type { DryRun, StoredBoard } from '../ports.ts'
import type { Edit, Editor } from './edit.ts'

export interface DryRunsOptions {
  /** What the room has applied so far, as stored: resolves once all of it is committed. */
  load: () => Promise<StoredBoard>
  /** Without it, updates are tried in this thread. */
  dryRun?: DryRun | undefined
  /** How long one is tried; undefined: as long as usual. */
  trial?: DryRunLimits | undefined
  /** The edits continue, in their order; the dry run of the first is over. */
  onOver: (edits: readonly Edit[]) => void
}

export class DryRuns {
  readonly #options: DryRunsOptions
  readonly #waiting = new Map<Editor, Edit[]>()

  constructor(options: DryRunsOptions) {
    this.#options = options
  }

  /** @returns whether the edit waits behind one that is tried. */
  holds(edit: Edit): boolean {
    const waiting = this.#waiting.get(edit.editor)
    waiting?.push(edit)
    return waiting !== undefined
  }

  /** @param structs how many it brings: what it may take grows with them. */
  start(edit: Edit, structs: number): void {
    const { editor } = edit
    this.#waiting.set(editor, [])
    editor.hold('trial')
    // Neither rejects: a trial that fails is an outcome, and what `onOver` throws is the window's own failure.
    void this.#trial(edit, structs).then((trial) => {
      const behind = this.#waiting.get(editor)
      this.#waiting.delete(editor)
      if (behind === undefined || !editor.isOpen) return
      this.#options.onOver([{ ...edit, trial }, ...behind])
      editor.release('trial')
    })
  }

  left(editor: Editor): void {
    this.#waiting.delete(editor)
  }

  async #trial(edit: Edit, structs: number): Promise<Edit['trial']> {
    const { load, trial, dryRun: run = async (question) => dryRun(question) } = this.#options
    try {
      const { snapshot, updates } = await load()
      const { isTooCrowded, ms } = await run({ snapshot, updates, update: edit.update, structs, trial })
      edit.editor.worked(ms)
      return isTooCrowded ? 'failed' : 'passed'
    } catch (error) {
      edit.editor.log.warn({ err: error, bytes: edit.update.length }, 'an update could not be tried')
      return 'impossible'
    }
  }
}
