import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RateLimit } from '../../server/routing/rate-limits.ts'

const clock = { now: 0 }
const limitOf = (limit: number, mostKeys?: number) =>
  new RateLimit({
    limit,
    windowMs: 1000,
    now: () => clock.now,
    ...(mostKeys === undefined ? {} : { mostKeys }),
  })
const limits = suite('a rate limit')

limits.before.each(() => {
  clock.now = 0
})

limits('lets the limit through at once, but no more', () => {
  const limit = limitOf(3)
  assert.equal(
    [1, 2, 3, 4].map(() => limit.take('a')),
    [true, true, true, false],
  )
})

limits('counts every key separately', () => {
  const limit = limitOf(1)
  assert.ok(limit.take('a'))
  assert.ok(limit.take('b'))
  assert.not(limit.take('a'))
})

limits('refills evenly, and never beyond the limit', () => {
  const limit = limitOf(2)
  limit.take('a')
  limit.take('a')
  assert.is(limit.retryAfterMs('a'), 500)
  clock.now = 499
  assert.not(limit.take('a'))
  clock.now = 500
  assert.is(limit.retryAfterMs('a'), 0)
  assert.ok(limit.take('a'))
  clock.now = 1_000_000
  assert.equal(
    [1, 2, 3].map(() => limit.take('a')),
    [true, true, false],
  )
})

limits('is not used up by successful attempts', () => {
  const limit = limitOf(1)
  for (let i = 0; i < 10; i++) {
    assert.ok(limit.take('a'))
    limit.giveBack('a')
  }
  limit.giveBack('a')
  assert.ok(limit.take('a'))
  assert.not(limit.take('a'), 'giving back more than was taken wins nothing')
})

limits('holds a bounded number of keys and evicts the least recently seen', () => {
  const limit = limitOf(1, 3)
  for (const key of ['a', 'b', 'c']) limit.take(key)
  limit.retryAfterMs('a')
  limit.take('d')
  assert.is(limit.size, 3)
  assert.not(limit.take('a'), 'seen lately')
  for (let i = 0; i < 1000; i++) limit.take(`x${i}`)
  assert.is(limit.size, 3)
})

limits.run()
