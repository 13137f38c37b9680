// What one client can do to a room: other people's presence, floods, slowness, invalid input; and how rooms end.

import * as nodeAssert from 'node:assert/strict'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { BoardroomError } from '../../server/errors.ts'
import { CloseCode, encodeSync, MessageType, SyncStep } from '../../shared/protocol.ts'
import { draw, drawn, settle, TestRooms } from '../helpers/rooms.ts'
import { awarenessMessage, PairedClient } from '../helpers/socket-pair.ts'

const presence = suite('presence')

presence(
  'a state reaches everybody, including its sender, under the name that the server knows',
  async () => {
    const test = new TestRooms()
    const { client: ada } = await test.join({ user: 1 })
    const { client: bob } = await test.join({ user: 2, level: 'view' })
    ada.presence(11, 1, {
      user: { name: 'Root', color: 'red' },
      x: 1,
      principal: { kind: 'user', id: 'user:9' },
    })
    await test.clock.advance(50)
    for (const client of [ada, bob]) {
      client.receive()
      assert.equal(client.states.get(11), {
        user: { name: 'Name of user:1', color: 'red' },
        x: 1,
        principal: { kind: 'user', id: 'user:1', name: 'Name of user:1' },
      })
    }
  },
)

presence('nobody can update, move or remove the ids of another principal', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const { client: eve } = await test.join({ user: 2 })
  ada.presence(11, 1, { x: 1 })
  await test.clock.advance(50)
  eve.presence(11, 2, { x: 666 })
  eve.presence(11, 3, null)
  await test.clock.advance(50)
  ada.presence(11, 2, { x: 2 })
  await test.clock.advance(50)
  eve.receive()
  assert.is((eve.states.get(11) as { x: number }).x, 2)
  eve.leave()
  await test.clock.advance(50)
  ada.receive()
  assert.is.not(ada.states.get(11), null)
})

presence(
  'a newer connection of the same principal takes over, and the older one ends without effect',
  async () => {
    const test = new TestRooms()
    const { client: old } = await test.join({ user: 1 })
    const { client: bob } = await test.join({ user: 2 })
    old.presence(11, 1, { x: 1 })
    await test.clock.advance(50)
    const { client: renewed } = await test.join({ user: 1 })
    renewed.presence(11, 2, { x: 2 })
    await test.clock.advance(50)
    old.leave()
    await test.clock.advance(50)
    bob.receive()
    assert.is((bob.states.get(11) as { x: number }).x, 2)
    renewed.leave()
    await test.clock.advance(50)
    bob.receive()
    assert.is(bob.states.get(11), null)
  },
)

presence('an anonymous connection succeeds another one only with the same address and browser', async () => {
  const test = new TestRooms()
  test.access.set('anonymous', 'edit')
  const { client: old } = await test.join({ fingerprint: 'a' })
  old.presence(11, 1, { x: 1 })
  const { client: other } = await test.join({ fingerprint: 'b' })
  other.presence(11, 2, { x: 666 })
  const { client: renewed } = await test.join({ fingerprint: 'a' })
  renewed.presence(11, 3, { x: 3 })
  await test.clock.advance(50)
  other.receive()
  assert.is((other.states.get(11) as { x: number }).x, 3)
})

presence('a connection introduces four ids at most; broken and huge states are ignored', async () => {
  const test = new TestRooms()
  const { client: eve } = await test.join({ user: 1 })
  const { client: bob } = await test.join({ user: 2 })
  for (let id = 1; id <= 6; id++) eve.presence(id, 1, { x: id })
  await test.clock.advance(50)
  bob.receive()
  assert.equal([...bob.states.keys()], [1, 2, 3, 4])
  eve.presence(1, 2, 'not json')
  eve.presence(2, 2, [1])
  eve.presence(3, 2, { x: 'x'.repeat(20_000) })
  eve.presence(4, 2 ** 31 + 1, { x: 1 })
  await test.clock.advance(50)
  bob.receive()
  assert.equal(
    [1, 2, 3, 4].map((id) => (bob.states.get(id) as { x: number }).x),
    [1, 2, 3, 4],
  )
  assert.is(eve.closeCode, null)
})

