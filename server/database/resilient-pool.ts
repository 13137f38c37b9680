// The pool for Kysely. A pooled connection that died while idle causes a retry instead of an error; one that does not
// respond is discarded instead of being reused; all outages have the same error code.
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type pg from 'pg'
import type { Logger } from 'pino'
import {
  asExpected,
  destroyClient,
  isCertainlyUndone,
  isConnectionLost,
  isPassing,
  isUnanswered,
  type TimeOuts,
} from './connection.ts'
import type { PreparedStatements } from './prepared.ts'

/** Delays before reconnecting; together longer than Postgres' own restart after a backend crash. */
const pausesMs = [30, 120, 350]

/** Over a `pg.Pool` that somebody else ends. */
export class ResilientPool implements PostgresPool {
  readonly #pool: pg.Pool
  readonly #timeOuts: TimeOuts
  readonly #log: Logger
  readonly prepared: PreparedStatements

  constructor(pool: pg.Pool, timeOuts: TimeOuts, log: Logger, prepared: PreparedStatements) {
    this.prepared = prepared
    this.#pool = pool
    this.#timeOuts = timeOuts
    this.#log = log
  }

  /** @throws BoardroomError database_unreachable */
  async connect(): Promise<PostgresPoolClient> {
    const checkout = new Checkout(await this.take(), this, this.#timeOuts, this.#log)
    // Kysely only ever passes text with parameters, or a cursor: the two shapes that `Checkout.query` knows.
    return checkout as unknown as PostgresPoolClient
  }

  async end(): Promise<void> {}

  /** A connection from the pool; retries if the failure is temporary. */
  async take(): Promise<pg.PoolClient> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#takeInTime()
      } catch (error) {
        const pauseMs = pausesMs[attempt]
        if (pauseMs === undefined || !isPassing(error)) throw asExpected(error)
        await delay(pauseMs)
      }
    }
  }

  /** An embedder's pool may have no time-out. */
  #takeInTime(): Promise<pg.PoolClient> {
    return new Promise((resolve, reject) => {
      let late = false
      const timer = setTimeout(() => {
        late = true
        reject(new Error('timeout exceeded when trying to connect'))
      }, this.#timeOuts.connectMs + 500)
      this.#pool.connect().then(
        (client) => {
          clearTimeout(timer)
          if (late) client.release()
          else resolve(client)
        },
        (error: unknown) => {
          clearTimeout(timer)
          reject(error)
        },
      )
    })
  }
}

/** Of the first statement after a connection was taken. */
const attempts = 3

const ignore = () => undefined

/** A checked-out connection. */
class Checkout {
  #client: pg.PoolClient
  readonly #pool: ResilientPool
  readonly #timeOuts: TimeOuts
  readonly #log: Logger
  #isFirst = true
  #broken: unknown = null

  constructor(client: pg.PoolClient, pool: ResilientPool, timeOuts: TimeOuts, log: Logger) {
    this.#client = client
    this.#pool = pool
    this.#timeOuts = timeOuts
    this.#log = log
    client.on('error', ignore) // a connection may die between two statements; the next statement reports it
  }

  query(textOrCursor: string | pg.Submittable, parameters?: readonly unknown[]): unknown {
    return typeof textOrCursor === 'string'
      ? this.#ask(textOrCursor, parameters)
      : this.#client.query(textOrCursor)
  }

  release(): void {
    this.#client.off('error', ignore)
    if (this.#broken === null) this.#client.release()
    else this.#discard()
  }

  async #ask(text: string, parameters: readonly unknown[] = []): Promise<pg.QueryResult> {
    if (this.#broken !== null) throw asExpected(this.#broken)
    let attemptsLeft = this.#isFirst ? attempts : 1
    this.#isFirst = false
    for (;;) {
      try {
        return await this.#send(text, parameters)
      } catch (error) {
        attemptsLeft--
        const mayRepeat =
          (isConnectionLost(error) && (isHarmless(text) || isCertainlyUndone(error))) ||
          this.#pool.prepared.notices(error)
        if (!mayRepeat || attemptsLeft === 0) throw asExpected(error)
        this.#log.debug({ err: error }, 'a pooled connection was dead; retrying on another')
      }
      await this.#replace()
    }
  }

  async #send(text: string, parameters: readonly unknown[]): Promise<pg.QueryResult> {
    const name = this.#pool.prepared.nameOf(text)
    const config: pg.QueryConfig & { query_timeout: number } = {
      ...(name === undefined ? {} : { name }),
      text,
      values: [...parameters],
      query_timeout: this.#timeOuts.answerMs,
    }
    try {
      return await this.#client.query(config)
    } catch (error) {
      if (isConnectionLost(error) || isUnanswered(error)) this.#broken = error
      throw error
    }
  }

  async #replace(): Promise<void> {
    this.#client.off('error', ignore)
    this.#discard()
    // The old connection has been returned in any case, so release must not return it again.
    this.#client = released
    await nextTurn() // lets the pool notice others that died with this one
    this.#client = await this.#pool.take()
    this.#client.on('error', ignore)
    this.#broken = null
  }

  /** Dropped, because a graceful end would wait for a server that may be frozen. */
  #discard(): void {
    const client = this.#client
    client.on('error', ignore)
    client.release(true)
    if (client !== released) destroyClient(client)
  }
}

/** A placeholder for no connection. */
const released = { on: ignore, off: ignore, release: ignore } as unknown as pg.PoolClient

/**
 * Statements that can safely be sent twice, because they have no lasting effect. Others are retried only if the server
 * reported that it rolled them back. (Functions whose effects must not happen twice are called in a transaction: after
 * `begin` nothing is retried.)
 */
const isHarmless = (text: string): boolean => /^\s*(begin|start transaction|select)\b/i.test(text)
