// The database as everything above sees it: a Kysely instance over one schema, and the pool beneath it.
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Logger } from 'pino'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>

export interface Database {
  /** Queries name tables without the schema; it is added. */
  readonly db: Db
  readonly pool: pg.Pool
  readonly schema: string
  /** Settings of a dedicated connection (LISTEN, session locks), past any pooler. */
  readonly direct: pg.ClientConfig
  close(): Promise<void>
}

export interface DatabaseOptions {
  connectionString: string
  schema: string
  poolSize?: number
  log: Logger
}

export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const direct: pg.ClientConfig = {
    connectionString: options.connectionString,
    connectionTimeoutMillis: 10_000,
    query_timeout: 60_000,
    statement_timeout: 60_000,
    keepAlive: true,
  }
  const pool = new pg.Pool({ ...direct, max: options.poolSize ?? 10 })
  pool.on('error', (error) => options.log.warn({ err: error }, 'an idle database connection was lost'))
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }).withSchema(options.schema)
  return { db, pool, schema: options.schema, direct, close: () => pool.end() }
}
