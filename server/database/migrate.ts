// Runs the migrations in order, each in one transaction with its record, in one process at a time.

import { setTimeout as delay } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { type Migration, migrations as released } from '../../migrations/index.ts'
import { BoardroomError } from '../errors.ts'
import { codeOf, lockKeyOf } from './connection.ts'
import { type Database, openForLongWork } from './database.ts'

export interface MigrateOptions {
  /** A sentence about each migration, and about waiting for another process. */
  onProgress?: (message: string) => void
  /** Default: the released ones. */
  migrations?: readonly Migration[]
}

const lockClass = 0x0b0a_4d01

/**
 * Migrates the database to this version. If several processes start at once, one migrates and the others wait.
 * @returns the names of the newly applied migrations.
 * @throws BoardroomError database_too_new | database_unreachable | invalid_config (the role may not create tables)
 */
export const migrateUp = (database: Database, options: MigrateOptions = {}): Promise<string[]> =>
  alone(database, options, async (db, migrations) => {
    const { schema } = database
    const before = await recorded(db, schema)
    refuseUnknown(before, migrations)
    const applied: string[] = []
    for (const migration of migrations.filter(({ name }) => !before.has(name))) {
      options.onProgress?.(`migrating up: ${migration.name}`)
      if (applied.length === 0 && before.size === 0) await makeRecord(db, schema)
      await db.transaction().execute(async (trx) => {
        await migration.up(trx, schema)
        await sql`insert into ${sql.id(schema, 'migrations')} (name) values (${migration.name})`.execute(trx)
      })
      applied.push(migration.name)
    }
    return applied
  })

/**
 * Reverts the newest `count` migrations, including the data in their tables.
 * @returns their names, newest first. @throws BoardroomError database_too_new | database_unreachable
 */
export const migrateDown = (
  database: Database,
  count: number | 'all',
  options: MigrateOptions = {},
): Promise<string[]> =>
  alone(database, options, async (db, migrations) => {
    const { schema } = database
    const before = await recorded(db, schema)
    refuseUnknown(before, migrations)
    const newestFirst = migrations.filter(({ name }) => before.has(name)).reverse()
    const undone: string[] = []
    for (const migration of newestFirst.slice(0, count === 'all' ? undefined : count)) {
      options.onProgress?.(`migrating down: ${migration.name}`)
      await db.transaction().execute(async (trx) => {
        await migration.down(trx, schema)
        await sql`delete from ${sql.id(schema, 'migrations')} where name = ${migration.name}`.execute(trx)
      })
      undone.push(migration.name)
    }
    return undone
  })

export interface MigrationStatus {
  name: string
  /** null: not applied yet. */
  appliedAt: Date | null
  /** false: applied by a newer Boardroom. */
  isKnown: boolean
}

/** Every migration that the code or the database knows, in order. */
export async function migrationStatus(
  database: Database,
  migrations: readonly Migration[] = released,
): Promise<MigrationStatus[]> {
  const applied = await recorded(untyped(database), database.schema)
  const known = migrations.map(({ name }) => ({ name, appliedAt: applied.get(name) ?? null, isKnown: true }))
  const names = new Set(migrations.map(({ name }) => name))
  const unknown = [...applied]
    .filter(([name]) => !names.has(name))
    .map(([name, appliedAt]) => ({ name, appliedAt, isKnown: false }))
  return [...known, ...unknown]
}

/** The same once nobody is migrating, because a server may just be starting. */
export const settledStatus = (database: Database, options: MigrateOptions = {}): Promise<MigrationStatus[]> =>
  alone(database, options, (_, migrations) => migrationStatus(database, migrations))

/** Runs `work` on a separate connection under the lock, without time-outs. */
async function alone<Result>(
  database: Database,
  { onProgress, migrations = released }: MigrateOptions,
  work: (db: Kysely<unknown>, migrations: readonly Migration[]) => Promise<Result>,
): Promise<Result> {
  const dedicated = openForLongWork(database)
  try {
    return await untyped(dedicated)
      .connection()
      .execute(async (db) => {
        await lock(db, database.schema, onProgress)
        // The lock ends with the connection, which is closed below.
        return work(db, migrations)
      })
  } catch (error) {
    if (codeOf(error) !== '42501') throw error
    const message = `the database role may not migrate the schema "${database.schema}": ${(error as Error).message}; run "boardroom migrate up" as its owner`
    throw new BoardroomError('invalid_config', message, { cause: error })
  } finally {
    await dedicated.close()
  }
}

async function lock(
  db: Kysely<unknown>,
  schema: string,
  onProgress?: (message: string) => void,
): Promise<void> {
  for (let told = false; ; told = true) {
    const { rows } = await sql<{
      taken: boolean
    }>`select pg_try_advisory_lock(${lockClass}, ${lockKeyOf(schema)}) as taken`.execute(db)
    if (rows[0]?.taken === true) return
    if (!told) onProgress?.('another process is migrating this database; waiting for it')
    await delay(50)
  }
}

/** Names of what was applied, with the time, in order; empty where our schema is not there yet. */
async function recorded(db: Kysely<unknown>, schema: string): Promise<Map<string, Date>> {
  const table = sql.id(schema, 'migrations')
  const { rows: found } = await sql<{ exists: boolean }>`
    select exists (select from pg_tables where schemaname = ${schema} and tablename = 'migrations') as exists`.execute(
    db,
  )
  if (found[0]?.exists !== true) return new Map()
  const { rows } = await sql<{
    name: string
    applied_at: Date
  }>`select name, applied_at from ${table} order by name`.execute(db)
  return new Map(rows.map((row) => [row.name, row.applied_at]))
}

async function makeRecord(db: Kysely<unknown>, schema: string): Promise<void> {
  const { rows } = await sql<{
    exists: boolean
  }>`select exists (select from pg_namespace where nspname = ${schema}) as exists`.execute(db)
  // If an administrator created the schema, the role need not be allowed to create one.
  if (rows[0]?.exists !== true) await sql`create schema ${sql.id(schema)}`.execute(db)
  await sql`create table if not exists ${sql.id(schema, 'migrations')} (
    name text primary key, applied_at timestamptz not null default now())`.execute(db)
}

function refuseUnknown(applied: Map<string, Date>, migrations: readonly Migration[]): void {
  const known = new Set(migrations.map(({ name }) => name))
  const unknown = [...applied.keys()].filter((name) => !known.has(name))
  if (unknown.length === 0) return
  throw new BoardroomError(
    'database_too_new',
    `the database was migrated by a newer Boardroom (${unknown.join(', ')}); start that version, or use it to revert its migrations: boardroom migrate down ${unknown.length}`,
    { details: { migrations: unknown } },
  )
}

/** Migrations and their record know no row types. */
const untyped = ({ db }: Database): Kysely<unknown> => db.withoutPlugins() as unknown as Kysely<unknown>
