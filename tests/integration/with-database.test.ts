import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withDatabase } from '../helpers/database.ts'

const helper = suite('the database of a test')

helper('is real, keeps fsync on, and is its own', () =>
  withDatabase(({ pool }) =>
    withDatabase(async (other) => {
      await pool.query('create table mine ()')
      const { rows } = await other.pool.query(
        `select to_regclass('mine') as mine, current_setting('fsync') as fsync`,
      )
      assert.equal(rows, [{ mine: null, fsync: 'on' }])
    }),
  ),
)

helper.run()
