// Texts on a board follow its record. Which have to stands in a table that a trigger fills in the transaction of the
// change, so that neither a crash nor a board that cannot be written just now loses it: they are tried again with the
// next change, every hour and at the next start.
import { elementsOf, writeElements } from '../../../shared/scene.ts'
import { refillElements } from '../../../shared/template-texts.ts'
import type { BoardsDeps } from '../deps.ts'
import type { Variables } from '../templates/variables.ts'
import { boardsWaiting, lockTexts, recordOfBoard, textsFollowed, versionWaiting } from './queries.ts'
import { shownVariables } from './shown.ts'

type Deps = Pick<BoardsDeps, 'db' | 'documents' | 'log' | 'closing'>

export class RecordTexts {
  readonly #deps: Deps
  /** Boards that are asked for and not begun. */
  readonly #waiting = new Map<string, Promise<void>>()
  /** One board at a time: each holds a connection while the edit takes another. */
  #last: Promise<void> = Promise.resolve()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Resolves when the texts are those of the record as it is now, or could not be written: then they go on waiting. */
  follow(boardId: string): Promise<void> {
    const waiting = this.#waiting.get(boardId)
    if (waiting !== undefined) return waiting
    const done = this.#last.then(() => {
      this.#waiting.delete(boardId)
      return this.#follow(boardId)
    })
    this.#waiting.set(boardId, done)
    this.#last = done
    return done
  }

  /** Those that wait from before. */
  async followAll(): Promise<void> {
    try {
      for (const boardId of await boardsWaiting(this.#deps.db)) await this.follow(boardId)
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'texts that wait for their records were not looked for')
    }
  }

  async #follow(boardId: string): Promise<void> {
    const { db, documents, log, closing } = this.#deps
    if (closing.aborted) return
    try {
      await db.transaction().execute(async (trx) => {
        await lockTexts(trx, boardId) // another node would write an older record after a newer one
        const version = await versionWaiting(trx, boardId)
        if (version === undefined) return
        const record = await recordOfBoard(trx, boardId)
        if (record === undefined) return textsFollowed(trx, boardId, version) // it was removed: nothing is left to follow
        const shown = shownVariables(record.variables as Variables, record.masked_fields) // checked when it was written
        const author = record.updated_by === null ? 'system' : `user:${record.updated_by}`
        await documents.edit(
          boardId,
          (doc) => writeElements(doc, refillElements(elementsOf(doc), shown)),
          author,
        )
        return textsFollowed(trx, boardId, version)
      })
    } catch (error) {
      log.warn({ boardId, err: error }, 'texts on a board could not follow its record; they are tried again')
    }
  }
}
