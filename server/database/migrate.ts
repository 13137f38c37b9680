// Runs the migrations, each in a transaction of its own, under one lock.
import { type Kysely, sql } from 'kysely'
import { type Migration, migrations as released } from '../../migrations/index.ts'
import type { Database } from './database.ts'

export async function migrateUp(
  database: Database,
  migrations: readonly Migration[] = released,
): Promise<string[]> {
  const { schema } = database
  const db = database.db as unknown as Kysely<unknown>
  await sql`create schema if not exists ${sql.id(schema)}`.execute(db)
  const done: string[] = []
  for (const migration of migrations) {
    await db.transaction().execute((trx) => migration.up(trx, schema))
    done.push(migration.name)
  }
  return done
}
