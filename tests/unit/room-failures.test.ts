// Errors thrown for one connection, one change or one room, and that they do not affect the others.
import { strict as nodeAssert } from 'node:assert'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { CloseCode } from '../../shared/protocol.ts'
import { draw, drawn, settle, TestRooms } from '../helpers/rooms.ts'
import { PairedClient } from '../helpers/socket-pair.ts'

const failures = suite('failures of one connection')

/** From now on the socket throws at every write, which nothing outside may ever cause. */
const breakSocket = (client: PairedClient) => {
  client.socket.write = () => {
    throw new Error('broken')
  }
}

failures(
  'what throws while a message is handled ends its connection with 1012 and nothing else',
  async () => {
    const test = new TestRooms()
    const { client: ada } = await test.join({ user: 1 })
    const { client: bob } = await test.join({ user: 2 })
    const { client: elsewhere } = await test.join({ user: 3, board: 'another board' })
    breakSocket(ada)
    ada.askForState()
    ada.send()
    await settle()
    assert.is(ada.closeCode, CloseCode.restart)
    assert.is(test.rooms.stats().counters.connections_failed, 1)
    assert.is(test.left.length, 1)
    draw(bob, 'b', 1)
    draw(elsewhere, 'e', 1)
    await test.pump(bob, elsewhere)
    assert.equal(test.log.committed('board').getMap('elements').toJSON(), { b: 1 })
    assert.equal(test.log.committed('another board').getMap('elements').toJSON(), { e: 1 })
  },
)

failures('an edit reaches everybody but the one whose socket throws', async () => {
  const test = new TestRooms()
  const { client: broken } = await test.join({ user: 1 })
  const { client: ada } = await test.join({ user: 2 })
  const { client: bob } = await test.join({ user: 3 })
  breakSocket(broken)
  draw(ada, 'a', 1)
  await test.pump(ada, bob)
  assert.equal(drawn(bob), { a: 1 })
  assert.is(broken.closeCode, CloseCode.restart)
  assert.is(test.rooms.connectionsOf('board').length, 2)
})

failures('an edit is saved and shown although the socket of its author throws at the answer', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1, own: true })
  const { client: bob } = await test.join({ user: 2 })
  draw(ada, 'a', 1)
  breakSocket(ada)
  ada.send()
  await test.pump(bob)
  assert.is(ada.closeCode, CloseCode.restart)
  assert.is(bob.closeCode, null)
  assert.equal(drawn(bob), { a: 1 })
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), { a: 1 })
})

failures('what throws in a timer of a connection ends that connection', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const { client: bob } = await test.join({ user: 2 })
  for (let i = 0; i < 8; i++) {
    ada.askForState()
    ada.send()
  }
  breakSocket(ada)
  await test.clock.advance(10_000)
  assert.is(ada.closeCode, CloseCode.restart)
  assert.is(bob.closeCode, null)
})

failures('an error in one keep-alive leaves no other connection without its ping', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const others = [await test.join({ user: 2 }), await test.join({ user: 3 }), await test.join({ user: 4 })]
  breakSocket(ada)
  for (const { client } of others) client.receive()
  await test.clock.advance(20_000)
  assert.is(ada.closeCode, CloseCode.restart)
  for (const { client } of others) assert.ok(client.receive())
})

failures('a decision that throws for one connection still reaches the others', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1, own: true })
  const { client: bob } = await test.join({ user: 2, own: true })
  breakSocket(ada)
  test.access.set('user:1', 'view')
  test.access.set('user:2', null)
  test.rooms.rights.notified(['*'])
  await settle()
  assert.is(ada.closeCode, CloseCode.restart)
  assert.is(bob.closeCode, CloseCode.noAccess)
})

failures('a leave listener that throws keeps nobody from leaving', async () => {
  const test = new TestRooms()
  test.onLeft = () => {
    throw new Error('the trail is away')
  }
  const { client: ada } = await test.join({ user: 1 })
  const { client: bob } = await test.join({ user: 2 })
  ada.leave()
  bob.leave()
  await settle()
  assert.is(test.rooms.stats().connections, 0)
  assert.is(test.rooms.stats().rooms, 0)
})

failures('a slow reader is closed without closing anybody else', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1, own: true })
  const slow = [await test.join({ user: 2, own: true }), await test.join({ user: 3, own: true })]
  for (const { client } of slow) {
    client.receive()
    client.socket.isStuck = true
    client.socket.written.push(Buffer.alloc(17 * 1024 * 1024))
  }
  // An event to all: each of the two is closed while everybody is notified.
  test.rooms.broadcastEvent('board', { type: 'title', title: 'New' })
  await settle()
  assert.equal(
    slow.map(({ client }) => client.closeCode),
    [CloseCode.tooSlow, CloseCode.tooSlow],
  )
  assert.equal(
    test.rooms.connectionsOf('board').map(({ subject }) => subject.userId),
    [1],
  )
  draw(ada, 'a', 1)
  await test.pump(ada)
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), { a: 1 })
})

const rooms = suite('failures of one room')

rooms('a log that throws ends the room, and the board is reloaded from the log', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const { client: elsewhere } = await test.join({ user: 2, board: 'another board' })
  draw(ada, 'kept', 1)
  await test.pump(ada)
  const { append } = test.log
  test.log.append = () => {
    throw new Error('no more')
  }
  draw(ada, 'lost', 1)
  ada.send()
  await settle()
  assert.is(ada.closeCode, CloseCode.restart)
  assert.is(elsewhere.closeCode, null)
  test.log.append = append
  const { client: bob } = await test.join({ user: 3 })
  assert.equal(drawn(bob), { kept: 1 })
  await test.assertLogComplete()
})

