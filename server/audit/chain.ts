// Maintains the hash chain: rows are sealed in about a second by the process that holds the lock, heads are written to a
// place that the database's owner cannot reach, and partitions for the coming months are created.
import { appendFile, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import type { Database } from '../database/database.ts'
import type { WaitingWork } from '../database/waiting-work.ts'
import { chainHead, makePartitions, sealAudit } from './queries.ts'

export interface AuditChainOptions {
  database: Database
  log: Logger
  /** Heads are appended to this file, one JSON object per line: `{"seq":1,"hash":"<hex>","at":"<ISO>"}`. null: only to the log. */
  headsFile: string | null
  /** Says when rows wait; without it, they are looked for every `sealEveryMs`. */
  waiting?: WaitingWork
  sealEveryMs?: number
  headEveryMs?: number
}

const sealAtOnce = 1000
const dayMs = 24 * 60 * 60 * 1000

/** Three timers and their work, none of which ever throws. While the database is unavailable, it waits. */
export class AuditChain {
  readonly #options: AuditChainOptions
  readonly #timers: NodeJS.Timeout[] = []
  #sealing: Promise<void> | null = null
  #lastHead = 0
  #failing = false

  constructor(options: AuditChainOptions) {
    this.#options = options
  }

  /** Creates partitions and seals pending rows, then repeats until {@link close}. */
  async start(): Promise<void> {
    await this.#partitions()
    await this.seal()
    const { sealEveryMs = 500, headEveryMs = 60_000, waiting } = this.#options
    if (waiting === undefined) this.#every(sealEveryMs, () => this.seal())
    else
      waiting.onLook(({ unsealed }) => {
        if (unsealed) void this.seal()
      })
    this.#every(headEveryMs, () => this.writeHead())
    this.#every(dayMs, () => this.#partitions())
  }

  /** Seals pending rows and writes the last head. Does not close the database. */
  async close(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    await this.seal()
    await this.writeHead()
  }

  /** Resolves when all pending rows are in the chain, another process is sealing, or the database is unavailable. */
  seal(): Promise<void> {
    this.#sealing ??= this.#sealAll().finally(() => {
      this.#sealing = null
    })
    return this.#sealing
  }

  /** Writes the newest entry to the log and the file, unless it has already been written. */
  async writeHead(): Promise<void> {
    const { database, log, headsFile } = this.#options
    await this.#attempt('audit head not written', async () => {
      const head = await chainHead(database)
      if (head === null || head.seq === this.#lastHead) return
      log.info(head, 'audit chain head')
      if (headsFile !== null) {
        // With an external database, nothing else creates the data folder.
        await mkdir(dirname(headsFile), { recursive: true, mode: 0o700 })
        await appendFile(headsFile, `${JSON.stringify({ ...head, at: new Date().toISOString() })}\n`, {
          mode: 0o600,
        })
      }
      this.#lastHead = head.seq
    })
  }

  async #sealAll(): Promise<void> {
    await this.#attempt('audit rows not sealed', async () => {
      while ((await sealAudit(this.#options.database, sealAtOnce)) === sealAtOnce);
    })
  }

  async #partitions(): Promise<void> {
    const { database, log } = this.#options
    await this.#attempt('audit partitions not created', async () => {
      const defaultRows = await makePartitions(database)
      if (defaultRows > 0) {
        log.error(
          { defaultRows },
          'audit rows are in the default partition; run repair_audit_partitions() as the owner',
        )
      }
    })
  }

  #every(ms: number, work: () => Promise<void>): void {
    const timer = setInterval(work, ms)
    timer.unref()
    this.#timers.push(timer)
  }

  /** An outage is logged once, not every half second. */
  async #attempt(failure: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#options.log.error({ err: error }, failure)
      this.#failing = true
    }
  }
}
