import * as nodeAssert from 'node:assert/strict'
import pg from 'pg'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ServerLockOptions, takeServerLock } from '../../server/database/server-lock.ts'
import { type TestDatabase, withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'

const lock = suite('the lock of the one server')
const log = pino({ level: 'silent' })

const take = ({ database, schema }: TestDatabase, options: Partial<ServerLockOptions> = {}) =>
  takeServerLock({ direct: database.direct, schema, log, ...options })

/** Only of this test's database: the cluster is shared. */
const inOurs = `locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`
const ours = `${inOurs} and granted`

const terminateHolders = ({ pool }: TestDatabase) =>
  pool.query(`select pg_terminate_backend(pid) from pg_locks where ${ours}`)

const holders = async ({ pool }: TestDatabase): Promise<number[]> =>
  (await pool.query<{ pid: number }>(`select pid from pg_locks where ${ours}`)).rows.map(({ pid }) => pid)

lock('lets a second server wait for the first to stop', () =>
  withDatabase(async (test) => {
    const first = await take(test)
    const said: string[] = []
    const second = take(test, { onWaiting: (message) => said.push(message) })
    await eventually(() => said.length === 1)
    assert.match(said[0] ?? '', `process ${process.pid}`)
    await first.release()
    await (await second).release()
    assert.equal(await holders(test), [])
  }),
)

lock('refuses the second in one line that names the first if it does not stop', () =>
  withDatabase(async (test) => {
    const first = await take(test)
    await nodeAssert.rejects(take(test, { patienceMs: 300 }), (error: Error & { code?: string }) => {
      assert.is(error.code, 'database_in_use')
      assert.match(error.message, new RegExp(`process ${process.pid} on .*stop it first`))
      assert.not.match(error.message, '\n')
      return true
    })
    await first.release()
  }),
)

lock('is one for each schema', () =>
  withDatabase(async (test) => {
    const first = await take(test)
    const second = await take(test, { schema: 'another', patienceMs: 0 })
    await Promise.all([first.release(), second.release()])
  }),
)

lock('is acquired again when its connection dies', () =>
  withDatabase(async (test) => {
    const first = await take(test)
    const before = await holders(test)
    await terminateHolders(test)
    const after = await eventually(async () => {
      const now = await holders(test)
      return now.length === 1 && now[0] !== before[0] && now
    })
    assert.is(after.length, 1)
    await nodeAssert.rejects(take(test, { patienceMs: 0 }), { code: 'database_in_use' })
    await first.release()
  }),
)

lock('is acquired again when its connection froze: the former session, which is ours, is terminated', () =>
  withDatabase(async (test) => {
    const first = await take(test, { heartbeatMs: 600 })
    const [pid = 0] = await holders(test)
    process.kill(pid, 'SIGSTOP')
    // The heartbeat gives up after 0.3 s; the frozen session holds the lock until it can be told to end.
    await eventually(async () => (await connectionsOf(test)) >= 2)
    process.kill(pid, 'SIGCONT')
    await eventually(async () => {
      const now = await holders(test)
      return now.length === 1 && now[0] !== pid
    })
    await first.release()
  }),
)

const connectionsOf = async ({ pool }: TestDatabase): Promise<number> =>
  (
    await pool.query(
      `select from pg_stat_activity where application_name like 'boardroom server%' and datname = current_database()`,
    )
  ).rowCount ?? 0

lock('reports that another server acquired it meanwhile', () =>
  withDatabase(async (test) => {
    const lost: string[] = []
    const first = await take(test, { onLost: (error) => lost.push(error.message) })
    const other = new pg.Client({
      connectionString: test.url,
      application_name: 'boardroom server 7 on elsewhere',
    })
    await other.connect()
    // It is queued, and so has the lock the moment that the first loses it.
    const { rows } = await test.pool.query(`select classid::int, objid::int8 from pg_locks where ${ours}`)
    const taken = other.query('select pg_advisory_lock($1, ($2::int8::bit(32))::int)', [
      rows[0].classid,
      rows[0].objid,
    ])
    await eventually(async () => (await waiting(test)) === 1)
    await terminateHolders(test)
    await taken
    await eventually(() => lost.length === 1)
    assert.match(lost[0] ?? '', 'process 7 on elsewhere')
    await other.end()
    await eventually(async () => (await holders(test)).length === 1)
    await first.release()
  }),
)

const waiting = async ({ pool }: TestDatabase): Promise<number> =>
  (await pool.query(`select from pg_locks where ${inOurs} and not granted`)).rowCount ?? 0

lock.run()
