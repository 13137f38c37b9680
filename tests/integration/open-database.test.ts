import * as nodeAssert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { sql } from 'kysely'
import pg from 'pg'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DatabaseOptions, openDatabase } from '../../server/database/database.ts'
import { withDatabase, withEmptyDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { withProxy } from '../helpers/proxy.ts'
import { endPool } from '../helpers/test-pool.ts'

const opening = suite('opening a database')
const log = pino({ level: 'silent' })

const open = (options: Partial<DatabaseOptions>) => openDatabase({ schema: 'boardroom', log, ...options })

const refusal = (code: string, words: RegExp) => (error: Error & { code?: string }) => {
  assert.is(error.code, code, error.message)
  assert.match(error.message, words)
  assert.not.match(error.message, /\n|s3cret/)
  return true
}

/** Ends every other session of a database, and returns only then, without running our event loop. */
function terminateOthers(url: string): void {
  const script = `import pg from 'pg'
    const client = new pg.Client({ connectionString: process.argv[1] })
    await client.connect()
    await client.query("select pg_terminate_backend(pid, 30000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
    await client.end()`
  execFileSync(process.execPath, ['--input-type=module', '-e', script, url], { cwd: import.meta.dirname })
}

opening('says in one line, without the password, why it cannot', () =>
  withEmptyDatabase(async ({ url }) => {
    const cases: [string, RegExp][] = [
      [
        'postgres://ada:s3cret@127.0.0.1:1/boards',
        /"boards" at 127\.0\.0\.1:1 as "ada": nothing listens there; check DATABASE_URL/,
      ],
      ['postgres://ada:s3cret@localhost:1/boards', /nothing listens there/],
      ['postgres://ada:s3cret@no-such-host.invalid/boards', /no-such-host\.invalid/],
      [url.replace(/\/test_\w+/, '/no_such'), /there is no database with that name/],
      [
        url.replace('boardroom@', 'mallory:s3cret@'),
        /as "mallory": role "mallory" does not exist; check DATABASE_URL/,
      ],
      [url.replace('%2F', '%2Fnowhere%2F'), /there is no such socket/],
    ]
    for (const [wrong, words] of cases) {
      await nodeAssert.rejects(
        open({ connectionString: wrong }),
        refusal('database_unreachable', words),
        wrong,
      )
    }
  }),
)

opening('waits no longer than configured for a silent server', () =>
  withEmptyDatabase(({ url }) =>
    withProxy(
      url,
      () => Buffer.alloc(0),
      async (proxy) => {
        const start = performance.now()
        const timeOuts = { connectMs: 400, answerMs: 400, statementMs: 0 }
        await nodeAssert.rejects(
          open({ connectionString: proxy.url, timeOuts }),
          refusal('database_unreachable', /no answer/),
        )
        assert.ok(performance.now() - start < 20_000)
      },
    ),
  ),
)

opening('refuses a Postgres older than 15', () =>
  withEmptyDatabase(({ url }) => {
    const pretend = (bytes: Buffer) =>
      Buffer.from(bytes.toString('latin1').replace(/\b18(\d{4})\b/, '14$1'), 'latin1')
    return withProxy(url, pretend, (proxy) =>
      nodeAssert.rejects(
        open({ connectionString: proxy.url }),
        refusal('invalid_config', /is Postgres 14; Boardroom needs 15 or newer/),
      ),
    )
  }),
)

opening('names the setting whose address does not answer', () =>
  withEmptyDatabase(({ url }) =>
    nodeAssert.rejects(
      open({ connectionString: url, directConnectionString: 'postgres://127.0.0.1:1/nowhere' }),
      refusal('database_unreachable', /check BOARDROOM_DATABASE_DIRECT_URL$/),
    ),
  ),
)

opening('requires a direct URL behind a pooler, and uses it', () =>
  withEmptyDatabase(({ url }) => {
    // A pooler hands out its own process ids: the BackendKeyData message ('K', 12 bytes) carries them.
    const pretend = (bytes: Buffer) => {
      const changed = Buffer.from(bytes)
      const at = changed.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]))
      if (at >= 0) changed.writeInt32BE(1, at + 5)
      return changed
    }
    return withProxy(url, pretend, async (proxy) => {
      await nodeAssert.rejects(
        open({ connectionString: proxy.url }),
        refusal('invalid_config', /pooler.*BOARDROOM_DATABASE_DIRECT_URL/),
      )
      await nodeAssert.rejects(
        open({ connectionString: proxy.url, directConnectionString: proxy.url }),
        refusal('invalid_config', /DIRECT_URL also uses a connection pooler/),
      )
      await withEmptyDatabase((other) =>
        nodeAssert.rejects(
          open({ connectionString: proxy.url, directConnectionString: other.url }),
          refusal('invalid_config', /point to different databases/),
        ),
      )
      const database = await open({ connectionString: proxy.url, directConnectionString: url })
      assert.is(database.direct, url)
      // PgBouncer refuses statement_timeout as a start-up parameter.
      const { rows } = await database.pool.query(`select current_setting('statement_timeout') as limit`)
      assert.equal(rows, [{ limit: '0' }])
      await database.close()
    })
  }),
)

opening('sets a limit for every statement', () =>
  withDatabase(async ({ pool }) => {
    const { rows } = await pool.query(
      `select current_setting('statement_timeout') as statement, current_setting('idle_in_transaction_session_timeout') as idle`,
    )
    assert.equal(rows, [{ statement: '15s', idle: '1min' }])
  }),
)

/** For what must succeed, even on a busy machine; tests shorten it for what must fail. */
const patient = { connectMs: 30_000, answerMs: 30_000, statementMs: 0 }

const failing = suite('a database that fails')