presence('only the newest state within a batch is sent', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const { client: bob } = await test.join({ user: 2 })
  await test.clock.advance(50)
  for (let clock = 1; clock <= 100; clock++) ada.presence(11, clock, { x: clock })
  await test.clock.advance(50)
  bob.receive()
  assert.is(bob.of(MessageType.awareness).length, 2)
  assert.is((bob.states.get(11) as { x: number }).x, 100)
})

presence('states are sent at a limited rate, even together with edits', async () => {
  const test = new TestRooms({ awarenessPerSecond: 5 })
  const { client: ada } = await test.join({ user: 1 })
  const { client: bob } = await test.join({ user: 2 })
  await test.clock.advance(1000)
  for (let moved = 1; moved <= 50; moved++) {
    ada.presence(11, moved, { x: moved })
    draw(ada, 'at', moved)
    ada.send()
    await test.clock.advance(20)
  }
  await test.clock.advance(200)
  bob.receive()
  assert.ok(bob.of(MessageType.awareness).length <= 7)
  assert.is((bob.states.get(11) as { x: number }).x, 50)
})

presence('a joining client and a query get everyone', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  ada.presence(11, 1, { x: 1 })
  await test.clock.advance(50)
  const { client: late } = await test.join({ user: 2 })
  assert.is((late.states.get(11) as { x: number }).x, 1)
  late.heard.length = 0
  late.socket.say(Uint8Array.of(MessageType.queryAwareness))
  late.receive()
  assert.is((late.states.get(11) as { x: number }).x, 1)
})

presence.run()

const nonsense = suite('nonsense')
const oneStruct = (clientId: number): Uint8Array => {
  const doc = new Y.Doc()
  doc.clientID = clientId
  doc.getMap('elements').set(`${clientId}`, 1)
  return Y.encodeStateAsUpdate(doc)
}

const frames: [string, Uint8Array, boolean, number | null][] = [
  ['a text frame', new TextEncoder().encode('hello'), false, CloseCode.unsupportedData],
  ['a frame over the limit', new Uint8Array(2000), true, CloseCode.frameTooLarge],
  ['an empty frame', new Uint8Array(0), true, CloseCode.protocolViolation],
  ['a sync message that is cut off', Uint8Array.of(0, 2, 9, 1), true, CloseCode.protocolViolation],
  ['bytes after a message', Uint8Array.of(0, 2, 2, 0, 0, 7), true, CloseCode.protocolViolation],
  ['an unknown sync step', Uint8Array.of(0, 7, 0), true, CloseCode.protocolViolation],
  [
    'a state vector that announces more entries than it has',
    Uint8Array.of(0, 0, 1, 5),
    true,
    CloseCode.protocolViolation,
  ],
  ['a malformed awareness update', Uint8Array.of(1, 2, 200, 1), true, CloseCode.protocolViolation],
  ['an unknown message type', Uint8Array.of(99, 1, 2, 3), true, null],
  ['an auth message', Uint8Array.of(2, 0, 0), true, null],
]
for (const [what, frame, isBinary, code] of frames) {
  nonsense(`${what} ${code === null ? 'is ignored' : `closes with ${code}`}; the room goes on`, async () => {
    const test = new TestRooms({ maxFrameBytes: 1024 })
    const { client: eve } = await test.join({ user: 1 })
    const { client: bob } = await test.join({ user: 2 })
    eve.socket.say(frame, isBinary)
    assert.is(eve.closeCode, code)
    draw(bob, 'b', 1)
    await test.pump(bob)
    assert.equal(test.log.committed('board').getMap('elements').toJSON(), { b: 1 })
  })
}

