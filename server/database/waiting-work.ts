// Polls the database for pending work: audit rows to seal, webhooks to send. One cheap query per second covers all of it
// and notifies the responsible parts, which do not query while there is nothing to do.
import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Db } from './database.ts'
import { prepared } from './prepared.ts'

export interface Waiting {
  /** There are audit rows that are not in the chain yet. */
  unsealed: boolean
  /** A webhook delivery is due. */
  deliveries: boolean
}

export class WaitingWork {
  readonly #db: Db
  readonly #log: Logger
  readonly #everyMs: number
  readonly #listeners: ((waiting: Waiting) => void)[] = []
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> = Promise.resolve()
  #isClosed = false
  /** Logged once. */
  #isFailing = false

  constructor({ db, log, everyMs = 1000 }: { db: Db; log: Logger; everyMs?: number | undefined }) {
    this.#db = db
    this.#log = log
    this.#everyMs = everyMs
  }

  /** `listener` is called with every result, and must not throw. */
  onLook(listener: (waiting: Waiting) => void): void {
    this.#listeners.push(listener)
  }

  start(): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().then(() => this.start())
    }, this.#everyMs)
    this.#timer.unref()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#looking
  }

  #tell(waiting: Waiting): void {
    if (this.#isClosed) return
    for (const listener of this.#listeners) listener(waiting)
  }

  async #look(): Promise<void> {
    try {
      this.#tell(await waitingWork(this.#db))
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) this.#log.warn({ err: error }, 'could not check the database for pending work')
      this.#isFailing = true
      // A role that may not run this query yet, before `migrate roles` is run after an update, may still do the work.
      this.#tell({ unsealed: true, deliveries: true })
    }
  }
}

const waitingWork = async (db: Db): Promise<Waiting> => {
  // In the order of its key, as the sealing reads it: that finds the first row also where thousands were just sealed.
  const { rows } = await sql<Waiting>`
    select ${prepared}
      exists (select from ${sql.table('audit_unsealed')} order by timestamp, id limit 1) as unsealed,
      exists (select from ${sql.table('webhooks')} w where w.disabled_at is null and exists (
        select from ${sql.table('webhook_deliveries')} d where d.webhook_id = w.id and d.state = 'pending'
          and d.next_attempt_at <= clock_timestamp())) as deliveries`.execute(db)
  return rows[0] ?? { unsealed: true, deliveries: true }
}
