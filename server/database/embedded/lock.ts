// The locks that go with a running cluster, held on one connection for its whole life: nothing to go stale. The
// server lock says that one Boardroom serves from this folder; the use lock, shared by servers and commands, says
// that somebody still needs Postgres.
import pg from 'pg'
import { databaseName, port } from './folder.ts'

const lockClass = 0x0b0a_4d00
const serverLock = 1
const useLock = 2

export const connectionIn = (socketFolder: string) =>
  ({
    host: socketFolder,
    port,
    user: databaseName,
    database: databaseName,
    password: '',
    ssl: false,
  }) as const

export type Login =
  | { name: 'in'; client: pg.Client }
  /** Nothing listens. */
  | { name: 'absent' }
  /** It is starting, stopping, recovering, or does not answer: ask again. */
  | { name: 'busy'; reason: string }
  /** It runs and does not know this account. */
  | { name: 'unknown_account' }

/** Logs in over the socket, making the database at the very first time. */
export async function logIn(socketFolder: string, applicationName: string): Promise<Login> {
  const config = {
    ...connectionIn(socketFolder),
    application_name: applicationName,
    connectionTimeoutMillis: 5000,
    query_timeout: 10_000,
  }
  const first = await attempt(config)
  if (!('missing' in first)) return first
  const maintenance = await attempt({ ...config, database: 'postgres' })
  if ('missing' in maintenance || maintenance.name !== 'in')
    return { name: 'busy', reason: 'the database is being made' }
  try {
    await maintenance.client.query(`create database ${databaseName}`)
  } catch (error) {
    // Two first starts at once: the other one made it.
    if (!['42P04', '23505', '55006'].includes(codeOf(error))) throw error
  } finally {
    await end(maintenance.client)
  }
  return { name: 'busy', reason: 'the database was made' }
}

async function attempt(config: pg.ClientConfig): Promise<Login | { missing: true }> {
  const client = new pg.Client(config)
  client.on('error', () => undefined) // the query or the 'end' event tells
  try {
    await client.connect()
    return { name: 'in', client }
  } catch (error) {
    await end(client)
    const code = codeOf(error)
    const message = error instanceof Error ? error.message : String(error)
    if (code === '3D000') return { missing: true }
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return { name: 'absent' }
    if (code === '28000') return { name: 'unknown_account' }
    if (
      code.startsWith('57P') ||
      ['ECONNRESET', 'EPIPE', '53300', '55006'].includes(code) ||
      /terminated|timeout/i.test(message)
    ) {
      return { name: 'busy', reason: message }
    }
    throw error
  }
}

/** Takes the shared use lock; false while another process is about to stop Postgres. */
export const takeUse = async (client: pg.Client): Promise<boolean> =>
  ask(client, 'pg_try_advisory_lock_shared', useLock)

/** Takes the lock of the one server. */
export const takeServer = async (client: pg.Client): Promise<boolean> =>
  ask(client, 'pg_try_advisory_lock', serverLock)

/**
 * Whether nobody else uses the cluster; if so, nobody can begin to before it stops. Called once, at the end.
 * Two that leave at the same time both hold the shared lock: each gives its own up, and the later one gets through.
 */
export async function takeLast(client: pg.Client): Promise<boolean> {
  if (await ask(client, 'pg_try_advisory_lock', useLock)) return true
  await ask(client, 'pg_advisory_unlock_shared', useLock)
  return ask(client, 'pg_try_advisory_lock', useLock)
}

/** Application name of the connection that holds the server lock; null where it has just been released. */
export async function serverLockHolder(client: pg.Client): Promise<string | null> {
  const { rows } = await client.query<{ application_name: string }>(
    `select a.application_name
       from pg_locks l join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'advisory' and l.classid = $1 and l.objid = $2 and l.granted
      limit 1`,
    [lockClass, serverLock],
  )
  return rows[0]?.application_name ?? null
}

/** Ends a connection that may be dead already. */
export const end = (client: pg.Client): Promise<void> => client.end().catch(() => undefined)

async function ask(client: pg.Client, question: string, lock: number): Promise<boolean> {
  const { rows } = await client.query<{ yes: boolean }>(`select ${question}($1, $2) as yes`, [
    lockClass,
    lock,
  ])
  return rows[0]?.yes === true
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? ''