nonsense('the third refused update within a minute closes with 4400', async () => {
  const test = new TestRooms()
  const { client: eve } = await test.join({ user: 1 })
  const bad = encodeSync(SyncStep.update, Uint8Array.of(0, 0, 0))
  for (let i = 0; i < 2; i++) eve.socket.say(bad)
  await test.clock.advance(61_000)
  assert.is(eve.closeCode, null)
  for (let i = 0; i < 2; i++) eve.socket.say(bad)
  await test.clock.advance(10)
  assert.is(eve.closeCode, null)
  eve.socket.say(bad)
  await test.clock.advance(10)
  assert.is(eve.closeCode, CloseCode.protocolViolation)
})

nonsense('a client that never gets in sync with the board is closed with 4503', async () => {
  const test = new TestRooms()
  const { client: eve } = await test.join({ user: 1 })
  const dangling = encodeSync(SyncStep.update, Uint8Array.of(1, 1, 5, 9, 0x84, 5, 8, 1, 0x61, 0))
  for (let i = 0; i < 30 && eve.closeCode === null; i++) {
    eve.socket.say(dangling)
    await test.clock.advance(600)
  }
  assert.is(eve.closeCode, CloseCode.busy)
  const asked = eve.socket.writes
  assert.ok(asked < 30)
})

nonsense('a client whose updates keep being dropped is asked for everything twice a second', async () => {
  const test = new TestRooms()
  const { client: eve } = await test.join({ user: 1 })
  await test.clock.advance(1000)
  eve.receive()
  eve.heard.length = 0
  const dangling = encodeSync(SyncStep.update, Uint8Array.of(1, 1, 5, 9, 0x84, 5, 8, 1, 0x61, 0))
  for (let i = 0; i < 98; i++) {
    eve.socket.say(dangling)
    await test.clock.advance(10)
  }
  eve.receive()
  assert.is(eve.of(MessageType.sync).filter(({ step }) => step === SyncStep.step1).length, 2)
})

nonsense("writing under a live colleague's client id is dropped; the colleague's edits live", async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const { client: eve } = await test.join({ user: 2 })
  draw(ada, 'a', 1)
  await test.pump(ada, eve)
  const forged = new Y.Doc()
  Y.applyUpdate(forged, Y.encodeStateAsUpdate(ada.doc))
  forged.clientID = ada.doc.clientID
  const before = Y.encodeStateVector(forged)
  forged.getMap('elements').set('evil', 1)
  eve.socket.say(encodeSync(SyncStep.update, Y.encodeStateAsUpdate(forged, before)))
  await test.clock.advance(50)
  draw(ada, 'b', 2)
  await test.pump(ada, eve)
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), { a: 1, b: 2 })
})

nonsense('more new client ids than a connection may bring are refused', async () => {
  const test = new TestRooms({ maxNewClientsPerConnection: 2 })
  const { client } = await test.join({ user: 1, own: true })
  for (let id = 1; id <= 3; id++) {
    client.socket.say(encodeSync(SyncStep.update, oneStruct(id)))
    await test.clock.advance(50)
  }
  assert.is(test.log.committed('board').getMap('elements').size, 2)
  await test.pump(client)
  assert.is(client.of(MessageType.notice).at(-1)?.json?.code, 'update_connection_client_ids')
})

/** An update with `count` client ids that the board does not know. */
const ofNewClients = (count: number, from: number): Uint8Array => {
  const doc = new Y.Doc()
  for (let i = 0; i < count; i++) {
    doc.clientID = from + i
    doc.getMap('elements').set(`${from + i}`, 1)
  }
  return Y.encodeStateAsUpdate(doc)
}