failing('retries without an error if pooled connections died unnoticed', () =>
  withDatabase(async ({ db, url }) => {
    const ask = () => sql<{ one: number }>`select 1 as one`.execute(db)
    await Promise.all([ask(), ask(), ask()])
    terminateOthers(url)
    assert.equal((await ask()).rows, [{ one: 1 }])
    await Promise.all([ask(), ask(), ask()])
    terminateOthers(url)
    const inTransaction = await db
      .transaction()
      .execute((trx) => sql<{ one: number }>`select 1 as one`.execute(trx))
    assert.equal(inTransaction.rows, [{ one: 1 }])
  }),
)

failing('never repeats a statement that may have been executed', () =>
  withDatabase(async ({ db, url, pool }) => {
    await pool.query('create table boardroom.marks (id int)')
    // The transaction of this one statement is committed, and its connection dies before the answer arrives.
    await pool.query(`create function boardroom.die() returns trigger language plpgsql as $$
      begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$`)
    await pool.query(
      'create trigger die after insert on boardroom.marks for each statement execute function boardroom.die()',
    )
    await withProxy(
      url,
      (bytes) => bytes,
      async (proxy) => {
        const other = await open({ connectionString: proxy.url })
        await sql`select 1`.execute(other.db)
        const hanging = sql`insert into boardroom.marks select 1 from pg_sleep(0.2)`.execute(other.db)
        await nodeAssert.rejects(hanging, { code: 'database_unreachable' })
        await other.close()
      },
    )
    const { rows } = await sql<{ count: string }>`select count(*) from boardroom.marks`.execute(db)
    assert.equal(rows, [{ count: '0' }])
  }),
)

failing('gives callers one code, and does not end the process while a transaction is idle', () =>
  withDatabase(async ({ db, url }) => {
    const lost = db.transaction().execute(async (trx) => {
      await sql`select 1`.execute(trx)
      terminateOthers(url)
      await new Promise((resolve) => setTimeout(resolve, 20)) // lets the event loop notice
      await sql`select 1`.execute(trx)
    })
    await nodeAssert.rejects(lost, { code: 'database_unreachable' })
    assert.is((await sql`select 1`.execute(db)).rows.length, 1)
  }),
)

failing('that hangs is abandoned in time, and its connections are not reused', () =>
  withDatabase(({ url }) =>
    withProxy(
      url,
      (bytes) => bytes,
      async (proxy) => {
        const timeOuts = { ...patient }
        const database = await open({ connectionString: proxy.url, poolSize: 2, timeOuts })
        await sql`select 1`.execute(database.db)
        proxy.freeze()
        timeOuts.answerMs = 300
        await nodeAssert.rejects(sql`select 2`.execute(database.db), { code: 'database_unreachable' })
        await eventually(() => database.pool.totalCount === 0)
        timeOuts.answerMs = patient.answerMs
        assert.equal((await sql<{ n: number }>`select 3 as n`.execute(database.db)).rows, [{ n: 3 }])
        await database.close()
      },
    ),
  ),
)

failing('does not keep close() waiting', () =>
  withDatabase(({ url }) =>
    withProxy(
      url,
      (bytes) => bytes,
      async (proxy) => {
        const database = await open({ connectionString: proxy.url })
        const never = sql`select pg_sleep(60)`
          .execute(database.db)
          .catch((error: Error & { code?: string }) => error.code)
        await eventually(() => database.pool.totalCount === 1)
        proxy.freeze()
        const start = performance.now()
        await database.close()
        assert.ok(performance.now() - start < 30_000)
        assert.is(await never, 'closing')
      },
    ),
  ),
)

const embedding = suite("an embedder's pool")

embedding('is used, and left open and without our listeners', () =>
  withDatabase(async ({ url }) => {
    const pool = new pg.Pool({ connectionString: url, max: 2 })
    const before = pool.listenerCount('error')
    const database = await open({ pool })
    assert.equal((await sql<{ one: number }>`select 1 as one`.execute(database.db)).rows, [{ one: 1 }])
    await database.close()
    assert.is(pool.listenerCount('error'), before)
    assert.is((await pool.query('select 1')).rows.length, 1)
    await endPool(pool)
  }),
)

embedding('does not end the process when a connection dies within an idle transaction', () =>
  withDatabase(async ({ url }) => {
    const pool = new pg.Pool({ connectionString: url, max: 2 })
    const database = await open({ pool })
    const lost = database.db.transaction().execute(async (trx) => {
      await sql`select 1`.execute(trx)
      terminateOthers(url)
      await new Promise((resolve) => setTimeout(resolve, 20)) // lets the event loop notice
      await sql`select 1`.execute(trx)
    })
    await nodeAssert.rejects(lost, { code: 'database_unreachable' })
    await database.close()
    await endPool(pool)
  }),
)

embedding('that has no time-outs gets ours', () =>
  withDatabase(({ url }) =>
    withProxy(
      url,
      (bytes) => bytes,
      async (proxy) => {
        const pool = new pg.Pool({ connectionString: proxy.url, max: 1 })
        const timeOuts = { ...patient }
        const database = await open({ pool, timeOuts })
        await sql`select 1`.execute(database.db)
        proxy.freeze()
        timeOuts.answerMs = 300
        await nodeAssert.rejects(sql`select 2`.execute(database.db), { code: 'database_unreachable' })
        const taken = await pool.connect()
        timeOuts.connectMs = 300
        await nodeAssert.rejects(
          sql`select 3`.execute(database.db),
          { code: 'database_unreachable' },
          'a full pool',
        )
        taken.release()
        await database.close()
        await endPool(pool)
      },
    ),
  ),
)

opening.run()
failing.run()
embedding.run()
