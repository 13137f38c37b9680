// Keeps the chain: rows are sealed in about a second by whichever process holds the lock for it, the head goes where
// the database's owner cannot reach it, and the months ahead get their partitions.
import { appendFile, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import type { Database } from '../database/database.ts'
import type { WaitingWork } from '../database/waiting-work.ts'
import { chainHead, makePartitions, sealAudit } from './queries.ts'

export interface AuditChainOptions {
  database: Database
  log: Logger
  /** Heads are appended here, one JSON object a line: `{"seq":1,"hash":"<hex>","at":"<ISO>"}`. null: to the log alone. */
  headsFile: string | null
  /** Says when rows wait; without it, they are looked for every `sealEveryMs`. */
  waiting?: WaitingWork
  sealEveryMs?: number
  headEveryMs?: number
}

const sealAtOnce = 1000
const dayMs = 24 * 60 * 60 * 1000

/** Three timers and what they do; none of it ever throws. A database that is away is waited for. */
export class AuditChain {
  readonly #options: AuditChainOptions
  readonly #timers: NodeJS.Timeout[] = []
  #sealing: Promise<void> | null = null
  #lastHead = 0
  #failing = false

  constructor(options: AuditChainOptions) {
    this.#options = options
  }

  /** Makes partitions and seals what waits, then repeats until {@link close}. */
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

  /** Seals what waits, and writes the last head. Does not close the database. */
  async close(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    await this.seal()
    await this.writeHead()
  }

  /** Resolves when everything that waited is in the chain, or somebody else is at it, or the database is away. */
  seal(): Promise<void> {
    this.#sealing ??= this.#sealAll().finally(() => {
      this.#sealing = null
    })
    return this.#sealing
  }

  /** Writes the newest entry to the log and the file, unless it was written already. */
  async writeHead(): Promise<void> {
    const { database, log, headsFile } = this.#options
    await this.#attempt('audit head not written', async () => {
      const head = await chainHead(database)
      if (head === null || head.seq === this.#lastHead) return
      log.info(head, 'audit chain head')
      if (headsFile !== null) {
        // With an outside database nothing else makes the data folder.
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
    await this.#attempt('audit partitions not made', async () => {
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

  /** An outage is one line, not one each half second. */
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