nonsense(
  'too many client ids of one connection are refused with the name of the limit, others continue',
  async () => {
    const test = new TestRooms({ maxNewClientsPerConnection: 24 })
    const { client } = await test.join({ user: 1, own: true })
    const { client: other } = await test.join({ user: 2, own: true })
    for (let i = 0; i < 4; i++) client.socket.say(encodeSync(SyncStep.update, ofNewClients(8, 100 + 10 * i)))
    await test.pump(client)
    const { json } = client.of(MessageType.notice).at(-1) ?? {}
    assert.is(json?.code, 'update_connection_client_ids')
    assert.match(String(json?.message), /one connection may use at most 24 new client ids/)
    assert.is(Object.keys(drawn(other)).length, 0)
    other.socket.say(encodeSync(SyncStep.update, ofNewClients(8, 500)))
    await test.pump(other)
    assert.is(other.of(MessageType.notice).length, 0)
    assert.is(Object.keys(test.log.committed('board').getMap('elements').toJSON()).length, 32)
  },
)

nonsense('an update that goes over the limit by itself is refused as a whole', async () => {
  const test = new TestRooms({ maxNewClientsPerConnection: 24 })
  const { client } = await test.join({ user: 1, own: true })
  client.socket.say(encodeSync(SyncStep.update, ofNewClients(25, 100)))
  await test.pump(client)
  assert.is(client.of(MessageType.notice).at(-1)?.json?.code, 'update_connection_client_ids')
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), {})
})

nonsense('a board with too many client ids says so, and does not disconnect late arrivals', async () => {
  const test = new TestRooms({ maxClientsPerBoard: 8 })
  const { client: first } = await test.join({ user: 1, own: true })
  first.socket.say(encodeSync(SyncStep.update, ofNewClients(8, 100)))
  await test.pump(first)
  const { client: late } = await test.join({ user: 2, own: true })
  for (let i = 0; i < 4; i++) {
    late.socket.say(encodeSync(SyncStep.update, ofNewClients(1, 200 + i)))
    await test.pump(late)
  }
  const { json } = late.of(MessageType.notice).at(-1) ?? {}
  assert.is(json?.code, 'update_board_client_ids')
  assert.match(String(json?.message), /has reached its limit of 8 client ids/)
  assert.is(late.closeCode, null)
})

nonsense(
  'a client with an empty answer, because it lacks nothing, is not closed for dropped updates',
  async () => {
    const test = new TestRooms()
    const { client: relaying } = await test.join({ user: 2 })
    const elsewhere = new Y.Doc()
    elsewhere.getMap('elements').set('not here', 1)
    const known = Y.encodeStateVector(elsewhere)
    elsewhere.getMap('elements').set('rests on it', 1)
    const dangling = Y.encodeStateAsUpdate(elsewhere, known)
    for (let i = 0; i < 30; i++) {
      relaying.socket.say(encodeSync(SyncStep.update, dangling))
      await test.pump(relaying)
      await test.clock.advance(600)
    }
    assert.ok(test.rooms.stats().counters.resynced >= 30)
    assert.is(relaying.closeCode, null)
  },
)

nonsense.run()

const pace = suite('pace')

pace('over its budget of updates a connection is paused, and nothing is dropped', async () => {
  const test = new TestRooms({ updatesPerSecond: 10, updatesBurst: 20 })
  const { client } = await test.join({ user: 1 })
  for (let i = 0; i < 30; i++) draw(client, `${i}`, i)
  client.send()
  assert.is(client.socket.isPaused, true)
  await test.clock.advance(500)
  assert.is(client.socket.isPaused, true)
  await test.clock.advance(1000)
  assert.is(client.socket.isPaused, false)
  assert.is(test.log.committed('board').getMap('elements').size, 30)
})

pace('messages of any kind have a budget too, even meaningless ones', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1 })
  await test.clock.advance(10_000)
  for (let i = 0; i < 4000; i++) client.socket.say(Uint8Array.of(100))
  assert.is(client.socket.isPaused, false)
  for (let i = 0; i < 20; i++) client.socket.say(Uint8Array.of(100))
  assert.is(client.socket.isPaused, true)
  await test.clock.advance(20)
  assert.is(client.socket.isPaused, false)
})

