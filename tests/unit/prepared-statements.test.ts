import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PreparedStatements } from '../../server/database/prepared.ts'

const statements = suite('statements whose plans are cached')

const marked = 'select /* prepared */ 1'

statements('have a separate name each, the same every time, and only if they are marked', () => {
  const kept = new PreparedStatements(false)
  const name = kept.nameOf(marked)
  assert.match(name ?? '', /^boardroom_[0-9a-f]{24}$/)
  assert.is(kept.nameOf(marked), name)
  assert.is.not(kept.nameOf(`${marked} where true`), name)
  assert.is(kept.nameOf('select 1'), undefined)
})

statements('are not used behind a pooler, even if it is detected later', () => {
  assert.is(new PreparedStatements(true).nameOf(marked), undefined)
  const kept = new PreparedStatements(false)
  assert.not.ok(kept.notices(Object.assign(new Error('duplicate key'), { code: '23505' })))
  assert.ok(kept.nameOf(marked))
  assert.ok(kept.notices(Object.assign(new Error('no such prepared statement'), { code: '26000' })))
  assert.is(kept.nameOf(marked), undefined)
})

statements.run()
