// A real database for each test, made in milliseconds from a migrated template and dropped afterwards:
//
//   files('keep their content', () =>
//     withDatabase(async ({ db, pool, url, schema, database }) => {
//       await db.insertInto('board_files').values(…).execute()
//     }))
//
// `database` is the result of `openDatabase`; `url` opens further connections to the same database; `log` is silent.
// `withEmptyDatabase` gives one without our schema, for tests of the migrations themselves. Nothing is mocked:
// fsync is on, every constraint and trigger is there. Any number of them can be open at once (100 connections in all).
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { type Logger, pino } from 'pino'
import { type Database, type Db, openDatabase } from '../../server/database/database.ts'
import { tablesOf } from '../../server/storage/backup/backup-queries.ts'
import { type ClusterAddress, clusterVariable, schema, startCluster, urlOf } from './cluster.ts'
import { testPool } from './test-pool.ts'

export interface TestDatabase {
  database: Database
  db: Db
  /** The test's own connections, which bypass any pooler. */
  pool: pg.Pool
  /** `postgres://…` of this test's own database. */
  url: string
  /** The same, as configured in a server under test: through the pooler, if there is one. */
  serverUrl: string
  /** If that is a pooler: `url`, for what cannot go through one. */
  directUrl: string | undefined
  schema: string
  /** Silent. */
  log: Logger
}

/** Runs `work` with a new migrated database. */
export const withDatabase = async <Result>(work: (test: TestDatabase) => Promise<Result>): Promise<Result> =>
  withCopyOf((await cluster()).template, work)

/** Runs `work` with a database that contains nothing, not even our schema. */
export const withEmptyDatabase = async <Result>(
  work: (test: TestDatabase) => Promise<Result>,
): Promise<Result> => withCopyOf('template1', work)

/** The program's settings for a test's database. */
export const databaseSettings = ({
  serverUrl,
  directUrl,
}: Pick<TestDatabase, 'serverUrl' | 'directUrl'>): Record<string, string> => ({
  DATABASE_URL: serverUrl,
  ...(directUrl === undefined ? {} : { BOARDROOM_DATABASE_DIRECT_URL: directUrl }),
})

/** Every row of every table as text, in order, partitions through their parent: for comparing two instances. */
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
    const { pooler } = address
    const serverUrl = pooler === undefined ? url : urlOf({ ...address, ...pooler }, name)
    const directUrl = pooler === undefined ? undefined : url
    const database = await openDatabase({
      connectionString: serverUrl,
      directConnectionString: directUrl,
      schema,
      poolSize: 5,
      log,
    })
    // A test that sets something in its session and then queries it must get the same session.
    const own = pooler === undefined ? null : testPool({ connectionString: url, max: 5 })
    try {
      const pool = own ?? database.pool
      return await work({ database, db: database.db, pool, url, serverUrl, directUrl, schema, log })
    } finally {
      await own?.end()
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

/** The runner's cluster; otherwise one for this process, stopped when the process has nothing left to do. */
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