rooms('a board that cannot be opened once can be opened the next time', async () => {
  const test = new TestRooms()
  const { load } = test.log
  // Not what `load` promises, so the room cannot be built from it.
  test.log.load = () => Promise.resolve({ snapshot: null, authors: [] } as never)
  await nodeAssert.rejects(test.join({ user: 1 }))
  test.log.load = load
  const { client } = await test.join({ user: 1 })
  assert.is(client.closeCode, null)
})

rooms('a room that ends while it is being flushed is reported to the log once', async () => {
  const test = new TestRooms()
  test.log.isHandMade = true
  const { client } = await test.join({ user: 1 })
  for (let i = 0; i < 9; i++) {
    draw(client, `large ${i}`, 'x'.repeat(1024 * 1024 - 1000))
    client.send()
  }
  await settle()
  test.log.failingSince = test.clock.wall()
  draw(client, 'last', 'x')
  client.send()
  // The last one waits for the batch, and exceeds the memory limit when the room flushes it at its end.
  client.leave()
  await settle()
  test.log.commit()
  await settle()
  assert.is(test.log.idles, 1)
  assert.is(test.rooms.stats().rooms, 0)
})

rooms('a join during a shutdown is refused, even if its room is open', async () => {
  const test = new TestRooms()
  await test.join({ user: 1 })
  const joining = test.joining({ user: 2 })
  test.access.set('user:2', 'edit')
  const pending = test.rooms.rights.register(joining)
  const decision = await pending.decide()
  test.access.isHandMade = true
  test.rooms.rights.notified(['u:2'])
  const join = test.rooms.join(pending, decision, new PairedClient().socket)
  const refused = nodeAssert.rejects(join, { code: 'closing' })
  await settle()
  const closed = test.rooms.close({ spreadMs: 0 })
  for (const { answer } of test.access.questions) answer()
  await refused
  await test.clock.advance(100)
  await closed
  assert.is(test.rooms.stats().connections, 0)
})

const changes = suite('changes by the server')

changes('one that throws half way changes nothing, and later saved edits survive a restart', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1, own: true })
  draw(ada, 'before', 1)
  await test.pump(ada)
  const fail = test.rooms.applyAsServer(
    'board',
    (doc) => {
      doc.getMap('elements').set('half', 1)
      throw new Error('a fault of the embedder')
    },
    'system',
  )
  await nodeAssert.rejects(fail, /a fault of the embedder/)
  await test.assertLogComplete()
  draw(ada, 'after', 1)
  await test.pump(ada)
  assert.is(ada.saved, ada.syncFramesSent)
  assert.is(ada.closeCode, null, 'nobody is sent away for it')
  await test.assertLogComplete()
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), { before: 1, after: 1 })
  const restarted = new TestRooms()
  for (const [board, stored] of test.log.boards) restarted.log.boards.set(board, stored)
  assert.equal(drawn((await restarted.join({ user: 1 })).client), { before: 1, after: 1 })
})

changes('a document that is kept for later changes nothing later', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  let kept: Y.Doc | null = null
  const keep = (doc: Y.Doc) => {
    kept = doc
    doc.getMap('elements').set('now', 1)
  }
  await test.rooms.applyAsServer('board', keep, 'system')
  ;(kept as unknown as Y.Doc).getMap('elements').set('later', 1)
  await test.pump(ada)
  assert.equal(drawn(ada), { now: 1 })
  await test.assertLogComplete()
})

changes('one that returns a promise is refused, because later changes would be lost', async () => {
  const test = new TestRooms()
  await test.join({ user: 1 })
  const slow = async (doc: Y.Doc) => {
    doc.getMap('elements').set('early', 1)
    await settle()
    doc.getMap('elements').set('late', 1)
  }
  await nodeAssert.rejects(test.rooms.applyAsServer('board', slow, 'system'), { code: 'invalid_request' })
  await settle()
  await test.assertLogComplete()
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), {})
})

changes('one that would make the board too large is refused before it is applied', async () => {
  const test = new TestRooms({ maxBoardBytes: 4096 })
  const { client: ada } = await test.join({ user: 1 })
  const grow = (doc: Y.Doc) => doc.getMap('elements').set('large', 'x'.repeat(8000))
  await nodeAssert.rejects(
    test.rooms.applyAsServer('board', (doc) => void grow(doc), 'system'),
    { code: 'board_full' },
  )
  await test.pump(ada)
  assert.equal(drawn(ada), {})
  await test.assertLogComplete()
})

changes('bytes that cannot be applied change nothing', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const foreign = new Y.Doc()
  foreign.getMap('elements').set('a', 1)
  foreign.getMap('elements').set('b', 1)
  const tail = Y.encodeStateAsUpdate(foreign, Y.encodeStateVectorFromUpdate(Y.encodeStateAsUpdate(ada.doc)))
  const cut = tail.subarray(0, tail.length - 3)
  await nodeAssert.rejects(test.rooms.applyAsServer('board', cut, 'system'), { code: 'invalid_request' })
  await test.assertLogComplete()
  assert.equal(drawn(ada), {})
})

failures.run()
rooms.run()
changes.run()
