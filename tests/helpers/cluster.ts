// One real Postgres for tests: the embedded one in a temporary folder, with a migrated template that each test's
// database is copied from. The runner starts one for all files; a file that is run alone starts its own.
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import { openDatabase } from '../../server/database/database.ts'
import { type EmbeddedPostgres, startEmbedded } from '../../server/database/embedded.ts'
import { migrateUp } from '../../server/database/migrate.ts'

/** The environment variable by which the runner tells test files of its cluster; a JSON `ClusterAddress`. */
export const clusterVariable = 'BOARDROOM_TEST_CLUSTER'
export const schema = 'boardroom'

export interface ClusterAddress {
  /** Socket folder. */
  host: string
  port: number
  user: string
  /** A migrated, empty database that nobody is connected to. */
  template: string
}

export interface TestCluster {
  address: ClusterAddress
  stop(): Promise<void>
}

export const urlOf = ({ host, port, user }: ClusterAddress, database: string): string =>
  `postgres://${user}@/${database}?host=${encodeURIComponent(host)}&port=${port}`

export async function startCluster(): Promise<TestCluster> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'boardroom-tests-'))
  const removeNow = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', removeNow)
  const embedded = await startEmbedded({
    dataDir: folder,
    log: pino({ level: 'silent' }),
    copyBinariesTo: path.join(folder, 'binaries'),
  })
  const { host, port, user } = embedded.connection
  const address = { host, port, user, template: 'boardroom_template' }
  try {
    await makeTemplate(address)
  } catch (error) {
    await end(embedded, folder)
    throw error
  }
  return { address, stop: () => end(embedded, folder) }
}

async function makeTemplate(address: ClusterAddress): Promise<void> {
  const log = pino({ level: 'silent' })
  const maintenance = await openDatabase({
    connectionString: urlOf(address, 'postgres'),
    schema,
    log,
    poolSize: 1,
  })
  await maintenance.pool.query(`create database ${address.template}`)
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

async function end(embedded: EmbeddedPostgres, folder: string): Promise<void> {
  await embedded.stop()
  await rm(folder, { recursive: true, force: true })
}
