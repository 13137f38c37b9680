import * as nodeAssert from 'node:assert/strict'
import { sql } from 'kysely'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Migration, migrations as released } from '../../migrations/index.ts'
import { openDatabase } from '../../server/database/database.ts'
import { migrateDown, migrateUp, migrationStatus, settledStatus } from '../../server/database/migrate.ts'
import { searchKeyOf } from '../../shared/search-key.ts'
import { type TestDatabase, withEmptyDatabase } from '../helpers/database.ts'
import { make } from '../helpers/factories.ts'

const migrate = suite('migrating')
const log = pino({ level: 'silent' })

/** A migration that creates one table, named after itself. */
const making = (name: string, extra?: (schema: string) => Promise<void>): Migration => ({
  name,
  up: async (db, schema) => {
    await sql`create table ${sql.id(schema, name)} (id int)`.execute(db)
    await extra?.(schema)
  },
  down: async (db, schema) => {
    await sql`drop table ${sql.id(schema, name)}`.execute(db)
  },
})

const two = [making('0001-boards'), making('0002-links')]

const tables = async ({ pool, schema }: TestDatabase): Promise<string[]> =>
  (
    await pool.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = $1 order by 1`,
      [schema],
    )
  ).rows.map(({ name }) => name)

migrate('goes up, down and up again, in order, telling each step', () =>
  withEmptyDatabase(async (test) => {
    const said: string[] = []
    const options = { migrations: two, onProgress: (message: string) => said.push(message) }
    assert.equal(await migrateUp(test.database, options), ['0001-boards', '0002-links'])
    assert.equal(said, ['migrating up: 0001-boards', 'migrating up: 0002-links'])
    assert.equal(await migrateUp(test.database, options), [])
    assert.equal(await migrateDown(test.database, 1, options), ['0002-links'])
    assert.equal(await tables(test), ['0001-boards', 'migrations'])
    assert.equal(await migrateDown(test.database, 'all', options), ['0001-boards'])
    assert.equal(await migrateUp(test.database, options), ['0001-boards', '0002-links'])
  }),
)

migrate('folds what was stored for searching as the server folds what people type', () =>
  withEmptyDatabase(async (test) => {
    const words = [
      ...[
        'Łódź',
        'Øresund',
        'Đakovo',
        'Þórður',
        'Æbeltoft',
        'cœur',
        'Gəncə',
        'Straße',
        'İzmir',
        'Iğdır',
        'Ǿ',
      ],
      ...['ΟΔΟΣ', 'Ёлка', '計画ボード', 'ﬁn', 'Ｆｕｌｌ', '한국어', 'हिन्दी', 'قُرْآن', 'أحمد', 'שָׁלוֹם', 'मुंबई'],
      ...['l’été', 'a – b', 'co\u00adoperate', 'می\u200cخواهم', '❤\ufe0f', ' two \n lines ', 'ASCII 100%'],
    ]
    const older = released.filter(({ name }) => name < '0044')
    await migrateUp(test.database, { migrations: older })
    const { db } = test
    const { id: owner } = await make.user(db)
    /** As older versions folded it. */
    const former = (text: string) =>
      text
        .normalize('NFKC')
        .toUpperCase()
        .toLowerCase()
        .normalize('NFD')
        .replace(/[\u0300-\u036f]/g, '')
        .normalize('NFC')
    const ids: string[] = []
    for (const title of words) {
      const { id } = await make.board(db, { owner_id: owner, title })
      ids.push(id)
      await db
        .insertInto('board_search')
        .values({ board_id: id, title, title_key: former(title), text_key: former(title) })
        .execute()
    }
    await migrateUp(test.database)
    for (const [at, word] of words.entries()) {
      const row = await db
        .selectFrom('board_search')
        .select([
          'title_key',
          'text_key',
          sql<string>`${sql.id(test.schema, 'search_key')}(title)`.as('anew'),
        ])
        .where('board_id', '=', ids[at] ?? '')
        .executeTakeFirstOrThrow()
      const key = searchKeyOf(word)
      assert.is(row.text_key.trim().replace(/\s+/g, ' '), key, word)
      assert.is(row.title_key.trim().replace(/\s+/g, ' '), key, word)
      assert.is(row.anew, key, word)
    }
  }),
)

migrate('runs the released migrations up, down to nothing and up', () =>
  withEmptyDatabase(async (test) => {
    await migrateUp(test.database)
    const made = await tables(test)
    await migrateDown(test.database, 'all')
    assert.equal(await tables(test), ['migrations'])
    await migrateUp(test.database)
    assert.equal(await tables(test), made)
    assert.ok((await migrationStatus(test.database)).every(({ appliedAt }) => appliedAt !== null))
    assert.ok(released.length > 0)
  }),
)

migrate('lets several processes start at once, and applies each migration once', () =>
  withEmptyDatabase(async (test) => {
    let runs = 0
    const slow = making('0001-boards', async () => {
      runs++
      await new Promise((resolve) => setTimeout(resolve, 100)) // long enough for the others to arrive
    })
    const databases = await Promise.all(
      [1, 2, 3].map(() =>
        openDatabase({ connectionString: test.url, schema: test.schema, poolSize: 1, log }),
      ),
    )
    const said: string[] = []
    const results = await Promise.all(
      databases.map((database) =>
        migrateUp(database, { migrations: [slow], onProgress: (message) => said.push(message) }),
      ),
    )
    await Promise.all(databases.map((database) => database.close()))
    assert.is(runs, 1)
    assert.is(results.filter((applied) => applied.length === 1).length, 1)
    assert.is(said.filter((message) => message.includes('waiting')).length, 2)
  }),
)

migrate('keeps what was finished when a migration fails, and nothing of the failed one', () =>
  withEmptyDatabase(async (test) => {
    const failing = making('0002-links', async () => {
      throw new Error('half way')
    })
    await nodeAssert.rejects(
      migrateUp(test.database, { migrations: [making('0001-boards'), failing] }),
      /half way/,
    )
    assert.equal(await tables(test), ['0001-boards', 'migrations'])
    assert.equal(await migrateUp(test.database, { migrations: two }), ['0002-links'])
  }),
)

migrate('refuses a database that is newer than the code, both ways, and says what to do', () =>
  withEmptyDatabase(async (test) => {
    await migrateUp(test.database, { migrations: two })
    const older = { migrations: two.slice(0, 1) }
    const tooNew = (error: Error & { code?: string }) => {
      assert.is(error.code, 'database_too_new')
      assert.match(error.message, /newer Boardroom \(0002-links\).*boardroom migrate down 1/)
      return true
    }
    await nodeAssert.rejects(migrateUp(test.database, older), tooNew)
    await nodeAssert.rejects(migrateDown(test.database, 'all', older), tooNew)
    assert.equal(await tables(test), ['0001-boards', '0002-links', 'migrations'])
    const status = await migrationStatus(test.database, older.migrations)
    assert.equal(
      status.map(({ name, isKnown }) => [name, isKnown]),
      [
        ['0001-boards', true],
        ['0002-links', false],
      ],
    )
  }),
)

migrate('lists what is still to be applied', () =>
  withEmptyDatabase(async (test) => {
    assert.equal(
      await migrationStatus(test.database, two),
      two.map(({ name }) => ({ name, appliedAt: null, isKnown: true })),
    )
    await migrateUp(test.database, { migrations: two.slice(0, 1) })
    const [first, second] = await migrationStatus(test.database, two)
    assert.instance(first?.appliedAt, Date)
    assert.is(second?.appliedAt, null)
  }),
)

migrate('has a settled list that waits for a running migration', () =>
  withEmptyDatabase(async (test) => {
    let goOn = () => {}
    const gate = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let reachedSecond = () => {}
    const isHalfway = new Promise<void>((resolve) => {
      reachedSecond = resolve
    })
    const waiting = making('0002-links', async () => {
      reachedSecond()
      await gate
    })
    const migrations = [making('0001-boards'), waiting]
    const migrating = migrateUp(test.database, { migrations })
    await isHalfway
    const missing = (states: { appliedAt: Date | null }[]) =>
      states.filter(({ appliedAt }) => appliedAt === null).length
    assert.is(missing(await migrationStatus(test.database, migrations)), 1)
    // It reports that it waits before it tries again, so the other continues only then.
    const settled = await settledStatus(test.database, { migrations, onProgress: () => goOn() })
    assert.is(missing(settled), 0)
    await migrating
  }),
)

migrate('tells a role without permission what to do', () =>
  withEmptyDatabase(async (test) => {
    const role = `reader_${process.pid}`
    await test.pool.query(`create role ${role}`)
    try {
      const url = `${test.url}&options=${encodeURIComponent(`-c role=${role}`)}`
      const database = await openDatabase({ connectionString: url, schema: test.schema, log })
      await nodeAssert.rejects(
        migrateUp(database, { migrations: two }),
        (error: Error & { code?: string }) => {
          assert.is(error.code, 'invalid_config')
          assert.match(error.message, /may not migrate the schema "boardroom".*as its owner/)
          return true
        },
      )
      await database.close()
    } finally {
      await test.pool.query(`drop role ${role}`)
    }
  }),
)

migrate.run()