pace('a client that causes more than 200 ms of work in a second is not read for a while', async () => {
  const test = new TestRooms()
  const { client: eve } = await test.join({ user: 1 })
  const { client: ada } = await test.join({ user: 2 })
  await test.clock.advance(10_000)
  test.clock.msALook = 100 // every operation takes this long between two looks at the clock
  draw(eve, 'slow', 1)
  draw(eve, 'slow', 2)
  draw(eve, 'slow', 3)
  eve.send()
  await settle()
  test.clock.msALook = 0
  assert.is(eve.socket.isPaused, true)
  assert.is(ada.socket.isPaused, false)
  await test.clock.advance(10_000)
  assert.is(eve.socket.isPaused, false)
  assert.equal(drawn(eve), test.log.committed('board').getMap('elements').toJSON())
})

pace('requests for the state are answered five times at once, and the rest once, later', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1 })
  await test.clock.advance(60_000)
  client.receive()
  client.heard.length = 0
  for (let i = 0; i < 100; i++) client.socket.say(encodeSync(SyncStep.step1, Uint8Array.of(0)))
  client.receive()
  const answers = () => client.of(MessageType.sync).filter((each) => each.step === SyncStep.step2).length
  assert.is(answers(), 5)
  await test.clock.advance(5000)
  client.receive()
  assert.is(answers(), 6)
})

pace('a slow log slows down the writers; an unavailable one ends the room with 4503', async () => {
  const test = new TestRooms()
  test.log.isHandMade = true
  const { client } = await test.join({ user: 1 })
  draw(client, 'large', 'x'.repeat(9 * 1024 * 1024))
  client.send()
  await test.clock.advance(5000)
  assert.is(client.socket.isPaused, true)
  test.log.commit()
  await test.clock.advance(10)
  assert.is(client.socket.isPaused, false)
  test.log.failingSince = test.clock.wall()
  draw(client, 'large', 'y'.repeat(9 * 1024 * 1024))
  client.send()
  await test.clock.advance(10)
  assert.is(client.closeCode, CloseCode.busy)
})

pace(
  'unsaved edits end the room after a minute without the database, and are saved when it is back',
  async () => {
    const test = new TestRooms()
    test.log.isHandMade = true
    const { client } = await test.join({ user: 1 })
    draw(client, 'a', 1)
    client.send()
    await test.clock.advance(10)
    test.log.failingSince = test.clock.wall()
    await test.clock.advance(50_000)
    assert.is(client.closeCode, null)
    await test.clock.advance(12_000)
    assert.is(client.closeCode, CloseCode.busy)
    test.log.commit()
    assert.equal(test.log.committed('board').getMap('elements').toJSON(), { a: 1 })
  },
)

pace('every client receives something every 20 s, and two unanswered pings end it', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1 })
  await test.clock.advance(1000)
  for (let i = 0; i < 5; i++) {
    client.heard.length = 0
    await test.clock.advance(20_000)
    client.receive()
    assert.ok(client.heard.length > 0)
  }
  client.socket.answersPings = false
  await test.clock.advance(80_000)
  assert.is(client.socket.isTerminated, true)
  assert.is(test.left.length, 1)
})

pace('a paused connection does not count as dead', async () => {
  const test = new TestRooms()
  test.log.isHandMade = true
  const { client } = await test.join({ user: 1 })
  draw(client, 'large', 'x'.repeat(9 * 1024 * 1024))
  client.send()
  await test.clock.advance(120_000)
  assert.is(client.socket.isTerminated, false)
})

pace.run()

const slow = suite('slow readers')

