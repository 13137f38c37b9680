// One real Postgres for tests: the embedded one in a temporary folder, with a migrated template from which each
// test's database is copied. The runner starts one for all files; a file that is run alone starts its own.
import { readFileSync, rmSync } from 'node:fs'
import { appendFile, mkdtemp, statfs } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type pg from 'pg'
import { pino } from 'pino'
import { openDatabase } from '../../server/database/database.ts'
import { startEmbedded } from '../../server/database/embedded.ts'
import { migrateUp } from '../../server/database/migrate.ts'
import { eventually } from './eventually.ts'

/** The environment variable with which the runner passes its cluster to test files; a JSON `ClusterAddress`. */
export const clusterVariable = 'BOARDROOM_TEST_CLUSTER'
export const schema = 'boardroom'

export interface ClusterAddress {
  /** Socket folder; or a host name, if Postgres listens on TCP. */
  host: string
  port: number
  user: string
  password?: string
  /** A pooler in front of it, used by a server under test. */
  pooler?: { host: string; port: number }
  /** A migrated, empty database without connections. */
  template: string
}

export interface TestCluster {
  address: ClusterAddress
  stop(): Promise<void>
}

export const urlOf = ({ host, port, user, password }: ClusterAddress, database: string): string =>
  host.startsWith('/')
    ? `postgres://${user}@/${database}?host=${encodeURIComponent(host)}&port=${port}`
    : `postgres://${user}:${password}@${host}:${port}/${database}`

export async function startCluster(): Promise<TestCluster> {
  const folder = await mkdtemp(path.join(await fastFolder(), 'boardroom-tests-'))
  // Memory file systems are often mounted noexec, so copies of the binaries, if needed, go elsewhere.
  const copyBinariesTo = path.join(os.tmpdir(), `${path.basename(folder)}-binaries`)
  const remove = () => {
    killWithin(folder)
    for (const made of [folder, copyBinariesTo]) rmSync(made, { recursive: true, force: true })
  }
  process.once('exit', remove)
  const embedded = await startEmbedded({ dataDir: folder, log: pino({ level: 'silent' }), copyBinariesTo })
  const { host, port, user } = embedded.connection
  const address = { host, port, user, template: 'boardroom_template' }
  const stop = async () => {
    await embedded.stop()
    remove()
    process.off('exit', remove)
  }
  try {
    await makeTemplate(address)
  } catch (error) {
    await stop()
    throw error
  }
  return { address, stop }
}

/**
 * Postgres keeps its fsync, but on a memory file system, if there is one with enough space, it costs nothing: copying
 * the template takes 20 ms there and 170 ms on a virtual disk (2 cores, November 2026).
 */
export async function fastFolder(): Promise<string> {
  const room = await statfs('/dev/shm').catch(() => null)
  return room !== null && room.bavail * room.bsize > 2 * 1024 ** 3 ? '/dev/shm' : os.tmpdir()
}

/** A process that crashes cannot wait: anything that still runs in the folder is killed. */
function killWithin(folder: string): void {
  try {
    process.kill(
      Number.parseInt(readFileSync(path.join(folder, 'postgres', 'postmaster.pid'), 'utf8'), 10),
      'SIGQUIT',
    )
  } catch {
    // It was stopped cleanly.
  }
}

/** A migrated database of our own, from which others are copied. */
export async function makeTemplate(address: ClusterAddress): Promise<void> {
  const log = pino({ level: 'silent' })
  const maintenance = await openDatabase({
    connectionString: urlOf(address, 'postgres'),
    schema,
    log,
    poolSize: 1,
  })
  await maintenance.pool.query(`create database ${address.template}`)
  // The role has the same name as the schema, so without this an unqualified table would be found nevertheless.
  await maintenance.pool.query(`alter role ${address.user} set search_path to public`)
  if (address.host.startsWith('/')) await letInAs(address.host, maintenance.pool)
  await maintenance.close()
  const template = await openDatabase({
    connectionString: urlOf(address, address.template),
    schema,
    log,
    poolSize: 1,
  })
  try {
    await migrateUp(template)
  } finally {
    await template.close()
  }
}

/** Anybody with access to the folder may connect as any role, so that a test can use a role that it creates. */
async function letInAs(folder: string, pool: pg.Pool): Promise<void> {
  const loadedAt = async () =>
    Number((await pool.query<{ at: Date }>('select pg_conf_load_time() as at')).rows[0]?.at)
  const before = await loadedAt()
  await appendFile(path.join(folder, 'pg_ident.conf'), 'boardroom "/^.*$" all\n')
  await pool.query('select pg_reload_conf()')
  await eventually(async () => (await loadedAt()) > before)
}
