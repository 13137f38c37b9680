// The two database roles, created by an operator who is no superuser, and a complete server that runs as one of them.
import { rejects } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { transactionAs } from '../../server/audit/actor.ts'
import { dropAuditMonths, eraseAudit } from '../../server/audit/retention-queries.ts'
import { verifyAudit } from '../../server/audit/verify.ts'
import { type Database, openDatabase } from '../../server/database/database.ts'
import { migrateDown, migrateUp } from '../../server/database/migrate.ts'
import { makeRoles } from '../../server/database/roles.ts'
import { systemActor } from '../../server/principal.ts'
import { schema } from '../helpers/cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { type TestServer, withServer } from '../helpers/server.ts'

const log = pino({ level: 'silent' })

const as = (url: string, role: string): string => url.replace(/\/\/[^@]*@/, `//${role}@`)

const withRole = async <Result>(url: string, role: string, work: (database: Database) => Promise<Result>) => {
  const database = await openDatabase({ connectionString: as(url, role), schema, poolSize: 2, log })
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

const withClient = async <Result>(url: string, work: (client: pg.Client) => Promise<Result>) => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

interface Roles {
  operator: string
  owner: string
  server: string
}

/** A server whose database was migrated, and whose roles were created, by an operator with only CREATEROLE. */
async function withServerRole(work: (server: TestServer, roles: Roles) => Promise<void>): Promise<void> {
  const suffix = randomUUID().slice(0, 8)
  const roles = { operator: `operator_${suffix}`, owner: `owner_${suffix}`, server: `server_${suffix}` }
  let maintenance = ''
  const prepare = async (url: string) => {
    maintenance = url.replace(/\/test_\w+/, '/postgres')
    const name = new pg.Client({ connectionString: url }).database
    await withClient(url, async (client) => {
      await client.query(`drop schema ${schema} cascade; create role ${roles.operator} login createrole`)
      await client.query(`grant create on database ${name} to ${roles.operator}`)
    })
    await withRole(url, roles.operator, async (database) => {
      await migrateUp(database)
      await makeRoles(database, roles)
      await makeRoles(database, roles) // as after every `migrate up`
    })
    return as(url, roles.server)
  }
  try {
    await withServer((server) => work(server, roles), {}, prepare)
  } finally {
    await withClient(maintenance, (client) =>
      client.query(`drop role if exists ${roles.server}, ${roles.owner}, ${roles.operator}`),
    )
  }
}

const serving = suite('a server with a role of its own, made by an operator without a superuser’s rights')

serving('does everything, and neither it nor the owner can change the trail', () =>
  withServerRole(async (server, roles) => {
    const { rows } = await server.pool.query(
      'select count(*)::integer as n from pg_stat_activity where usename = $1 and datname = current_database()',
      [roles.server],
    )
    assert.ok(rows[0].n > 0, 'it connects as its role')

    // Two people draw on it, and it is folded when the last one leaves.
    const ada = await server.user('Ada', 'sysadmin')
    const bob = await server.user('Bob')
    const board = await ada.board('Plans')
    await ada.grant(board, bob, 'edit')
    const [one, two] = [
      await server.open(board, { ticket: await ada.ticket(board) }),
      await server.open(board, { ticket: await bob.ticket(board) }),
    ]
    two.doc.getMap('m').set('by', 'Bob')
    await eventually(() => one.doc.getMap('m').get('by') === 'Bob')
    await ada.ask(
      'DELETE',
      `/api/boards/${board}/permissions/${(await permissionOf(server, board, bob.id)).id}`,
    )
    assert.is(await two.closed, 4403, 'a revocation is heard')
    one.stop()
    await eventually(async () => (await countOf(server, 'board_snapshots')) === 1)
    assert.is((await ada.ask('POST', `/api/boards/${board}/versions`, { name: 'First' })).status, 201)
    await ada.ask('DELETE', `/api/boards/${board}`)
    assert.is((await ada.ask('DELETE', `/api/boards/${board}?purge=true`)).status, 204)

    // Sealed by the server; read over HTTP.
    await eventually(async () => (await countOf(server, 'audit_unsealed')) === 0)
    await eventually(async () => {
      const trail = await ada.ask('GET', `/api/audit?board_id=${board}`)
      assert.is(trail.status, 200)
      return trail.body.items.some((row: { action: string }) => row.action === 'leave')
    })

    const forbidden = [
      `update ${schema}.audit_logs set action = 'read'`,
      `delete from ${schema}.audit_logs`,
      `truncate ${schema}.audit_logs`,
      `update ${schema}.audit_chain set seq = seq`,
      `delete from ${schema}.audit_chain`,
      `truncate ${schema}.audit_chain`,
    ]
    for (const role of [roles.server, roles.owner])
      await withClient(as(server.url, role), async (client) => {
        for (const statement of forbidden)
          await rejects(client.query(statement), { code: '42501' }, statement)
      })

    // Removing anything from the trail requires the owner, which the server is not.
    await withRole(server.url, roles.server, async ({ db }) => {
      await rejects(eraseAudit(db, schema, { userId: bob.id }), { code: '42501' })
      await rejects(dropAuditMonths(db, schema, 100), { code: '42501' })
    })
    await withRole(server.url, roles.owner, async (database) => {
      const erased = await transactionAs(database.db, systemActor, (trx) =>
        eraseAudit(trx, schema, { userId: bob.id }),
      )
      assert.ok(erased > 0)
      await database.pool.query(
        `create table ${schema}.audit_logs_y2020m01 partition of ${schema}.audit_logs for values from ('2020-01-01Z') to ('2020-02-01Z')`,
      )
      const months = await transactionAs(database.db, systemActor, (trx) => dropAuditMonths(trx, schema, 100))
      assert.is(months, 1)
      await eventually(async () => (await countOf(server, 'audit_unsealed')) === 0)
      const verified = await verifyAudit(database)
      assert.equal([verified.ok, verified.erased], [true, Number(erased)])
      const [newest] = await migrateDown(database, 1)
      assert.equal(await migrateUp(database), [newest], 'and the owner migrates')
    })
  }),
)

const permissionOf = (server: TestServer, board: string, userId: number) =>
  server.db
    .selectFrom('board_permissions')
    .select('id')
    .where('board_id', '=', board)
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()

const countOf = async ({ pool }: TestServer, table: string): Promise<number> =>
  (await pool.query(`select count(*)::integer as n from ${schema}.${table}`)).rows[0].n

serving.run()
