// A process that dies takes its connections with it and writes no leave. The next one finds out, by a lock that
// the dead one cannot hold any more, and writes what is missing.
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
/** A node may lose its lock for a moment and take it again. */
const lostAfterMs = 10_000

/**
 * One process, as the trail knows it: `serverId` is in its `access` and `leave` rows, and an advisory lock on a
 * connection of its own says that it lives. The connection is opened anew when it is lost.
 */
export class ServerPresence {
  readonly serverId = randomUUID()
  readonly #database: Database
  readonly #log: Logger
  #client: pg.Client | null = null
  #retry: NodeJS.Timeout | null = null
  /** Connections that are gone and may have an `access` row without its `leave`, and how often to look again. */
  readonly #owed = new Map<string, number>()
  #owedTimer: NodeJS.Timeout | null = null
  /** More is owed than is kept in mind: the next start finds it. */
  #isShort = false
  #closed = false
  /** Taking the lock again, and saying that this server lives; a goodbye comes after it. */
  #again: Promise<void> = Promise.resolve()
  /** Servers whose lock is free and that are not heard, and since when. */
  readonly #lost = new Map<string, number>()

  constructor(database: Database, log: Logger) {
    this.#database = database
    this.#log = log
  }

  /**
   * Takes the lock, registers, and writes the `leave` rows (reason: server lost) of processes that are gone.
   * @returns how many were written.
   */
  async start({ oneOfSeveral = false }: { oneOfSeveral?: boolean } = {}): Promise<number> {
    await this.#hold()
    await insertServer(this.#database, {
      id: this.serverId,
      host: hostname().slice(0, 255),
      pid: process.pid,
    })
    // One of several that is only out of sight for a moment must not be taken for lost: see `silentNodes`.
    return oneOfSeveral ? 0 : this.mendLeaves()
  }

  /**
   * Other servers that are not heard, and are there as far as the database knows. Those that have been lost for a while get
   * their `leave` rows.
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

  /** Writes what lost processes left out. Safe at any time, and in two processes at once. */
  async mendLeaves(): Promise<number> {
    let written = 0
    for (const { id } of await unendedServers(this.#database, this.serverId)) written += await this.#mend(id)
    return written
  }

  /**
   * A connection is gone, and its `leave` could not be written, or its `access` was written without our hearing of it.
   * What is missing is written as soon as the database answers, at the latest by the next start.
   */
  oweLeave(connectionId: string): void {
    if (this.#owed.size >= mostOwed) this.#isShort = true
    else this.#owed.set(connectionId, looksForOwed)
    this.#payLater()
  }

  /** Says goodbye; call it after the last `leave` row is committed. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    if (this.#owedTimer !== null) clearTimeout(this.#owedTimer)
    await this.#again
    const isComplete = (await this.#pay()) && !this.#isShort
    // A server that has not said goodbye is looked after by the next start.
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

  /** Writes what is owed. Never rejects. @returns whether the database took it. */
  async #pay(): Promise<boolean> {
    const ids = [...this.#owed.keys()]
    if (ids.length === 0) return true
    try {
      await insertMissingLeaves(this.#database, { serverId: this.serverId, reason: 'recorded late', ids })
      // An insert that we gave up waiting for may still be committed.
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
      // Somebody else has the lock, or nobody answers: this connection is of no use, and must not stay.
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

  /** The lock is a session's, so it is asked for on our own connection, which keeps it while the rows are written. */
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
      if (written > 0) this.#log.warn({ serverId, written }, 'a server was lost; its leave rows were written')
      return written
    } finally {
      await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [this.#lockOf(serverId)])
    }
  }

  #lockOf(serverId: string): string {
    return `${this.#database.schema}.server.${serverId}`
  }
}
