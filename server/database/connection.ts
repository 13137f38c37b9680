// A connection to Postgres: its settings, the meaning of its errors, and closing it even if the server does not respond.
import { createHash } from 'node:crypto'
import pg from 'pg'
import { BoardroomError } from '../errors.ts'

/** Time-outs for connecting, for a statement's result (client side), and for a statement on the server. */
export interface TimeOuts {
  connectMs: number
  answerMs: number
  /** 0: no limit. */
  statementMs: number
}

/** With pg's defaults a query waits for ever when the database hangs. */
export const requestTimeOuts: TimeOuts = { connectMs: 5000, answerMs: 20_000, statementMs: 15_000 }

/** For migrations, backups and other long work: keep-alive still detects a dead connection. */
export const longWorkTimeOuts: TimeOuts = { connectMs: 10_000, answerMs: 0, statementMs: 0 }

/** A database is named by a URL, or by the settings of somebody's pool. */
export type Target = string | pg.ClientConfig

/**
 * Settings for `new pg.Client` and `new pg.Pool`.
 * @param options.pooled no start-up parameters, which a pooler such as PgBouncer refuses.
 */
export function clientConfig(
  target: Target,
  timeOuts: TimeOuts,
  options: { pooled?: boolean; name?: string } = {},
): pg.ClientConfig {
  const given = typeof target === 'string' ? { connectionString: target } : settingsOf(target)
  const { statement_timeout: _, idle_in_transaction_session_timeout: __, ...rest } = given
  return hidePassword({
    ...rest,
    application_name: options.name ?? `boardroom ${process.pid}`,
    connectionTimeoutMillis: timeOuts.connectMs,
    query_timeout: timeOuts.answerMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(options.pooled === true
      ? {}
      : {
          statement_timeout: timeOuts.statementMs,
          idle_in_transaction_session_timeout: timeOuts.statementMs * 4,
        }),
  })
}

/** A pool hides its password from enumeration, so a spread alone would lose it. */
const settingsOf = (config: pg.ClientConfig): pg.ClientConfig =>
  config.password === undefined ? { ...config } : { ...config, password: config.password }

const hidePassword = (config: pg.ClientConfig): pg.ClientConfig =>
  config.password === undefined
    ? config
    : Object.defineProperty(config, 'password', { enumerable: false, value: config.password })

/** @returns a connected client whose `error` events are handled; failures show in its queries and its `end` event. */
export async function connectClient(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(config)
  client.on('error', () => undefined)
  try {
    await client.connect()
    return client
  } catch (error) {
    destroyClient(client)
    throw error
  }
}

/** Drops a connection at once. A graceful end would wait for the server, for ever if that is frozen. */
export function destroyClient(client: pg.ClientBase): void {
  // pg keeps the socket behind an untyped property; there is no other way to drop the connection to a frozen server.
  const { connection } = client as pg.ClientBase & { connection?: { stream?: { destroy(): void } } }
  connection?.stream?.destroy()
}

/** Ends a connection gracefully, or drops it if that takes more than a second. */
export async function endClient(client: pg.Client): Promise<void> {
  const timer = setTimeout(() => destroyClient(client), 1000)
  try {
    await client.end()
  } catch {
    destroyClient(client) // it was already dead
  } finally {
    clearTimeout(timer)
  }
}

/** The process id of the backend as reported to the client; a pooler reports a made-up one. */
export const announcedPid = (client: pg.ClientBase): number | null =>
  (client as pg.ClientBase & { processID: number | null }).processID // pg's types leave it out

/** A lock number for a schema, the same in every process. */
export const lockKeyOf = (schema: string): number =>
  createHash('sha256').update(schema).digest().readInt32BE(0)

/** SQLSTATE, or the code of Node's socket error; empty if there is none. */
export const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const lostSocket = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED']
const unreachable = [
  'ECONNREFUSED',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EACCES',
]

/** Whether the connection broke or the server ended it; the statement may or may not have been executed. */
export const isConnectionLost = (error: unknown): boolean =>
  /^(57P0[1-5]|08)/.test(codeOf(error)) ||
  lostSocket.includes(codeOf(error)) ||
  /^Connection terminated|^Client has encountered a connection error|^Client was closed/.test(
    messageOf(error),
  )

/** Whether the server reported that it ended the session, so the statement was rolled back or never received. */
export const isCertainlyUndone = (error: unknown): boolean =>
  /^57P0/.test(codeOf(error)) || codeOf(error) === 'EPIPE'

/** Whether a retry may succeed: the server is starting, recovering, or has just ended this session. */
export const isPassing = (error: unknown): boolean =>
  /^57P0/.test(codeOf(error)) ||
  [...lostSocket, 'ECONNREFUSED', 'ENOENT'].includes(codeOf(error)) ||
  isConnectionLost(error)

/** Whether the query timed out: the connection cannot be used any more. */
export const isUnanswered = (error: unknown): boolean => messageOf(error) === 'Query read timeout'

/**
 * Whether the database as a whole failed rather than this statement: unreachable, hanging, out of disk or
 * connections, read-only after a failover, too slow.
 */
const isOutage = (error: unknown): boolean =>
  isConnectionLost(error) ||
  isUnanswered(error) ||
  unreachable.includes(codeOf(error)) ||
  /^(53|58)/.test(codeOf(error)) ||
  ['25006', '57014'].includes(codeOf(error)) ||
  /^timeout exceeded when trying to connect|^timeout expired|^Connection terminated due to/.test(
    messageOf(error),
  )

/** `database_unreachable` for an outage, `closing` for a pool that was ended; other errors are returned unchanged. */
export function asExpected(error: unknown): unknown {
  if (/^Cannot use a pool after calling end/.test(messageOf(error))) {
    return new BoardroomError('closing', 'the database is being closed', { cause: error })
  }
  return isOutage(error)
    ? new BoardroomError('database_unreachable', `the database is not available: ${messageOf(error)}`, {
        cause: error,
      })
    : error
}

/** One line with the target and the reason, without the password. @param setting the setting that named it */
export function cannotOpen(
  config: pg.ClientConfig,
  error: unknown,
  setting: 'DATABASE_URL' | 'BOARDROOM_DATABASE_DIRECT_URL' = 'DATABASE_URL',
): BoardroomError {
  if (error instanceof BoardroomError) return error
  let where = 'the database'
  try {
    const { host, port, database, user } = new pg.Client(config)
    where = `the database "${database ?? ''}" at ${host.startsWith('/') ? host : `${host}:${port}`} as "${user ?? ''}"`
  } catch {
    // pg cannot parse the URL; the reason below says so.
  }
  return new BoardroomError(
    'database_unreachable',
    `cannot open ${where}: ${reasonOf(error)}; check ${setting}`,
    { cause: error },
  )
}

function reasonOf(error: unknown): string {
  const reasons: Record<string, string> = {
    ECONNREFUSED: 'nothing listens there',
    ENOENT: 'there is no such socket',
    ENOTFOUND: 'there is no host with that name',
    EAI_AGAIN: 'the host name cannot be looked up',
    EHOSTUNREACH: 'there is no route to that host',
    '28P01': 'wrong password or user',
    '3D000': 'there is no database with that name',
    '53300': 'it has no free connection',
  }
  const inner = error instanceof AggregateError ? error.errors[0] : error // localhost has two addresses
  const known = reasons[codeOf(inner)]
  if (known !== undefined) return known
  if (/SASL.*password must be a string/.test(messageOf(inner)))
    return 'it requires a password, and the URL has none'
  if (/timeout/i.test(messageOf(inner))) return 'no answer'
  return messageOf(inner).split('\n')[0] ?? ''
}
