// Rooms as a client sees them: syncing, levels, saved, closing. Time, commits and answers are controlled by hand.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { BoardroomError } from '../../server/errors.ts'
import { CloseCode, encodeSync, MessageType, SyncStep } from '../../shared/protocol.ts'
import { draw, drawn, settle, TestRooms } from '../helpers/rooms.ts'

const editing = suite('editing together')

editing('everybody ends with the same document', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const { client: bob } = await test.join({ user: 2 })
  draw(ada, 'a', 1)
  draw(bob, 'b', 2)
  await test.pump(ada, bob)
  assert.equal(drawn(ada), { a: 1, b: 2 })
  assert.equal(drawn(bob), { a: 1, b: 2 })
  const { client: late } = await test.join({ user: 3 })
  assert.equal(drawn(late), { a: 1, b: 2 })
})

editing('edits within one batch are sent as one frame', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const { client: bob } = await test.join({ user: 2 })
  await test.clock.advance(100)
  bob.receive()
  const before = bob.heard.length
  for (let i = 0; i < 10; i++) {
    draw(ada, 'a', i)
    ada.send()
  }
  await test.clock.advance(10)
  bob.receive()
  assert.is(bob.heard.length - before, 2, 'the first at once, the other nine together')
  assert.equal(drawn(bob), { a: 9 })
})

editing('the only writer of a batch is not sent its own edits', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const { client: bob } = await test.join({ user: 2 })
  ada.receive()
  draw(ada, 'a', 1)
  ada.send()
  await test.clock.advance(10)
  assert.is(ada.socket.written.length, 0)
  assert.is(bob.socket.written.length, 1)
})

editing('a frame for many clients is one buffer', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  const { client: bob } = await test.join({ user: 2 })
  const { client: cyd } = await test.join({ user: 3 })
  bob.receive()
  cyd.receive()
  draw(ada, 'a', 1)
  ada.send()
  await test.clock.advance(10)
  assert.is(bob.socket.written[0], cyd.socket.written[0])
})

editing('synced comes last: step 2 contains everything', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  await test.join({ user: 3 })
  draw(ada, 'a', 1)
  await test.pump(ada)
  const { client: late } = await test.join({ user: 2 })
  const steps = late.of(MessageType.sync).map((each) => each.step)
  assert.is(steps.at(-1), SyncStep.step2)
  assert.equal(drawn(late), { a: 1 })
})

editing('a board nobody writes to is shown without building its document', async () => {
  const test = new TestRooms()
  const doc = new Y.Doc()
  doc.getMap('elements').set('kept', 'x'.repeat(100_000))
  test.log.boards.set('board', { snapshot: Y.encodeStateAsUpdate(doc), updates: [], authors: [] })
  const { client } = await test.join({ user: 1 })
  await test.pump(client)
  assert.equal(Object.keys(drawn(client)), ['kept'])
  assert.is(test.rooms.stats().counters.documents_built, 0)
  draw(client, 'new', 1)
  await test.pump(client)
  assert.is(test.rooms.stats().counters.documents_built, 1)
  assert.equal(Object.keys(test.log.committed('board').getMap('elements').toJSON()), ['kept', 'new'])
})

editing('edits made offline come back', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  draw(ada, 'a', 1)
  await test.pump(ada)
  ada.leave()
  draw(ada, 'offline', 2)
  const { client: again } = await test.join({ user: 1, doc: ada.doc })
  await test.pump(again)
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), { a: 1, offline: 2 })
})

editing.run()

const levels = suite('levels')

for (const level of ['view', 'comment'] as const) {
  levels(`${level} changes nothing by any sync frame, and stays connected`, async () => {
    const test = new TestRooms()
    const { client: viewer } = await test.join({ user: 1, level, own: true })
    const foreign = new Y.Doc()
    foreign.getMap('elements').set('mine', 1)
    const update = Y.encodeStateAsUpdate(foreign)
    viewer.socket.say(encodeSync(SyncStep.step2, update))
    viewer.socket.say(encodeSync(SyncStep.update, update))
    await test.pump(viewer)
    const { client: other } = await test.join({ user: 2 })
    assert.equal(drawn(other), {})
    assert.is(test.log.boards.size, 0)
    assert.is(viewer.closeCode, null)
    const notice = viewer.of(MessageType.notice).at(-1)?.json
    assert.is(notice?.code, 'access_denied')
    // The honest empty answer to the server's step 1, then these two.
    assert.is(notice?.refused_through, 3)
    assert.is(viewer.saved, 3)
  })
}

levels("a viewer's edit is dropped also where it shares the window with an editor's", async () => {
  const test = new TestRooms()
  const { client: editor } = await test.join({ user: 1 })
  const { client: viewer } = await test.join({ user: 2, level: 'view' })
  await test.clock.advance(100)
  for (const client of [editor, viewer, editor]) {
    draw(client, `by ${client === viewer ? 'viewer' : 'editor'}`, 1)
    client.send()
  }
  await test.clock.advance(10)
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), { 'by editor': 1 })
})

