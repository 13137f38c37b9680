import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { AuditEvent } from '../../server/audit/event.ts'
import { Repeats } from '../../server/audit/repeats.ts'
import { systemActor } from '../../server/principal.ts'

const repeats = suite('repeated refusals')

const board = '00000000-0000-4000-8000-000000000001'
const denied = (change: Partial<AuditEvent> & { ip?: string; userAgent?: string } = {}): AuditEvent => {
  const { ip = '192.0.2.1', userAgent = 'browser', ...event } = change
  return {
    action: 'access_denied',
    actor: { ...systemActor, kind: 'anonymous', name: null, ip, userAgent },
    boardId: board,
    details: { reason: 'access_denied', transport: 'socket' },
    ...event,
  }
}

repeats('are distinguished by everything that matters to an investigator', () => {
  const kinds = [
    denied(),
    denied({ details: { reason: 'wrong_link_password', transport: 'http' } }),
    denied({ details: { reason: 'access_denied', transport: 'http' } }),
    denied({ linkId: '00000000-0000-4000-8000-000000000002' }),
    denied({ userAgent: 'another browser' }),
    denied({ ip: '192.0.2.2' }),
    denied({ boardId: null }),
  ]
  const counted = new Repeats(60_000)
  for (const kind of kinds) assert.is(counted.isFirst(kind, 0), true)
  for (const kind of kinds) assert.is(counted.isFirst(kind, 1), false)
  const due = counted.takeDue(Number.POSITIVE_INFINITY)
  assert.equal(
    due.map(({ details }) => details?.repeats),
    kinds.map(() => 1),
  )
  assert.equal(
    due.map(({ linkId, actor, details }) => [linkId, actor.userAgent, details?.reason]),
    kinds.map(({ linkId, actor, details }) => [linkId, actor.userAgent, details?.reason]),
  )
})

repeats('of one address that changes its name each time are limited, and those of others continue', () => {
  const counted = new Repeats(60_000, { mostOfAddress: 3 })
  const firsts = Array.from({ length: 10 }, (_, n) => counted.isFirst(denied({ userAgent: `n ${n}` }), 0))
  assert.is(firsts.filter(Boolean).length, 3)
  assert.is(counted.isFirst(denied({ ip: '192.0.2.2' }), 0), true)
  const [rest, ...more] = counted.takeDue(60_000)
  assert.equal([rest?.actor.ip, rest?.details?.repeats, more], ['192.0.2.1', 7, []])
})

repeats('of an account are separate, whatever a stranger behind the same address does', () => {
  const counted = new Repeats(60_000, { mostOfAddress: 3 })
  const ofUser = (userId: number, route: string) => {
    const event = denied({ details: { reason: 'access_denied', transport: 'http', route } })
    return { ...event, actor: { ...event.actor, kind: 'user' as const, userId, name: 'Mal' } }
  }
  for (let n = 0; n < 10; n++) counted.isFirst(denied({ userAgent: `n ${n}` }), 0)
  assert.is(counted.isFirst(ofUser(7, 'a'), 0), true)
  const firsts = ['b', 'c', 'd', 'e'].map((route) => counted.isFirst(ofUser(7, route), 0))
  assert.equal(firsts, [true, true, false, false], 'and are bounded')
  assert.is(counted.isFirst(ofUser(8, 'a'), 0), true)
  const due = counted.takeDue(60_000)
  assert.equal(
    due.map(({ actor, details }) => [actor.userId, actor.ip, details?.repeats]),
    [
      [null, '192.0.2.1', 7],
      [7, null, 2],
    ],
  )
})

repeats('are limited in total, and those beyond the limit are still counted', () => {
  const counted = new Repeats(60_000, { mostWindows: 5 })
  for (let n = 0; n < 20; n++) counted.isFirst(denied({ ip: `192.0.2.${n}` }), 0)
  const [rest] = counted.takeDue(60_000)
  assert.equal([rest?.actor.ip, rest?.details?.repeats], [null, 15])
  assert.equal(counted.takeDue(Number.POSITIVE_INFINITY), [])
})

repeats.run()
