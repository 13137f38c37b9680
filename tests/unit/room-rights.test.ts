// Permission changes that take effect at once: races between queries, answers, notifications and joins, controlled by
// hand.

import * as nodeAssert from 'node:assert/strict'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CloseCode, MessageType } from '../../shared/protocol.ts'
import { settle, TestRooms } from '../helpers/rooms.ts'
import { PairedClient } from '../helpers/socket-pair.ts'

const rights = suite('rights that follow at once')

rights('a change between question and admission is not missed', async () => {
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

rights('an answer that is out of date when it comes is not the decision of a join', async () => {
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

rights('one question is under way, and it is put again where something changed meanwhile', async () => {
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

rights('everybody of one moment is asked about in one query', async () => {
  const test = new TestRooms()
  for (let i = 1; i <= 20; i++) await test.join({ user: i })
  const before = test.access.asked
  test.rooms.rights.notified(['b:board', 'u:3', '*'])
  await settle()
  assert.is(test.access.asked, before + 1)
})

rights(
  'what is notified while a question is under way is asked together, after it or beside a slow one',
  async () => {
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
  },
)

rights('what does not concern a connection does not ask about it', async () => {
  const test = new TestRooms()
  await test.join({ user: 1 })
  const before = test.access.asked
  test.rooms.rights.notified(['b:other', 'u:2', 'g:1', 's:1', 'h:beat'])
  await settle()
  assert.is(test.access.asked, before)
})

rights('what ends by the clock ends by the clock', async () => {
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

rights('everybody is asked about every minute, notified or not', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1 })
  test.access.set('user:1', null)
  await test.clock.advance(30_000)
  await test.clock.advance(31_000)
  assert.is(client.closeCode, CloseCode.noAccess)
})

rights('while nobody answers, joins are refused at once and live rooms end after a minute', async () => {
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

rights('an outage that ends in time changes nothing, and what was lost meanwhile is noticed', async () => {
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

rights('nothing is left behind either where the last one goes while an answer is under way', async () => {
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