levels('an honest viewer, whose answer is empty, gets no refusal', async () => {
  const test = new TestRooms()
  const { client: viewer } = await test.join({ user: 1, level: 'view', own: true })
  await test.pump(viewer)
  assert.is(viewer.of(MessageType.notice).length, 0)
})

levels('a stock viewer who writes is told with the auth message, at most every 10 s', async () => {
  const test = new TestRooms()
  const { client: viewer } = await test.join({ user: 1, level: 'view' })
  for (let i = 0; i < 5; i++) draw(viewer, 'a', i)
  await test.pump(viewer)
  assert.is(viewer.of(MessageType.auth).length, 1)
  await test.clock.advance(10_000)
  draw(viewer, 'a', 6)
  await test.pump(viewer)
  assert.is(viewer.of(MessageType.auth).length, 2)
})

levels('a lowered level reaches boardroom.v1 on the open socket, and stock clients as 4500', async () => {
  const test = new TestRooms()
  const { client: own } = await test.join({ user: 1, own: true })
  const { client: stock } = await test.join({ user: 1 })
  test.access.set('user:1', 'view')
  test.rooms.rights.notified(['u:1'])
  await settle()
  own.receive()
  assert.equal(own.of(MessageType.level).at(-1)?.json, {
    level: 'view',
    may_manage: false,
    reason: 'access_changed',
  })
  assert.is(own.closeCode, null)
  assert.is(stock.closeCode, CloseCode.levelChanged)
  draw(own, 'late', 1)
  await test.pump(own)
  assert.is(test.log.boards.size, 0, 'what comes after the change is not kept')
})

levels('a client that may write again is asked for what it drew meanwhile', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1, level: 'view', own: true })
  draw(client, 'a', 1)
  await test.pump(client)
  test.access.set('user:1', 'edit')
  test.rooms.rights.notified(['u:1'])
  await test.pump(client)
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), { a: 1 })
})

const ends: [string, Parameters<TestRooms['access']['set']>, number][] = [
  ['access taken away', ['user:1', null], CloseCode.noAccess],
  ['a session that ended', ['user:1', null, { credential: 'ended' }], CloseCode.notSignedIn],
  ['a deleted board', ['user:1', null, { board: 'deleted' }], CloseCode.boardDeleted],
]
for (const [what, change, code] of ends) {
  levels(`${what} closes with ${code}, and an edit in the window is not kept`, async () => {
    const test = new TestRooms()
    const { client } = await test.join({ user: 1 })
    await test.clock.advance(100)
    draw(client, 'kept', 1)
    client.send()
    draw(client, 'late', 1)
    client.send()
    test.access.set(...change)
    test.rooms.rights.notified(['b:board'])
    await settle()
    assert.is(client.closeCode, code)
    await test.clock.advance(100)
    assert.equal(test.log.committed('board').getMap('elements').toJSON(), { kept: 1 })
    assert.is(test.left.at(-1)?.code, code)
  })
}

levels('writers beyond the limit view, and get the next free seat', async () => {
  const test = new TestRooms({ maxWritersPerRoom: 1 })
  const { client: first } = await test.join({ user: 1 })
  const { client: second } = await test.join({ user: 2, own: true })
  const hello = second.of(MessageType.hello)[0]?.json
  assert.is(hello?.level, 'view')
  assert.is(hello?.reason, 'too_many_writers')
  first.leave()
  await settle()
  second.receive()
  assert.is(second.of(MessageType.level).at(-1)?.json?.level, 'edit')
})

levels('a board at its size limit becomes view only for everyone and stays open', async () => {
  const test = new TestRooms({ maxBoardBytes: 4096 })
  const { client: own } = await test.join({ user: 1, own: true })
  const { client: stock } = await test.join({ user: 2 })
  draw(own, 'small', 1)
  await test.pump(own)
  draw(own, 'large', 'x'.repeat(5000))
  await test.pump(own)
  assert.is(own.of(MessageType.level).at(-1)?.json?.reason, 'board_full')
  assert.is(own.of(MessageType.notice).at(-1)?.json?.code, 'board_full')
  assert.is(stock.closeCode, CloseCode.levelChanged)
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), { small: 1 })
})

levels.run()

const saved = suite('saved')

saved('is said once committed and not before', async () => {
  const test = new TestRooms()
  test.log.isHandMade = true
  const { client } = await test.join({ user: 1, own: true })
  await test.pump(client)
  const before = client.saved
  draw(client, 'a', 1)
  await test.pump(client)
  assert.is(client.saved, before)
  test.log.commit()
  await test.pump(client)
  assert.is(client.saved, before + 1)
})

