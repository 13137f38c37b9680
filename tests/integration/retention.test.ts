// Partitions of the trail, what may be removed from it, and migrations with data in every table.
import { rejects } from 'node:assert/strict'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AuditChain } from '../../server/audit/chain.ts'
import { verifyAudit } from '../../server/audit/verify.ts'
import { migrateDown, migrateUp } from '../../server/database/migrate.ts'
import { type TestDatabase, withDatabase, withEmptyDatabase } from '../helpers/database.ts'
import { make } from '../helpers/factories.ts'

const ask = async ({ pool }: TestDatabase, expression: string) =>
  (await pool.query(`select ${expression} as answer`)).rows[0].answer
const partitions = async ({ pool }: TestDatabase): Promise<string[]> =>
  (
    await pool.query(
      `select 'boardroom.' || relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = 'boardroom.audit_logs'::regclass order by 1`,
    )
  ).rows.map(({ name }) => name)
const monthName = (now: Date, monthsAhead: number) => {
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + monthsAhead, 1))
  return `boardroom.audit_logs_y${month.getUTCFullYear()}m${String(month.getUTCMonth() + 1).padStart(2, '0')}`
}
/** Rows from another time: those of an old instance, made by bypassing the guard. */
const rowsOf = async ({ pool }: TestDatabase, age: string, count: number) => {
  const client = await pool.connect()
  try {
    await client.query('set session_replication_role = replica')
    await client.query(
      `with old as (insert into boardroom.audit_logs (timestamp, action, category, actor_kind, actor_name, user_id) select now() - $1::interval, 'login', 'account', 'user', 'Ada', 7 from generate_series(1, $2) returning timestamp, id)
       insert into boardroom.audit_unsealed (timestamp, id) select timestamp, id from old`,
      [age, count],
    )
    await client.query('set session_replication_role = default')
  } finally {
    client.release()
  }
}

/** What a starting server logs about the default partition: how many rows are in it. */
const alarms = async ({ database }: TestDatabase): Promise<number[]> => {
  const lines: { level: number; defaultRows?: number }[] = []
  const log = pino({ level: 'error' }, { write: (line) => lines.push(JSON.parse(line)) })
  const chain = new AuditChain({ database, log, headsFile: null })
  await chain.start()
  await chain.close()
  return lines.flatMap(({ defaultRows }) => defaultRows ?? [])
}

const retention = suite('partitions of the trail')
retention('are created for this month and three more, and again only if they are missing', () =>
  withEmptyDatabase(async (test) => {
    const begun = new Date()
    await migrateUp(test.database)
    const ended = new Date()
    const made = await partitions(test)
    // A month may begin just now.
    const expected = [begun, ended].map((now) =>
      ['boardroom.audit_logs_default', ...[0, 1, 2, 3].map((ahead) => monthName(now, ahead))].sort().join(),
    )
    assert.ok(expected.includes(made.join()), made.join())
    await ask(test, 'boardroom.make_audit_partitions()')
    assert.is(await ask(test, 'boardroom.make_audit_partitions()'), 0)
    assert.is(await ask(test, 'boardroom.make_audit_partitions(5)'), 2)
    await rejects(ask(test, 'boardroom.make_audit_partitions(1000)'), { code: '22023' })
  }),
)
retention('that were not created in time leave rows in the default one, which is reported and repaired', () =>
  withDatabase(async (test) => {
    await rowsOf(test, '40 days', 3)
    await rowsOf(test, '100 days', 2)
    await ask(test, 'boardroom.seal_audit()')
    const report = async () =>
      (await test.pool.query('select * from boardroom.report_audit_partitions()')).rows[0]
    const { months_ahead } = await report()
    assert.ok(months_ahead === 3 || months_ahead === 2, `${months_ahead}, two where a month has just begun`)
    assert.is((await report()).default_rows, '5')
    assert.equal(await alarms(test), [5], 'whoever reads the log is told how many')
    assert.is(await ask(test, 'boardroom.repair_audit_partitions()'), '5')
    assert.is((await report()).default_rows, '0')
    assert.equal(await alarms(test), [])
    assert.is(await ask(test, 'boardroom.repair_audit_partitions()'), '0')
    const made = (await partitions(test)).length
    assert.ok(made === 7 || made === 8, `${made} partitions`)
    for (const name of await partitions(test)) {
      await rejects(test.pool.query(`truncate ${name}`), { code: '42501' }, name)
      await rejects(test.pool.query(`delete from ${name} where false`), { code: '42501' }, name)
      await rejects(test.pool.query(`update ${name} set action = 'read'`), { code: '42501' }, name)
    }
    assert.is((await verifyAudit(test.database)).ok, true)
  }),
)
retention(
  'that are old enough are dropped whole, after a row that records it, and verification accepts it',
  () =>
    withDatabase(async (test) => {
      await rowsOf(test, '400 days', 4)
      await test.pool.query('select boardroom.repair_audit_partitions()')
      await rejects(
        ask(test, `boardroom.drop_audit_partitions(interval '1 year')`),
        { code: '55000' },
        'not sealed yet',
      )
      await ask(test, 'boardroom.seal_audit()')
      await rejects(
        ask(test, `boardroom.drop_audit_partitions(interval '89 days')`),
        { code: '22023' },
        'the floor',
      )
      assert.is(await ask(test, `boardroom.drop_audit_partitions(interval '1 year')`), 1)
      assert.is(await ask(test, `boardroom.drop_audit_partitions(interval '1 year')`), 0)
      const rows = await test.db.selectFrom('audit_logs').selectAll().execute()
      assert.equal(
        rows.map(({ action, details }) => [action, details?.rows]),
        [['retention', 4]],
      )
      await ask(test, 'boardroom.seal_audit()')
      assert.equal(await verifyAudit(test.database), { ok: true, rows: 5, erased: 0 })
    }),
)
retention.run()

const migrations = suite('the migrations')
migrations('go down and up again with data in the tables', () =>
  withDatabase(async (test) => {
    const fill = async () => {
      for (const one of Object.values(make)) await one(test.db)
    }
    await fill()
    const down = await migrateDown(test.database, 'all')
    const { rows } =
      await test.pool.query(`select relname from pg_class where relnamespace = 'boardroom'::regnamespace and relkind in ('r', 'p')
      union all select proname from pg_proc where pronamespace = 'boardroom'::regnamespace`)
    assert.equal(
      rows.map(({ relname }) => relname),
      ['migrations'],
      'nothing is left but the record',
    )
    const applied = await migrateUp(test.database)
    assert.equal(applied, down.toReversed())
    await fill()
    const comments = () => test.db.selectFrom('comments').select(['id', 'body']).orderBy('id').execute()
    const before = await comments()
    assert.ok(before.length > 0)
    await migrateDown(test.database, 2)
    await migrateUp(test.database)
    assert.equal(await comments(), before, 'what an older migration made stays')
  }),
)
migrations.run()