slow(
  'a client that does not read gets no more than fits, and one difference when it reads again',
  async () => {
    const test = new TestRooms({ updatesPerSecond: 100_000, updatesBurst: 100_000 })
    const { client: ada } = await test.join({ user: 1 })
    const { client: slowOne } = await test.join({ user: 2 })
    slowOne.socket.isStuck = true
    for (let i = 0; i < 100; i++) {
      draw(ada, 'a', 'x'.repeat(100_000) + i)
      ada.presence(11, i + 1, { x: i })
      ada.send()
      await test.clock.advance(30)
    }
    assert.ok(slowOne.socket.bufferedBytes < 3 * 1024 * 1024)
    assert.is(test.rooms.stats().behind, 1)
    slowOne.receive()
    await settle()
    slowOne.receive()
    assert.equal(drawn(slowOne), drawn(ada))
    assert.is((slowOne.states.get(11) as { x: number }).x, 99)
    draw(ada, 'b', 1)
    await test.pump(ada, slowOne)
    assert.equal(drawn(slowOne), drawn(ada))
  },
)

slow('a client that stays behind for 30 s is closed with 1013', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const { client: slowOne } = await test.join({ user: 2 })
  slowOne.socket.isStuck = true
  for (let i = 0; i < 3; i++) {
    draw(ada, 'a', 'x'.repeat(1024 * 1024) + i)
    ada.send()
    await test.clock.advance(30)
  }
  await test.clock.advance(29_000)
  assert.is(slowOne.closeCode, null)
  await test.clock.advance(2000)
  assert.is(slowOne.closeCode, CloseCode.tooSlow)
})

slow('a client that reads nothing is closed once 16 MiB of any kind wait for it', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1, own: true })
  client.socket.isStuck = true
  const title = 'x'.repeat(200_000)
  const send = () => test.rooms.broadcastEvent('board', { type: 'title', title })
  for (let sent = 0; sent < 16; sent++) for (let i = 0; i < 5; i++) send()
  assert.is(client.closeCode, null)
  for (let i = 0; i < 5; i++) send()
  assert.is(client.closeCode, CloseCode.tooSlow)
})

slow('states are not queued for a client that asks and does not read', async () => {
  const test = new TestRooms()
  const doc = new Y.Doc()
  doc.getMap('elements').set('large', 'x'.repeat(1_500_000))
  test.log.boards.set('board', { snapshot: Y.encodeStateAsUpdate(doc), updates: [], authors: [] })
  const { client } = await test.join({ user: 1 })
  client.socket.isStuck = true
  for (let i = 0; i < 5; i++) client.socket.say(encodeSync(SyncStep.step1, Uint8Array.of(0)))
  assert.ok(client.socket.bufferedBytes < 1_600_000)
})

slow.run()

const ends = suite('how rooms open and close')

ends('a join during the flush waits, and opens what was saved', async () => {
  const test = new TestRooms()
  test.log.isHandMade = true
  const { client: ada } = await test.join({ user: 1 })
  draw(ada, 'a', 1)
  ada.send()
  await test.clock.advance(10)
  ada.leave()
  await settle()
  const pending = test.rooms.rights.register(test.joining({ user: 1 }))
  const again = new PairedClient()
  const joined = test.rooms.join(pending, await pending.decide(), again.socket)
  await settle()
  assert.is(test.log.loads, 1)
  test.log.commit()
  await joined
  assert.is(test.log.loads, 2)
  again.askForState()
  again.pump()
  again.pump()
  assert.equal(drawn(again), { a: 1 })
})

ends('two joins at once open one room; a board that cannot be read refuses both', async () => {
  const test = new TestRooms()
  test.log.held = []
  const both = [test.join({ user: 1 }), test.join({ user: 2 })]
  await settle()
  assert.is(test.log.loads, 1)
  for (const go of test.log.held) go()
  await Promise.all(both)
  test.log.held = null
  test.log.load = () => Promise.reject(new BoardroomError('board_unreadable', 'checksum'))
  await nodeAssert.rejects(test.join({ user: 3, board: 'broken' }), { code: 'board_unreadable' })
  assert.is(test.rooms.stats().connections, 2)
})