saved('waits for what the frame depends on, even if the frame itself changed nothing', async () => {
  const test = new TestRooms()
  test.log.isHandMade = true
  const { client: ada } = await test.join({ user: 1 })
  const { client: same } = await test.join({ user: 1, own: true })
  await test.pump(ada, same)
  const before = same.saved
  draw(ada, 'a', 1)
  await test.pump(ada, same)
  same.socket.say(encodeSync(SyncStep.update, Y.encodeStateAsUpdate(same.doc)))
  await test.pump(same)
  assert.is(same.saved, before, 'the edit is known, and not committed')
  test.log.commit()
  await test.pump(same)
  assert.is(same.saved, before + 1)
})

saved('does not skip a missing commit', async () => {
  const test = new TestRooms()
  test.log.isHandMade = true
  const { client } = await test.join({ user: 1, own: true })
  await test.pump(client)
  const before = client.saved
  draw(client, 'a', 1)
  await test.pump(client)
  draw(client, 'b', 1)
  await test.pump(client)
  const [first, second] = test.log.queue
  second?.resolve()
  await test.pump(client)
  assert.is(client.saved, before)
  first?.resolve()
  await test.pump(client)
  assert.is(client.saved, before + 2)
})

saved('reports what one transaction committed in one frame', async () => {
  const test = new TestRooms()
  test.log.isHandMade = true
  const { client } = await test.join({ user: 1, own: true })
  await test.pump(client)
  for (const key of ['a', 'b', 'c']) {
    draw(client, key, 1)
    await test.pump(client)
  }
  assert.is(test.log.queue.length, 3)
  const before = client.of(MessageType.saved)
  test.log.commit()
  await test.pump(client)
  const after = client.of(MessageType.saved)
  assert.equal([after.length, after.at(-1)?.count], [before.length + 1, (before.at(-1)?.count ?? 0) + 3])
})

saved('is not delayed for the next edit if the writer leaves, or somebody waits', async () => {
  const test = new TestRooms()
  test.log.isHandMade = true
  const { client } = await test.join({ user: 1 })
  const { client: other } = await test.join({ user: 2 })
  await test.pump(client, other)
  draw(client, 'a', 1)
  await test.pump(client, other)
  assert.is(test.log.hurried, 0, 'both are here, and go on')
  client.leave()
  await test.pump(other)
  assert.is(test.log.hurried, 1)
  draw(other, 'b', 1)
  await test.pump(other)
  const waits = test.rooms.close({ spreadMs: 0, deadlineMs: 10 })
  assert.ok(test.log.hurried > 1)
  test.log.commit()
  await waits
})

saved('passes a refused frame together with the notice, not before what came first', async () => {
  const test = new TestRooms()
  test.log.isHandMade = true
  const { client } = await test.join({ user: 1, own: true })
  await test.pump(client)
  const before = client.saved
  draw(client, 'a', 1)
  client.send()
  client.socket.say(encodeSync(SyncStep.update, Uint8Array.of(0, 0, 0)))
  await test.pump(client)
  assert.is(client.saved, before)
  assert.is(client.of(MessageType.notice).length, 0)
  test.log.commit()
  await test.pump(client)
  assert.is(client.of(MessageType.notice).at(-1)?.json?.refused_through, before + 2)
  assert.is(client.saved, before + 2)
})

saved('stops at an edit that was dropped for a full sync until the answer is committed', async () => {
  const test = new TestRooms()
  const { client } = await test.join({ user: 1, own: true })
  await test.pump(client)
  const before = client.saved
  const updates: Uint8Array[] = []
  client.doc.on('update', (update: Uint8Array) => updates.push(update))
  draw(client, 'a', 1)
  draw(client, 'b', 2)
  client.socket.say(encodeSync(SyncStep.update, updates[1] as Uint8Array))
  await settle()
  client.receive()
  assert.is(client.saved, before)
  assert.is(client.of(MessageType.sync).at(-1)?.step, SyncStep.step1, 'the server asks for everything')
  await test.pump(client)
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), { a: 1, b: 2 })
  assert.ok(client.saved > before + 1)
})

saved('a log that refuses a board for good ends only that room', async () => {
  const test = new TestRooms()
  test.log.isHandMade = true
  const { client } = await test.join({ user: 1, own: true })
  const { client: elsewhere } = await test.join({ user: 1, board: 'other' })
  await test.pump(client)
  const before = client.saved
  draw(client, 'a', 1)
  await test.pump(client)
  test.log.queue.splice(0)[0]?.reject(new BoardroomError('board_deleted', 'gone'))
  await settle()
  assert.is(client.closeCode, CloseCode.boardDeleted)
  assert.is(client.saved, before)
  assert.is(elsewhere.closeCode, null)
})

saved.run()
