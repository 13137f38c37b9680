// Who gets a seat to write in a full room, and what happens with those who wait for one.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CloseCode, MessageType } from '../../shared/protocol.ts'
import { draw, settle, TestRooms } from '../helpers/rooms.ts'
import { PairedClient } from '../helpers/socket-pair.ts'

const seats = suite('seats')

const isOpen = (client: PairedClient) => client.closeCode === null
const levelOf = (test: TestRooms, user: number) =>
  test.rooms.connectionsOf('board').find(({ subject }) => subject.userId === user)?.level

/** A room with one seat, held by user 1, and stock clients of the next `waiting` users, who wait. */
async function withOneSeat(waiting: number) {
  const test = new TestRooms({ maxWritersPerRoom: 1 })
  const { client: writer } = await test.join({ user: 1 })
  const others: PairedClient[] = []
  for (let user = 2; user < 2 + waiting; user++) others.push((await test.join({ user })).client)
  return { test, writer, others }
}

seats('one free seat brings back one waiting stock client, and nobody else', async () => {
  const { test, writer, others } = await withOneSeat(10)
  writer.leave()
  await settle()
  assert.equal(
    others.map((client) => client.closeCode),
    [CloseCode.levelChanged, ...Array.from({ length: 9 }, () => null)],
  )
  await test.join({ user: 2 })
  assert.is(levelOf(test, 2), 'edit')
  assert.is(others.filter(isOpen).length, 9, 'coming back sends nobody away')
})

seats('however many wait, one free seat closes the socket of only one', async () => {
  const test = new TestRooms({ maxWritersPerRoom: 1 })
  const { client: writer } = await test.join({ user: 1 })
  test.access.set('anonymous', 'edit')
  const others: PairedClient[] = []
  for (let i = 0; i < 3000; i++) {
    const joining = test.joining({})
    const pending = test.rooms.rights.register(joining)
    const client = new PairedClient()
    await test.rooms.join(pending, await pending.decide(), client.socket)
    others.push(client)
  }
  writer.leave()
  await settle()
  assert.is(others.filter((client) => !isOpen(client)).length, 1)
})

seats('a seat is reserved for the client that was closed to return to it, and for nobody else', async () => {
  const { test, writer } = await withOneSeat(1)
  writer.leave()
  await settle()
  const { client: newcomer } = await test.join({ user: 7, own: true })
  assert.is(newcomer.of(MessageType.hello)[0]?.json?.level, 'view')
  await test.join({ user: 2 })
  assert.is(levelOf(test, 2), 'edit')
})

seats('an anonymous client is recognised by its address and browser', async () => {
  const test = new TestRooms({ maxWritersPerRoom: 1 })
  const { client: writer } = await test.join({ user: 1 })
  const { client: waiting } = await test.join({ fingerprint: 'a browser' })
  writer.leave()
  await settle()
  assert.is(waiting.closeCode, CloseCode.levelChanged)
  const { connection: other } = await test.join({ fingerprint: 'another browser' })
  assert.is(other.level, 'view')
  const { connection: again } = await test.join({ fingerprint: 'a browser' })
  assert.is(again.level, 'edit')
})

seats('a client that does not come back within ten seconds loses the seat to the next', async () => {
  const { test, writer, others } = await withOneSeat(2)
  writer.leave()
  await settle()
  await test.clock.advance(9000)
  assert.is(others[1]?.closeCode, null)
  await test.clock.advance(2000)
  assert.is(others[1]?.closeCode, CloseCode.levelChanged)
  await test.join({ user: 3 })
  assert.is(levelOf(test, 3), 'edit')
})

seats('a waiting client keeps its place when access is checked again, and is counted once', async () => {
  const { test, writer, others } = await withOneSeat(3)
  for (let i = 0; i < 3; i++) {
    test.rooms.rights.notified(['u:2'])
    await settle()
  }
  assert.is(test.rooms.stats().counters.seats_missing, 3)
  writer.leave()
  await settle()
  assert.equal(others.map(isOpen), [false, true, true], 'the first who came is the first served')
})

seats('a writer whose level is lowered makes room for the next', async () => {
  const { test, others } = await withOneSeat(1)
  test.access.set('user:1', 'view')
  test.rooms.rights.notified(['u:1'])
  await settle()
  assert.is(others[0]?.closeCode, CloseCode.levelChanged)
})

seats('at a restart waiting clients are closed like everybody: 1012', async () => {
  const { test, writer, others } = await withOneSeat(3)
  const closed = test.rooms.close({ spreadMs: 1000 })
  await test.clock.advance(2000)
  await closed
  assert.equal(
    [writer, ...others].map((client) => client.closeCode),
    Array.from({ length: 4 }, () => CloseCode.restart),
  )
})

const silent = suite('silent clients')

/** Time in which the socket is pinged and answers, while the client is silent. */
const beSilent = (test: TestRooms) => test.clock.advance(45_000)

silent(
  'a client that stopped renewing its state is neither shown nor counted, and comes back with any message',
  async () => {
    const test = new TestRooms()
    const { client: gone, connection } = await test.join({ user: 1 })
    const { client: watcher } = await test.join({ user: 2 })
    gone.presence(11, 1, { cursor: 1 })
    await test.pump(watcher)
    assert.ok(watcher.states.get(11))
    await beSilent(test)
    watcher.receive()
    assert.is(watcher.states.get(11), null)
    assert.equal(
      test.rooms.connectionsOf('board').map(({ subject }) => subject.userId),
      [2],
    )
    assert.is(connection.isOpen, true, 'its socket may be kept by a page that comes back')
    gone.presence(11, 2, { cursor: 2 })
    await test.pump(watcher)
    assert.is((watcher.states.get(11) as { cursor: number }).cursor, 2)
    assert.is(test.rooms.connectionsOf('board').length, 2)
  },
)

silent('a client that never showed itself may be silent', async () => {
  const test = new TestRooms()
  await test.join({ user: 1 })
  await beSilent(test)
  assert.is(test.rooms.connectionsOf('board').length, 1)
})

silent('a silent writer keeps its seat until somebody needs it', async () => {
  const test = new TestRooms({ maxWritersPerRoom: 1 })
  const { client: writer } = await test.join({ user: 1 })
  writer.presence(11, 1, {})
  await beSilent(test)
  assert.is(writer.closeCode, null)
  assert.is(test.rooms.stats().writers, 0)
  await test.join({ user: 2 })
  assert.is(levelOf(test, 2), 'edit')
  assert.is(writer.closeCode, CloseCode.levelChanged)
})

silent('a waiting client gets the seat of a writer that falls silent', async () => {
  const test = new TestRooms({ maxWritersPerRoom: 1 })
  const { client: writer } = await test.join({ user: 1, own: true })
  writer.presence(11, 1, {})
  const { client: waiting } = await test.join({ user: 2, own: true })
  await beSilent(test)
  waiting.receive()
  assert.is(waiting.of(MessageType.level).at(-1)?.json?.level, 'edit')
  draw(waiting, 'a', 1)
  await test.pump(waiting)
  assert.equal(test.log.committed('board').getMap('elements').toJSON(), { a: 1 })
  writer.receive()
  assert.is(writer.of(MessageType.level).at(-1)?.json?.reason, 'too_many_writers')
})

seats.run()
silent.run()
