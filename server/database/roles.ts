// Two database roles: one that owns the schema and runs migrations, and one for the server that can do everything the
// server needs but cannot change the trail. See docs/data-model.md#roles.
import { type Kysely, sql } from 'kysely'
import { BoardroomError } from '../errors.ts'
import type { Database } from './database.ts'
import type { Tables } from './tables.ts'

export interface RoleNames {
  /** Owns schema, tables and functions; runs migrations, retention, erasure and repair. */
  owner: string
  /** The role that the server connects with. */
  server: string
}

/** The server's privileges on the trail; it may read and write everything else in the schema. */
const trailGrants: Record<string, string> = {
  audit_logs: 'select, insert',
  audit_chain: 'select',
  audit_unsealed: 'select, insert',
}

const serverFunctions = [
  'make_audit_partitions(integer)',
  'report_audit_partitions()',
  'seal_audit(integer)',
  'verify_audit_chain(bigint, bigint, timestamptz)',
  'verify_audit_rows(timestamptz, uuid, integer)',
  'verify_audit_erasures()',
]

/**
 * Creates both roles if they are missing (with LOGIN but without a password: set one with `alter role`), gives the schema
 * to the owner, and grants the server only what it needs. Run it again after every `migrate up`.
 * @throws BoardroomError invalid_config for names that are not roles, or are equal; the database's own errors where the
 * asker may not do this (it takes a superuser, or CREATEROLE and the ownership of the schema).
 */
export async function makeRoles({ db, schema }: Database, { owner, server }: RoleNames): Promise<void> {
  for (const name of [owner, server]) {
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name) || name.startsWith('pg_')) {
      throw new BoardroomError(
        'invalid_config',
        `expected a role name of lower case letters, digits and _, got ${JSON.stringify(name)}`,
      )
    }
  }
  if (owner === server)
    throw new BoardroomError('invalid_config', 'the owner and the server must be different roles')
  await db.transaction().execute(async (trx) => {
    for (const name of [owner, server]) await makeRole(trx, name)
    await mayBecome(trx, owner)
    await handOver(trx, schema, owner)
    await grantToServer(trx, schema, server)
  })
}

async function makeRole(trx: Kysely<Tables>, name: string): Promise<void> {
  const { rows } = await sql`select from pg_roles where rolname = ${name}`.execute(trx)
  if (rows.length === 0) await sql`create role ${sql.id(name)} login`.execute(trx)
}

/**
 * Without superuser rights, the current role must be able to become the owner in order to give it objects. Since Postgres
 * 16 the creator of a role has the admin option on it, also for itself, but cannot become it by that alone.
 */
async function mayBecome(trx: Kysely<Tables>, name: string): Promise<void> {
  const { rows } = await sql<{ may: boolean }>`
    select pg_has_role(current_user, ${name}, case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end) as may
  `.execute(trx)
  if (rows[0]?.may === false) await sql`grant ${sql.id(name)} to current_user`.execute(trx)
}

async function handOver(trx: Kysely<Tables>, schema: string, owner: string): Promise<void> {
  await sql`alter schema ${sql.id(schema)} owner to ${sql.id(owner)}`.execute(trx)
  const { rows: tables } = await sql<{ name: string }>`
    select relname as name from pg_class where relnamespace = (select oid from pg_namespace where nspname = ${schema}) and relkind in ('r', 'p') order by relkind desc, relname
  `.execute(trx)
  for (const { name } of tables)
    await sql`alter table ${sql.id(schema, name)} owner to ${sql.id(owner)}`.execute(trx)
  const { rows: functions } = await sql<{ signature: string }>`
    select oid::regprocedure::text as signature from pg_proc where pronamespace = (select oid from pg_namespace where nspname = ${schema})
  `.execute(trx)
  // regprocedure quotes what needs quoting
  for (const { signature } of functions)
    await sql`alter function ${sql.raw(signature)} owner to ${sql.id(owner)}`.execute(trx)
}

async function grantToServer(trx: Kysely<Tables>, schema: string, server: string): Promise<void> {
  const role = sql.id(server)
  await sql`grant usage on schema ${sql.id(schema)} to ${role}`.execute(trx)
  await sql`revoke all on all tables in schema ${sql.id(schema)} from ${role}`.execute(trx)
  const { rows: tables } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relnamespace = (select oid from pg_namespace where nspname = ${schema}) and relkind in ('r', 'p') and not relispartition
  `.execute(trx)
  for (const { name } of tables) {
    const privileges =
      trailGrants[name] ?? (name.includes('migration') ? 'select' : 'select, insert, update, delete')
    await sql`grant ${sql.raw(privileges)} on ${sql.id(schema, name)} to ${role}`.execute(trx)
  }
  for (const signature of serverFunctions) {
    await sql`grant execute on function ${sql.id(schema)}.${sql.raw(signature)} to ${role}`.execute(trx)
  }
}
