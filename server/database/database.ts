// The database for all layers above: a Kysely instance over one schema, and its pool.

import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Logger } from 'pino'
import { BoardroomError } from '../errors.ts'
import {
  announcedPid,
  cannotOpen,
  clientConfig,
  codeOf,
  connectClient,
  destroyClient,
  endClient,
  longWorkTimeOuts,
  requestTimeOuts,
  type Target,
  type TimeOuts,
} from './connection.ts'
import { type Mark, MarkingDialect } from './marked-writes.ts'
import { PreparedStatements } from './prepared.ts'
import { qualifyRawTables } from './raw-tables.ts'
import { ResilientPool } from './resilient-pool.ts'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>

export interface Database {
  /** Queries name tables without the schema; it is added. Outages are BoardroomError database_unreachable. */
  readonly db: Db
  /** Like `db`, but each of its writes sets a marker, for a library that cannot do so itself. */
  marked(mark: Mark): Db
  /** The raw pool: queries are not retried, and errors are pg's. */
  readonly pool: pg.Pool
  readonly schema: string
  /** The target of dedicated connections (LISTEN, session locks, long work), bypassing any pooler. */
  readonly direct: Target
  readonly log: Logger
  /** Ends our own pool, within seconds even if the database hangs; an embedder's pool is left open. */
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** `postgres://…`; or `pool`. */
  connectionString?: string
  /** An embedder's pool, which stays theirs. */
  pool?: pg.Pool
  /** The same database without a pooler; required if `connectionString` or `pool` uses one. */
  directConnectionString?: string | undefined
  schema: string
  /** Connections of our own pool; default 10. */
  poolSize?: number
  log: Logger
  /** Default `requestTimeOuts`. */
  timeOuts?: TimeOuts
}

const oldestMajor = 15

/**
 * Opens a database and checks that it is usable.
 * @throws BoardroomError database_unreachable (one line, no password) | invalid_config (Postgres too old, not
 *   UTF8, or reached through a pooler without a direct URL).
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { schema, log, pool, poolSize = 10, timeOuts = requestTimeOuts } = options
  const target = options.connectionString ?? pool?.options
  if (target === undefined)
    throw new BoardroomError('invalid_config', 'openDatabase needs a connectionString or a pool')
  const direct = options.directConnectionString ?? target
  const isPooled = await examine(target, options.directConnectionString, timeOuts)
  const { connection, end } =
    pool === undefined
      ? ownPool(target, { poolSize, timeOuts, isPooled })
      : { connection: pool, end: async () => undefined }
  return databaseOver(connection, { schema, log, timeOuts, direct, isPooled, end })
}

/**
 * The same database over separate connections, bypassing any pooler and without statement time-outs, for backups,
 * verification and exports. The caller closes it.
 */
export function openForLongWork({ direct, schema, log }: Database, poolSize = 1): Database {
  const { connection, end } = ownPool(direct, { poolSize, timeOuts: longWorkTimeOuts, isPooled: false })
  return databaseOver(connection, { schema, log, timeOuts: longWorkTimeOuts, direct, isPooled: false, end })
}

interface Over {
  schema: string
  log: Logger
  timeOuts: TimeOuts
  direct: Target
  isPooled: boolean
  end(): Promise<void>
}

function databaseOver(pool: pg.Pool, { schema, log, timeOuts, direct, isPooled, end }: Over): Database {
  const onError = (error: Error) => log.warn({ err: error }, 'an idle database connection was lost')
  pool.on('error', onError) // if unhandled, it would end the process
  let closing: Promise<void> | null = null
  const config = { pool: new ResilientPool(pool, timeOuts, log, new PreparedStatements(isPooled)) }
  const over = (dialect: PostgresDialect): Db =>
    new Kysely<Tables>({ dialect, plugins: [qualifyRawTables(schema)] }).withSchema(schema)
  return {
    db: over(new PostgresDialect(config)),
    marked: (mark) => over(new MarkingDialect(config, mark)),
    pool,
    schema,
    direct,
    log,
    close: () => {
      closing ??= end().finally(() => pool.off('error', onError))
      return closing
    },
  }
}

