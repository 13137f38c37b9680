// A real database for each test, made in milliseconds from a migrated template and dropped afterwards:
//
//   files('keep their content', () =>
//     withDatabase(async ({ db, pool, url, schema, database }) => {
//       await db.insertInto('board_files').values(…).execute()
//     }))
//
// `database` is what `openDatabase` gives; `url` opens further connections to the same database; `log` is silent.
// `withEmptyDatabase` gives one without our schema, for tests of the migrations themselves. Nothing is mocked:
// fsync is on, every constraint and trigger is there. Any number of them can be open at once (100 connections in all).
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { type Logger, pino } from 'pino'
import { type Database, type Db, openDatabase } from '../../server/database/database.ts'
import { tablesOf } from '../../server/storage/backup/backup-queries.ts'
import { type ClusterAddress, clusterVariable, schema, startCluster, urlOf } from './cluster.ts'

export interface TestDatabase {
  database: Database
  db: Db
  pool: pg.Pool
  /** `postgres://…` of this test's own database. */
  url: string
  schema: string
  /** Silent. */
  log: Logger
}

/** Runs `work` with a migrated database of its own. */
export const withDatabase = async <Result>(work: (test: TestDatabase) => Promise<Result>): Promise<Result> =>
  withCopyOf((await cluster()).template, work)

/** Runs `work` with a database that has nothing in it, not even our schema. */
export const withEmptyDatabase = async <Result>(
  work: (test: TestDatabase) => Promise<Result>,
): Promise<Result> => withCopyOf('template1', work)

/** Every row of every table as text, in order, partitions through their parent: what two instances are compared by. */
export async function everyRow(pool: pg.Pool): Promise<Record<string, string[]>> {
  const client = await pool.connect()
  try {
    const content: Record<string, string[]> = {}
    for (const { name } of await tablesOf(client, schema)) {
      const { rows } = await client.query<{ row: string }>(
        `select t::text as row from ${schema}."${name}" t order by 1`,
      )
      content[name] = rows.map(({ row }) => row)
    }
    return content
  } finally {
    client.release()
  }
}

const log = pino({ level: 'silent' })

async function withCopyOf<Result>(
  template: string,
  work: (test: TestDatabase) => Promise<Result>,
): Promise<Result> {
  const address = await cluster()
  const name = `test_${randomBytes(8).toString('hex')}`
  await onMaintenance(address, `create database ${name} template ${template}`)
  const url = urlOf(address, name)
  try {
    const database = await openDatabase({ connectionString: url, schema, poolSize: 5, log })
    try {
      return await work({ database, db: database.db, pool: database.pool, url, schema, log })
    } finally {
      await database.close()
    }
  } finally {
    await onMaintenance(address, `drop database ${name} with (force)`)
  }
}

async function onMaintenance(address: ClusterAddress, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(address, 'postgres') })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

let own: Promise<ClusterAddress> | null = null

/** The runner's cluster; else one of this process, stopped when the process has nothing left to do. */
function cluster(): Promise<ClusterAddress> {
  const told = process.env[clusterVariable]
  if (told !== undefined) return Promise.resolve(JSON.parse(told) as ClusterAddress) // the runner wrote it
  own ??= startCluster().then(({ address, stop }) => {
    process.once('beforeExit', stop)
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => stop().finally(() => process.exit(1)))
    return address
  })
  return own
}
