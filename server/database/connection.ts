// One connection to Postgres: its settings, what its errors mean, and how it ends even if nobody answers.
import { createHash } from 'node:crypto'
import pg from 'pg'
import { BoardroomError } from '../errors.ts'

/** How long to wait for a connection, for a statement's answer (client side), and what the server allows it. */
export interface TimeOuts {
  connectMs: number
  answerMs: number
  /** 0: no limit. */
  statementMs: number
}

/** With pg's defaults a query waits for ever when the database hangs. */
export const requestTimeOuts: TimeOuts = { connectMs: 5000, answerMs: 20_000, statementMs: 15_000 }

/** For migrations, backups and other long work: a dead connection is still noticed, by keep-alive. */
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

/** @returns a connected client whose `error` events are handled; its queries and its `end` event tell. */
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

/** Ends a connection now. A polite end waits for the server, for ever if that is frozen. */
export function destroyClient(client: pg.ClientBase): void {
  // pg keeps the socket behind an untyped property; there is no other way to drop the connection to a frozen server.
  const { connection } = client as pg.ClientBase & { connection?: { stream?: { destroy(): void } } }
  connection?.stream?.destroy()
}

/** Ends a connection politely, and hard if that takes more than a second. */
export async function endClient(client: pg.Client): Promise<void> {
  const timer = setTimeout(() => destroyClient(client), 1000)
  try {
    await client.end()
  } catch {
    destroyClient(client) // it was dead already
  } finally {
    clearTimeout(timer)
  }
}

/** Process id of the backend as the client was told; a pooler tells one of its own making. */
export const announcedPid = (client: pg.ClientBase): number | null =>
  (client as pg.ClientBase & { processID: number | null }).processID // pg's types leave it out

/** A lock number for a schema, the same in every process. */
export const lockKeyOf = (schema: string): number =>
  createHash('sha256').update(schema).digest().readInt32BE(0)

/** SQLSTATE, or the code of node's socket error; empty where there is none. */
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

/** The connection broke, or the server ended it; whether the statement was carried out is another question. */
export const isConnectionLost = (error: unknown): boolean =>
  /^(57P0[1-5]|08)/.test(codeOf(error)) ||
  lostSocket.includes(codeOf(error)) ||
  /^Connection terminated|^Client has encountered a connection error|^Client was closed/.test(
    messageOf(error),
  )

/** The server says itself that it ended the session, so the statement was rolled back; or it never got it. */
export const isCertainlyUndone = (error: unknown): boolean =>
  /^57P0/.test(codeOf(error)) || codeOf(error) === 'EPIPE'

/** A new attempt a moment later may well succeed: the server starts, recovers, or has just ended this session. */
export const isPassing = (error: unknown): boolean =>
  /^57P0/.test(codeOf(error)) ||
  [...lostSocket, 'ECONNREFUSED', 'ENOENT'].includes(codeOf(error)) ||
  isConnectionLost(error)

/** No answer in time: nothing more can be asked on this connection. */
export const isUnanswered = (error: unknown): boolean => messageOf(error) === 'Query read timeout'

/**
 * Whether the database as a whole is what failed, and not this statement: away, hanging, out of disk or
 * connections, read-only after a failover, too slow.
 */
export const isOutage = (error: unknown): boolean =>
  isConnectionLost(error) ||
  isUnanswered(error) ||
  unreachable.includes(codeOf(error)) ||
  /^(53|58)/.test(codeOf(error)) ||
  ['25006', '57014'].includes(codeOf(error)) ||
  /^timeout exceeded when trying to connect|^timeout expired|^Connection terminated due to/.test(
    messageOf(error),
  )

/** `database_unreachable` for an outage, `closing` for a pool that was ended; any other error as it is. */
export function asExpected(error: unknown): unknown {
  if (/^Cannot use a pool after calling end/.test(messageOf(error))) {
    return new BoardroomError('closing', 'the database is being closed', { cause: error })
  }
  return isOutage(error)
    ? new BoardroomError(
        'database_unreachable',
        `the database does not answer as it should: ${messageOf(error)}`,
        { cause: error },
      )
    : error
}

/** One line that says where we wanted to go and why not, without the password. @param setting that said so */
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
    // A URL that pg cannot read: the reason below says so.
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
    ENOTFOUND: 'there is no host of that name',
    EAI_AGAIN: 'the host name cannot be looked up',
    EHOSTUNREACH: 'there is no way to that host',
    '28P01': 'wrong password or user',
    '3D000': 'there is no database of that name',
    '53300': 'it has no free connection',
  }
  const inner = error instanceof AggregateError ? error.errors[0] : error // localhost is two addresses
  const known = reasons[codeOf(inner)]
  if (known !== undefined) return known
  if (/SASL.*password must be a string/.test(messageOf(inner)))
    return 'it wants a password, and the URL has none'
  if (/timeout/i.test(messageOf(inner))) return 'no answer'
  return messageOf(inner).split('\n')[0] ?? ''
}
