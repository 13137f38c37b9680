// The factories themselves: the database accepts what they create, and no table of the schema is without one.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withDatabase } from '../helpers/database.ts'
import { linkStates, make } from '../helpers/factories.ts'

const factories = suite('factories')

factories('create rows that the database accepts, from defaults alone, any number of them', () =>
  withDatabase(async ({ db }) => {
    for (const [name, one] of Object.entries(make)) {
      const rows = [await one(db), await one(db)]
      assert.not.equal(rows[0], rows[1], name)
      const stored = await db.selectFrom(one.table).selectAll().execute()
      for (const row of rows)
        assert.ok(
          stored.some((each) => JSON.stringify(each) === JSON.stringify(row)),
          name,
        )
    }
  }),
)

factories('exist for every table of the schema', () =>
  withDatabase(async ({ pool, schema }) => {
    const { rows } = await pool.query<{ name: string }>(
      `select relname as name from pg_class
       where relnamespace = $1::regnamespace and relkind in ('r', 'p') and not relispartition and relname <> 'migrations'`,
      [schema],
    )
    const made = new Set<string>(Object.values(make).map(({ table }) => table))
    const without = rows.map(({ name }) => name).filter((name) => !made.has(name))
    assert.equal(without, [], 'tables without a factory in tests/helpers/factories.ts')
    assert.equal(made.size, rows.length, 'factories of tables that are gone')
  }),
)

factories('prefer given values to their defaults, and create no more than is missing', () =>
  withDatabase(async ({ db }) => {
    const countOf = async (table: 'users' | 'boards' | 'guests') =>
      (await db.selectFrom(table).select('id').execute()).length
    const ada = await make.user(db, { name: 'Ada', role: 'admin' })
    assert.equal([ada.name, ada.role, ada.is_active], ['Ada', 'admin', true])
    const board = await make.board(db, { owner_id: ada.id })
    const everyone = await make.permission(db, { board_id: board.id, user_id: null, level: 'edit' })
    assert.equal([everyone.user_id, everyone.level], [null, 'edit'])
    const guest = await make.guest(db)
    for (const state of Object.values(linkStates)) {
      const link = await make.shareLink(db, { board_id: board.id, ...state })
      await make.linkUse(db, { link_id: link.id, guest_id: guest.id })
    }
    await make.consent(db, { guest_id: guest.id })
    await make.file(db, { board_id: board.id, id: 'thumbnail', mime: 'image/webp' })
    await make.version(db, { board_id: board.id, name: 'First' })
    await make.comment(db, { author: `user:${ada.id}`, author_name: ada.name, body: 'Here' })
    assert.equal(
      [await countOf('boards'), await countOf('guests')],
      [2, 1],
      'the comment’s thread has a board',
    )
  }),
)

factories.run()
