// Writes when boards last changed, while their edits are only in the log: all boards that change within half a second
// share one statement.
import type { Logger } from 'pino'
import type { Database } from '../../database/database.ts'
import { noteChanges } from '../versions/retention-queries.ts'

const batchMs = 500

export class LastChanged {
  readonly #database: Database
  readonly #log: Logger
  /** The time of the change of each board that is not written yet. */
  readonly #unwritten = new Map<string, number>()
  readonly #writing = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | null = null

  constructor({ database, log }: { database: Database; log: Logger }) {
    this.#database = database
    this.#log = log
  }

  /** The board changed just now. */
  note(boardId: string): void {
    this.#unwritten.set(boardId, Date.now())
    this.#timer ??= setTimeout(() => this.#write(), batchMs).unref()
  }

  /** Writes what is not written yet, and resolves once everything is. */
  async close(): Promise<void> {
    this.#write()
    await Promise.all(this.#writing)
  }

  #write(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#unwritten.size === 0) return
    const changes = Array.from(this.#unwritten, ([boardId, changedAt]) => ({ boardId, changedAt }))
    this.#unwritten.clear()
    const { pool, schema } = this.#database
    const written = noteChanges(pool, schema, changes).then(
      () => {},
      (error: unknown) =>
        this.#log.warn({ err: error, boards: changes.length }, 'could not write when boards last changed'),
    )
    this.#writing.add(written)
    written.finally(() => this.#writing.delete(written))
  }
}