ends('the last client to leave closes the room, once everything is committed', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1 })
  draw(client, 'a', 1)
  client.send()
  client.leave()
  await settle()
  assert.is(test.rooms.stats().rooms, 0)
  assert.is(test.log.idles, 1)
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), { a: 1 })
  assert.is(test.clock.timers, 0)
})

ends('a shutdown flushes, closes everybody with 1012 over 5 s, and waits for the commits', async () => {
  const test = new TestRooms()
  test.log.isHandMade = true
  const clients = []
  for (let i = 1; i <= 5; i++) clients.push((await test.join({ user: i })).client)
  const [ada] = clients
  assert.ok(ada)
  draw(ada, 'a', 1)
  ada.send()
  let isClosed = false
  const closed = test.rooms.close().then(() => {
    isClosed = true
  })
  await settle()
  assert.equal(
    clients.map((client) => client.closeCode),
    [1012, null, null, null, null],
  )
  await test.clock.advance(5000)
  assert.ok(clients.every((client) => client.closeCode === CloseCode.restart))
  assert.is(isClosed, false)
  test.log.commit()
  await closed
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), { a: 1 })
  await nodeAssert.rejects(test.join({ user: 9 }), { code: 'closing' })
})

ends('an edit by the server is live, stored, and recorded under its author', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1 })
  await test.rooms.applyAsServer('board', (doc) => doc.getMap('elements').set('imported', 1), 'user:7')
  await test.rooms.applyAsServer('board', oneStruct(77), 'user:7')
  await test.pump(client)
  assert.equal(drawn(client), { imported: 1, 77: 1 })
  assert.ok(test.log.boards.get('board')?.authors.every((author) => author.principal === 'user:7'))
  await nodeAssert.rejects(test.rooms.applyAsServer('board', Uint8Array.of(9, 9), 'user:7'), {
    code: 'invalid_request',
  })
  await test.rooms.applyAsServer('closed', oneStruct(77), 'user:7')
  await settle()
  assert.is(test.rooms.stats().rooms, 1, 'a board nobody has open is closed again')
  const read = new Y.Doc()
  Y.applyUpdate(read, await test.rooms.document('board'))
  assert.equal(read.getMap('elements').toJSON(), { imported: 1, 77: 1 })
})

ends('a disconnected client is reported once', async () => {
  const test = new TestRooms()
  const { client, connection } = await test.join({ user: 1 })
  assert.is(test.rooms.connectionsOf('board').length, 1)
  assert.is(test.rooms.disconnect(connection.id), true)
  client.socket.breakOff()
  assert.is(client.closeCode, CloseCode.noAccess)
  await settle()
  assert.is(test.left.length, 1)
  assert.is(test.left[0]?.connection.level, 'edit')
  assert.equal(test.rooms.connectionsOf('board'), [])
  assert.is(test.rooms.disconnect(connection.id), false)
})

ends('joins, leaves and events reach boardroom.v1 clients', async () => {
  const test = new TestRooms()
  const { client: own } = await test.join({ user: 1, own: true })
  const { client: stock } = await test.join({ user: 2 })
  test.rooms.broadcastEvent('board', { type: 'title', title: 'New' })
  stock.leave()
  await settle()
  await test.clock.advance(100)
  own.receive()
  assert.equal(
    own.of(MessageType.event).map((each) => each.json?.type),
    ['joined', 'title', 'left'],
  )
  assert.equal(awarenessMessage([]).length, 3)
})

ends('joins in quick succession are announced together, the first one at once', async () => {
  const test = new TestRooms()
  const { client: own } = await test.join({ user: 1, own: true })
  const told = () => {
    own.receive()
    return own.of(MessageType.event).length
  }
  await test.join({ user: 2 })
  assert.is(told(), 1)
  await test.join({ user: 3 })
  await test.clock.advance(50)
  await test.join({ user: 4 })
  assert.is(told(), 1)
  await test.clock.advance(50)
  assert.is(told(), 3)
})

ends.run()
