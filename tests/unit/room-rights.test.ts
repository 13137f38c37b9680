// Permission changes that take effect at once: races between queries, answers, notifications and joins, controlled by
// hand.

import * as nodeAssert from 'node:assert/strict'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CloseCode, MessageType } from '../../shared/protocol.ts'
import { settle, TestRooms } from '../helpers/rooms.ts'
import { PairedClient } from '../helpers/socket-pair.ts'

const rights = suite('permission changes that take effect at once')

rights('a change between decision and admission is not missed', async () => {
  const test = new TestRooms()
  test.access.set('user:1', 'edit')
  const pending = test.rooms.rights.register(test.joining({ user: 1 }))
  const decision = await pending.decide()
  test.access.set('user:1', null)
  test.rooms.rights.notified(['b:board'])
  const client = new PairedClient()
  await nodeAssert.rejects(test.rooms.join(pending, decision, client.socket), { code: 'access_denied' })
  assert.is(test.rooms.stats().connections, 0)
  await settle()
  assert.is(test.rooms.stats().rooms, 0, 'the room that was opened for it is closed again')
})

rights('an outdated answer does not decide a join', async () => {
  const test = new TestRooms()
  test.access.set('user:1', 'edit')
  test.access.isHandMade = true
  const pending = test.rooms.rights.register(test.joining({ user: 1 }))
  const decided = pending.decide()
  await settle()
  test.access.set('user:1', 'view')
  test.rooms.rights.notified(['u:1'])
  test.access.questions[0]?.answer()
  await settle()
  test.access.questions[1]?.answer()
  assert.is((await decided).level, 'view')
})

rights('one query runs at a time, and is repeated if something changed meanwhile', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1, own: true })
  test.access.isHandMade = true
  test.access.set('user:1', 'comment')
  test.rooms.rights.notified(['u:1'])
  await settle()
  test.access.set('user:1', 'view')
  for (let i = 0; i < 5; i++) test.rooms.rights.notified(['u:1', 'b:board'])
  await settle()
  assert.is(test.access.questions.length, 1)
  test.access.questions[0]?.answer()
  await settle()
  assert.is(test.access.questions.length, 2)
  test.access.questions[1]?.answer()
  await settle()
  client.receive()
  assert.equal(
    client.of(MessageType.level).map((each) => each.json?.level),
    ['comment', 'view'],
  )
  assert.is(test.access.questions.length, 2, 'and then there is peace')
})

rights('all decisions of one moment share one query', async () => {
  const test = new TestRooms()
  for (let i = 1; i <= 20; i++) await test.join({ user: i })
  const before = test.access.asked
  test.rooms.rights.notified(['b:board', 'u:3', '*'])
  await settle()
  assert.is(test.access.asked, before + 1)
})

rights('notifications during a query share the next one, after it or in parallel to a slow one', async () => {
  const test = new TestRooms()
  for (const user of [1, 2, 3, 4, 5]) await test.join({ user })
  test.access.isHandMade = true
  test.rooms.rights.notified(['u:1'])
  await settle()
  for (const payload of ['u:2', 'u:3']) {
    test.rooms.rights.notified([payload])
    await settle()
  }
  const asked = () => test.access.questions.map(({ subjects }) => subjects.length)
  assert.equal(asked(), [1])
  test.access.questions[0]?.answer()
  await settle()
  assert.equal(asked(), [1, 2])
  for (const payload of ['u:4', 'u:5']) {
    test.rooms.rights.notified([payload])
    await settle()
  }
  assert.equal(asked(), [1, 2])
  await test.clock.advance(20)
  assert.equal(asked(), [1, 2, 2], 'the second is not answered yet')
})

rights('an unrelated notification triggers no decision about a connection', async () => {
  const test = new TestRooms()
  await test.join({ user: 1 })
  const before = test.access.asked
  test.rooms.rights.notified(['b:other', 'u:2', 'g:1', 's:1', 'h:beat'])
  await settle()
  assert.is(test.access.asked, before)
})

rights('access that expires ends on time', async () => {
  const test = new TestRooms()
  const end = test.clock.wall() + 5000
  test.access.set('guest:g', 'edit', { nextChangeAt: new Date(end) })
  const { client } = await test.join({ guest: 'g' })
  test.access.set('guest:g', null, { credential: 'ended' })
  await test.clock.advance(4900)
  assert.is(client.closeCode, null)
  await test.clock.advance(200)
  assert.is(client.closeCode, CloseCode.notSignedIn)
})

rights('everybody is checked every minute, with or without a notification', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1 })
  test.access.set('user:1', null)
  await test.clock.advance(30_000)
  await test.clock.advance(31_000)
  assert.is(client.closeCode, CloseCode.noAccess)
})

rights('without answers, joins are refused at once and live rooms end after a minute', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1 })
  test.access.isAway = true
  test.rooms.rights.notified(['*'])
  await settle()
  assert.is(client.closeCode, null)
  assert.is(test.rooms.rights.refusesJoins, true)
  const pending = test.rooms.rights.register(test.joining({ user: 2 }))
  await nodeAssert.rejects(pending.decide(), { code: 'database_unreachable' })
  pending.cancel()
  for (let i = 0; i < 6; i++) {
    await test.clock.advance(9_000)
  }
  assert.is(client.closeCode, null)
  await test.clock.advance(8_000)
  assert.is(client.closeCode, CloseCode.busy)
})

rights('a short outage changes nothing, and access lost meanwhile is noticed', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const { client: bob } = await test.join({ user: 2 })
  test.access.isAway = true
  test.rooms.rights.notified(['*'])
  await test.clock.advance(5000)
  test.access.isAway = false
  test.access.set('user:2', null)
  await test.clock.advance(2000)
  assert.is(ada.closeCode, null)
  assert.is(bob.closeCode, CloseCode.noAccess)
  assert.is(test.rooms.rights.refusesJoins, false)
})

rights('nothing is left behind when everybody is gone', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1 })
  test.access.set('user:1', 'edit', { nextChangeAt: new Date(test.clock.wall() + 1e6) })
  test.rooms.rights.notified(['u:1'])
  await settle()
  client.leave()
  await settle()
  assert.is(test.clock.timers, 0)
})

rights('nothing is left behind either if the last person leaves during a query', async () => {
  const test = new TestRooms()
  test.access.set('user:1', 'edit', { nextChangeAt: new Date(test.clock.wall() + 1e6) })
  const { client } = await test.join({ user: 1 })
  test.access.isHandMade = true
  test.rooms.rights.notified(['u:1'])
  await settle()
  client.leave()
  await settle()
  test.access.questions[0]?.answer()
  await settle()
  assert.is(test.clock.timers, 0)
})

rights.run()
