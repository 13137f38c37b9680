// Updates whose cost cannot be predicted are first applied to a copy of the board in another thread. Meanwhile their
// sender is not read and its later edits wait; everybody else continues.
import { dryRun } from '../../documents/validate/crowds.ts'
import type { DryRunLimits } from '../../documents/validate/verdict.ts'
import type { DryRun, StoredBoard } from '../ports.ts'
import type { Edit, Editor } from './edit.ts'

export interface DryRunsOptions {
  /** Reads from the log everything that the room has applied so far, once it is committed. */
  load: () => Promise<StoredBoard>
  /** Without it, dry runs happen in this thread. */
  dryRun?: DryRun | undefined
  /** The limits of a dry run; undefined: the defaults. */
  trial?: DryRunLimits | undefined
  /** A dry run is over: gets its edit and those that waited behind it, in order. */
  onOver: (edits: readonly Edit[]) => void
}

export class DryRuns {
  readonly #options: DryRunsOptions
  readonly #waiting = new Map<Editor, Edit[]>()

  constructor(options: DryRunsOptions) {
    this.#options = options
  }

  /** @returns whether the edit must wait behind a dry run of the same sender. */
  holds(edit: Edit): boolean {
    const waiting = this.#waiting.get(edit.editor)
    waiting?.push(edit)
    return waiting !== undefined
  }

  /** @param structs how many structs it has; more structs may take longer. */
  start(edit: Edit, structs: number): void {
    const { editor } = edit
    this.#waiting.set(editor, [])
    editor.hold('trial')
    // Neither throws: a failed dry run is a result, and the window handles its own errors in `onOver`.
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
