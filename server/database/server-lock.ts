// Ensures that only one Boardroom serves a database and schema, because a second one would not know about the rooms of
// the first. It is a session-level advisory lock, so nothing remains when the process dies.
import { randomBytes } from 'node:crypto'
import os from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { Logger } from 'pino'
import { BoardroomError } from '../errors.ts'
import {
  asExpected,
  clientConfig,
  connectClient,
  destroyClient,
  endClient,
  lockKeyOf,
  type Target,
} from './connection.ts'

export interface ServerLockOptions {
  /** The database without a pooler: `Database.direct`. */
  direct: Target
  schema: string
  log: Logger
  /** One of several nodes, which share the lock; it then excludes everybody else. */
  isShared?: boolean | undefined
  /** How long to wait for another server, which is about to stop in a rolling deploy; default 60 s. */
  patienceMs?: number | undefined
  /** Called once, with a sentence, if it has to wait for another server. */
  onWaiting?: (message: string) => void
  /** Called when the connection died and another server has taken the lock: both serve until one stops. */
  onLost?: (error: BoardroomError) => void
  /** How often the connection is checked; default 10 s. */
  heartbeatMs?: number
}

const lockClass = 0x0b0a_4d02
const defaultHeartbeatMs = 10_000

/**
 * Takes the lock and keeps it; it is taken again if its connection dies.
 * @throws BoardroomError database_in_use, naming the other server | database_unreachable
 */
export async function takeServerLock(options: ServerLockOptions): Promise<ServerLock> {
  const lock = new ServerLock(options)
  await lock.take()
  return lock
}

export class ServerLock {
  readonly #options: ServerLockOptions
  /** Identifies us to others, and to ourselves after a reconnect. */
  readonly #name =
    `boardroom server ${process.pid} on ${os.hostname().slice(0, 24)} ${randomBytes(4).toString('hex')}`
  readonly #released = new AbortController()
  #client: pg.Client | null = null
  #heartbeat: NodeJS.Timeout | null = null

  /** Use `takeServerLock`. */
  constructor(options: ServerLockOptions) {
    this.#options = options
  }

  /** Use `takeServerLock`. */
  async take(): Promise<void> {
    const { patienceMs = 60_000, onWaiting } = this.#options
    const deadline = Date.now() + patienceMs
    const client = await this.#connect().catch((error: unknown) => {
      throw asExpected(error)
    })
    try {
      for (let told = false; ; told = true) {
        const holder = await this.#try(client)
        if (holder === null) return this.#keep(client)
        if (Date.now() >= deadline) throw inUse(holder, this.#options)
        if (!told)
          onWaiting?.(
            `${sentence(holder)} is using this database; waiting up to ${Math.round(patienceMs / 1000)} s for it to stop`,
          )
        await delay(Math.min(200, Math.max(1, deadline - Date.now())))
      }
    } catch (error) {
      await endClient(client)
      throw asExpected(error)
    }
  }

  async release(): Promise<void> {
    this.#released.abort()
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat)
    const client = this.#client
    this.#client = null
    if (client !== null) await endClient(client)
  }

  #connect(): Promise<pg.Client> {
    const { direct, heartbeatMs = defaultHeartbeatMs } = this.#options
    const timeOuts = { connectMs: 5000, answerMs: heartbeatMs / 2, statementMs: 0 }
    return connectClient(clientConfig(direct, timeOuts, { name: this.#name }))
  }

  /** @returns null if we now have the lock, otherwise the application name of its holder. */
  async #try(client: pg.Client): Promise<string | null> {
    const key = [lockClass, lockKeyOf(this.#options.schema)]
    const { rows: answers } = await client.query<{ taken: boolean }>(
      `select pg_try_advisory_lock${this.#options.isShared ? '_shared' : ''}($1, $2) as taken`,
      key,
    )
    if (answers[0]?.taken === true) return null
    const { rows } = await client.query<{ pid: number; application_name: string }>(
      `select a.pid, a.application_name
         from pg_locks l join pg_stat_activity a on a.pid = l.pid
        where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database where datname = current_database())
          and l.classid = $1::int8::oid and l.objid = ($2::int8 & 4294967295)::oid and l.objsubid = 2`,
      key,
    )
    const holder = rows[0]
    if (holder === undefined) return '' // just released: the next attempt tells
    // Our own old connection, which the server has not yet found to be dead.
    if (holder.application_name === this.#name)
      await client.query('select pg_terminate_backend($1)', [holder.pid])
    return holder.application_name
  }

  #keep(client: pg.Client): void {
    if (this.#released.signal.aborted) return void endClient(client)
    this.#client = client
    let asking = false
    const heartbeat = setInterval(() => {
      if (asking) return
      asking = true
      client.query('select 1').then(
        () => {
          asking = false
        },
        () => destroyClient(client), // 'end' follows
      )
    }, this.#options.heartbeatMs ?? defaultHeartbeatMs)
    heartbeat.unref()
    this.#heartbeat = heartbeat
    client.once('end', () => {
      clearInterval(heartbeat)
      if (this.#client !== client) return
      this.#client = null
      this.#options.log.warn('the connection that holds the server lock was lost')
      void this.#takeAgain()
    })
  }

  /** Keeps trying until `release`, because the database may be unavailable for long. Never throws. */
  async #takeAgain(): Promise<void> {
    let told = false
    for (let pauseMs = 50; !this.#released.signal.aborted; pauseMs = Math.min(pauseMs * 2, 2000)) {
      let client: pg.Client | null = null
      try {
        client = await this.#connect()
        const holder = await this.#try(client)
        if (holder === null) {
          this.#options.log.info('retook the server lock')
          return this.#keep(client)
        }
        if (holder !== '' && holder !== this.#name && !told) {
          told = true
          const error = inUse(holder, this.#options)
          this.#options.log.error(
            { err: error },
            'another server took the lock while our connection was down',
          )
          this.#options.onLost?.(error)
        }
      } catch (error) {
        this.#options.log.debug({ err: error }, 'cannot retake the server lock yet')
      }
      if (client !== null) await endClient(client)
      await delay(pauseMs, undefined, { signal: this.#released.signal }).catch(() => undefined) // released
    }
  }
}

const sentence = (holder: string): string => {
  const found = /^boardroom server (\d+) on (\S+)/.exec(holder)
  return found === null ? 'another Boardroom' : `another Boardroom (process ${found[1]} on ${found[2]})`
}

const inUse = (holder: string, { schema, isShared }: ServerLockOptions) =>
  new BoardroomError(
    'database_in_use',
    isShared
      ? `${sentence(holder)} is using this database and schema "${schema}" without NATS_URL; stop it, and give every node the same NATS_URL`
      : `${sentence(holder)} is using this database and schema "${schema}"; stop it first, set BOARDROOM_DATABASE_SCHEMA to another schema, or give both NATS_URL`,
  )