function ownPool(
  target: Target,
  { poolSize, timeOuts, isPooled }: { poolSize: number; timeOuts: TimeOuts; isPooled: boolean },
) {
  const connection = new pg.Pool({
    ...clientConfig(target, timeOuts, { pooled: isPooled }),
    max: poolSize,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: 1800, // so that a changed address of the database is found
  })
  connection.on('error', () => undefined) // also after close, because dropped connections still report errors
  const clients = new Set<pg.PoolClient>()
  let whenEmpty: () => void = () => undefined
  connection.on('connect', (client) => {
    clients.add(client)
    // Nobody else handles the error of a checked-out connection that dies between two statements.
    client.on('error', () => undefined)
  })
  connection.on('remove', (client) => {
    clients.delete(client)
    if (clients.size === 0) whenEmpty()
  })
  const end = async () => {
    // The pool reports that it ended before its connections are closed.
    const empty = new Promise<void>((resolve) => {
      whenEmpty = resolve
    })
    const ended = connection.end().then(() => (clients.size === 0 ? undefined : empty))
    const inTime = await Promise.race([ended.then(() => true), delay(2000, false, { ref: false })])
    if (inTime) return
    for (const client of clients) destroyClient(client) // the database hangs, or a connection was not returned
    await Promise.race([ended, delay(500, undefined, { ref: false })])
  }
  return { connection, end }
}

/**
 * Checks the database through `target`, and through `direct` if there is one.
 * @returns whether `target` uses a pooler.
 */
async function examine(target: Target, direct: Target | undefined, timeOuts: TimeOuts): Promise<boolean> {
  const seen = await look(target, timeOuts)
  if (seen.version < oldestMajor * 10_000) {
    throw new BoardroomError(
      'invalid_config',
      `the database is Postgres ${Math.floor(seen.version / 10_000)}; Boardroom needs ${oldestMajor} or newer`,
    )
  }
  if (seen.encoding !== 'UTF8') {
    throw new BoardroomError(
      'invalid_config',
      `the database is encoded in ${seen.encoding}; Boardroom needs UTF8: create database … encoding 'UTF8' template template0`,
    )
  }
  const past = direct === undefined ? seen : await look(direct, timeOuts, 'BOARDROOM_DATABASE_DIRECT_URL')
  if (past.isPooled) {
    throw new BoardroomError(
      'invalid_config',
      direct === undefined
        ? 'DATABASE_URL uses a connection pooler such as PgBouncer, where notifications and session locks do not work; set BOARDROOM_DATABASE_DIRECT_URL to the same database without the pooler'
        : 'BOARDROOM_DATABASE_DIRECT_URL also uses a connection pooler; set it to the address of Postgres itself',
    )
  }
  if (past.identity !== seen.identity) {
    throw new BoardroomError(
      'invalid_config',
      'BOARDROOM_DATABASE_DIRECT_URL and DATABASE_URL point to different databases',
    )
  }
  return seen.isPooled
}

interface Seen {
  version: number
  encoding: string
  identity: string
  isPooled: boolean
}

/** Waits for a database that is still starting, such as after a reboot. */
async function look(
  target: Target,
  timeOuts: TimeOuts,
  setting: 'DATABASE_URL' | 'BOARDROOM_DATABASE_DIRECT_URL' = 'DATABASE_URL',
): Promise<Seen> {
  const config = clientConfig(target, timeOuts, { pooled: true })
  const deadline = Date.now() + 30_000
  for (;;) {
    let client: pg.Client | null = null
    try {
      client = await connectClient(config)
      const { rows } = await client.query<{
        version: number
        encoding: string
        identity: string
        pid: number
      }>(
        `select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
                current_database() || ' ' || pg_postmaster_start_time() as identity, pg_backend_pid() as pid`,
      )
      const row = rows[0]
      if (row === undefined) throw new Error('it returned no row')
      return { ...row, isPooled: row.pid !== announcedPid(client) }
    } catch (error) {
      if (codeOf(error) !== '57P03' || Date.now() > deadline) throw cannotOpen(config, error, setting)
      await delay(200)
    } finally {
      if (client !== null) await endClient(client)
    }
  }
}
