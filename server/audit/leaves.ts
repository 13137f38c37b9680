// A process that dies loses its connections without writing `leave` rows. Others notice, because it no longer holds its
// lock, and write the missing rows.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type pg from 'pg'
import type { Logger } from 'pino'
import { clientConfig, connectClient, endClient, requestTimeOuts } from '../database/connection.ts'
import type { Database } from '../database/database.ts'
import {
  endServer,
  insertMissingLeaves,
  insertServer,
  othersAlive,
  reviveServer,
  unendedServers,
} from './queries.ts'

const mostOwed = 10_000
const payEveryMs = 5000
/** A minute: longer than any statement may take. */
const looksForOwed = 12
/** A node may briefly lose its lock and take it again. */
const lostAfterMs = 10_000

/**
 * A process in the trail: `serverId` is in its `access` and `leave` rows, and an advisory lock on a dedicated connection
 * shows that it is alive. A lost connection is opened again.
 */
export class ServerPresence {
  readonly serverId = randomUUID()
  readonly #database: Database
  readonly #log: Logger
  #client: pg.Client | null = null
  #retry: NodeJS.Timeout | null = null
  /** Closed connections that may have an `access` row without a `leave`, and how often to check again. */
  readonly #owed = new Map<string, number>()
  #owedTimer: NodeJS.Timeout | null = null
  /** More rows are missing than are remembered here; the next start finds them. */
  #isShort = false
  #closed = false
  /** Retaking the lock and re-registering this server; a goodbye waits for it. */
  #again: Promise<void> = Promise.resolve()
  /** Servers whose lock is free and that are not heard, with the time since when. */
  readonly #lost = new Map<string, number>()

  constructor(database: Database, log: Logger) {
    this.#database = database
    this.#log = log
  }

  /**
   * Takes the lock, registers, and writes the `leave` rows (reason: server lost) of dead processes.
   * @returns how many were written.
   */
  async start({ oneOfSeveral = false }: { oneOfSeveral?: boolean } = {}): Promise<number> {
    await this.#hold()
    await insertServer(this.#database, {
      id: this.serverId,
      host: hostname().slice(0, 255),
      pid: process.pid,
    })
    // One of several nodes that is only briefly unreachable must not be declared lost: see `silentNodes`.
    return oneOfSeveral ? 0 : this.mendLeaves()
  }

  /**
   * Other servers that are not heard but alive according to the database. For those that have been lost for a while,
   * `leave` rows are written.
   */
  async silentNodes(heard: ReadonlySet<string>): Promise<string[]> {
    const others = await othersAlive(this.#database, this.serverId, this.#lockOf(''))
    const silent: string[] = []
    const lost = new Set<string>()
    for (const { id, is_alive: isAlive } of others) {
      if (heard.has(id)) continue
      silent.push(id)
      if (!isAlive) lost.add(id)
    }
    for (const id of this.#lost.keys()) if (!lost.has(id)) this.#lost.delete(id)
    for (const id of lost) {
      const since = this.#lost.get(id) ?? performance.now()
      this.#lost.set(id, since)
      if (performance.now() - since >= lostAfterMs) await this.#mend(id)
    }
    return silent
  }

  /** Writes the rows that dead processes did not write. Safe at any time, also in two processes at once. */
  async mendLeaves(): Promise<number> {
    let written = 0
    for (const { id } of await unendedServers(this.#database, this.serverId)) written += await this.#mend(id)
    return written
  }

  /**
   * A connection is closed, and its `leave` could not be written, or its `access` may have been written unknown to us.
   * Missing rows are written as soon as the database answers, at the latest by the next start.
   */
  oweLeave(connectionId: string): void {
    if (this.#owed.size >= mostOwed) this.#isShort = true
    else this.#owed.set(connectionId, looksForOwed)
    this.#payLater()
  }

  /** Deregisters the server; call it after the last `leave` row is committed. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    if (this.#owedTimer !== null) clearTimeout(this.#owedTimer)
    await this.#again
    const isComplete = (await this.#pay()) && !this.#isShort
    // The next start handles servers that have not deregistered.
    if (isComplete) await this.#sayGoodbye()
    if (this.#client !== null) await endClient(this.#client)
  }

  async #sayGoodbye(): Promise<void> {
    await endServer(this.#database, this.serverId).catch((error: unknown) => {
      this.#log.warn({ err: error }, 'goodbye not recorded; the next start looks for missing leave rows')
    })
  }

  #payLater(): void {
    if (this.#closed || this.#owedTimer !== null || this.#owed.size === 0) return
    this.#owedTimer = setTimeout(() => {
      this.#owedTimer = null
      void this.#pay().then(() => this.#payLater())
    }, payEveryMs)
    this.#owedTimer.unref()
  }

  /** Writes missing rows. Never rejects. @returns whether the database accepted them. */
  async #pay(): Promise<boolean> {
    const ids = [...this.#owed.keys()]
    if (ids.length === 0) return true
    try {
      await insertMissingLeaves(this.#database, { serverId: this.serverId, reason: 'recorded late', ids })
      // An insert that timed out may still be committed.
      for (const id of ids) {
        const looks = (this.#owed.get(id) ?? 1) - 1
        if (looks > 0) this.#owed.set(id, looks)
        else this.#owed.delete(id)
      }
      return true
    } catch (error) {
      this.#log.warn({ err: error, owed: ids.length }, 'leave rows not written; trying again')
      return false
    }
  }

  async #hold(): Promise<void> {
    const client = await connectClient(
      clientConfig(this.#database.direct, requestTimeOuts, { name: 'boardroom presence' }),
    )
    client.once('end', () => {
      if (this.#client === client) this.#holdAgain()
    })
    try {
      await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [this.#lockOf(this.serverId)])
    } catch (error) {
      // Another process holds the lock, or the database does not answer: this connection is useless and must be closed.
      await endClient(client)
      throw error
    }
    this.#client = client
    if (this.#closed) await endClient(client)
  }

  #holdAgain(): void {
    if (this.#closed) return
    this.#retry = setTimeout(() => {
      this.#again = this.#hold()
        .then(() => reviveServer(this.#database, this.serverId))
        .catch((error: unknown) => {
          this.#log.warn({ err: error }, 'presence not held; trying again')
          this.#holdAgain()
        })
    }, 1000)
    this.#retry.unref()
  }

  /** The lock belongs to a session, so it is taken on our own connection, which holds it while the rows are written. */
  async #mend(serverId: string): Promise<number> {
    const client = this.#client
    if (client === null) return 0
    const { rows } = await client.query('select pg_try_advisory_lock(hashtextextended($1, 0)) as gone', [
      this.#lockOf(serverId),
    ])
    if (rows[0]?.gone !== true) return 0
    try {
      const written = await insertMissingLeaves(this.#database, { serverId, reason: 'server lost' })
      await endServer(this.#database, serverId)
      if (written > 0) this.#log.warn({ serverId, written }, 'a server died; its leave rows were written')
      return written
    } finally {
      await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [this.#lockOf(serverId)])
    }
  }

  #lockOf(serverId: string): string {
    return `${this.#database.schema}.server.${serverId}`
  }
}
