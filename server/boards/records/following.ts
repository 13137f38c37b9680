// Keeps the texts on boards in step with their records. A trigger notes outdated boards in a table within the transaction
// of the change, so that neither a crash nor a temporarily unwritable board loses it: they are retried with the next
// change, every hour and at the next start.
import { elementsOf, writeElements } from '../../../shared/scene.ts'
import { refillElements } from '../../../shared/template-texts.ts'
import type { BoardsDeps } from '../deps.ts'
import type { Variables } from '../templates/variables.ts'
import { boardsWaiting, lockTexts, recordOfBoard, textsFollowed, versionWaiting } from './queries.ts'
import { shownVariables } from './shown.ts'

type Deps = Pick<BoardsDeps, 'db' | 'documents' | 'log' | 'closing'>

export class RecordTexts {
  readonly #deps: Deps
  /** Queued boards. */
  readonly #waiting = new Map<string, Promise<void>>()
  /** One board at a time, because each holds a connection while the edit takes another. */
  #last: Promise<void> = Promise.resolve()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Resolves when the texts match the current record, or could not be written and remain queued. */
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

  /** Those left from before. */
  async followAll(): Promise<void> {
    try {
      for (const boardId of await boardsWaiting(this.#deps.db)) await this.follow(boardId)
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'could not look for texts that are behind their records')
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
        if (record === undefined) return textsFollowed(trx, boardId, version) // it was removed, so there is nothing left to do
        const shown = shownVariables(record.variables as Variables, record.masked_fields) // validated when it was written
        const author = record.updated_by === null ? 'system' : `user:${record.updated_by}`
        await documents.edit(
          boardId,
          (doc) => writeElements(doc, refillElements(elementsOf(doc), shown)),
          author,
        )
        return textsFollowed(trx, boardId, version)
      })
    } catch (error) {
      log.warn(
        { boardId, err: error },
        'the texts on a board could not be updated from its record; trying again later',
      )
    }
  }
}
