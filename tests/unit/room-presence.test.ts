// Several connections of one person: who owns a client id, and what a window that repeats its neighbour may do.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { encodeSync, SyncStep } from '../../shared/protocol.ts'
import { draw, TestRooms } from '../helpers/rooms.ts'
import type { PairedClient } from '../helpers/socket-pair.ts'
import { contentOf, writeUpdate } from '../helpers/update-writer.ts'

const windows = suite('windows of one person')

const xOf = (watcher: PairedClient, clientId: number) => {
  watcher.receive()
  return (watcher.states.get(clientId) as { x: number } | null | undefined)?.x ?? null
}

/** Two windows that have announced their own ids, 11 and 12, and a watcher. */
async function twoWindows() {
  const test = new TestRooms()
  const { client: first } = await test.join({ user: 1 })
  const { client: watcher } = await test.join({ user: 2 })
  first.presence(11, 1, { x: 1 })
  await test.clock.advance(50)
  const { client: second } = await test.join({ user: 1 })
  second.presence(12, 1, { x: 10 })
  await test.clock.advance(50)
  return { test, first, second, watcher }
}

windows('an echo with the same clock changes nothing: the first window keeps its id', async () => {
  const { test, first, second, watcher } = await twoWindows()
  second.presence(11, 1, { x: 1 })
  first.presence(11, 2, { x: 2 })
  await test.clock.advance(50)
  assert.is(xOf(watcher, 11), 2)
})

windows(
  'a state that one window received from the other before the server did changes nothing either',
  async () => {
    const { test, first, second, watcher } = await twoWindows()
    second.presence(11, 2, { x: 2 })
    first.presence(11, 2, { x: 2 })
    await test.clock.advance(50)
    assert.is(xOf(watcher, 11), 2)
    second.presence(11, 3, { x: 3 })
    first.leave()
    await test.clock.advance(50)
    assert.is(xOf(watcher, 11), null)
    assert.is(xOf(watcher, 12), 10)
  },
)

windows('a late echo of a window that has gone does not bring its cursor back', async () => {
  const { test, first, second, watcher } = await twoWindows()
  first.leave()
  await test.clock.advance(50)
  second.presence(11, 1, { x: 1 })
  await test.clock.advance(50)
  assert.is(xOf(watcher, 11), null)
})

windows(
  'an id that a neighbour announced first belongs to its own window as soon as that joins',
  async () => {
    const test = new TestRooms()
    const { client: neighbour } = await test.join({ user: 1 })
    const { client: watcher } = await test.join({ user: 2 })
    neighbour.presence(12, 1, { x: 10 })
    neighbour.presence(11, 1, { x: 1 })
    const { client: own } = await test.join({ user: 1 })
    own.presence(11, 1, { x: 1 })
    await test.clock.advance(50)
    neighbour.leave()
    await test.clock.advance(50)
    assert.is(xOf(watcher, 11), 1)
    own.leave()
    await test.clock.advance(50)
    assert.is(xOf(watcher, 11), null)
  },
)

windows('a client that comes back keeps its cursor when its old, half-open socket ends', async () => {
  const test = new TestRooms()
  const { client: halfOpen } = await test.join({ user: 1 })
  const { client: watcher } = await test.join({ user: 2 })
  halfOpen.presence(11, 5, { x: 5 })
  const { client: back } = await test.join({ user: 1 })
  // As stock clients do: the previous state, including its clock.
  back.presence(11, 5, { x: 5 })
  await test.clock.advance(50)
  halfOpen.leave()
  await test.clock.advance(50)
  assert.is(xOf(watcher, 11), 5)
  back.presence(11, 6, { x: 6 })
  await test.clock.advance(50)
  assert.is(xOf(watcher, 11), 6)
  back.leave()
  await test.clock.advance(50)
  assert.is(xOf(watcher, 11), null)
})

windows(
  'an anonymous client that comes back may write under its id while its old socket is half open',
  async () => {
    const test = new TestRooms()
    test.access.set('anonymous', 'edit')
    const doc = new Y.Doc()
    const { client: halfOpen } = await test.join({ fingerprint: 'a browser' })
    halfOpen.presence(doc.clientID, 0, {})
    const { client: back } = await test.join({ fingerprint: 'a browser', doc })
    back.presence(doc.clientID, 0, {})
    draw(back, 'a', 1)
    await test.pump(back)
    assert.equal(test.log.committed('board').getMap('elements').toJSON(), { a: 1 })
  },
)

windows('a client that comes back with the clock of its removal is asked for a new one', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  await test.join({ user: 2 })
  ada.presence(11, 3, { x: 3 })
  await test.clock.advance(50)
  ada.leave()
  await test.clock.advance(50)
  const { client: back } = await test.join({ user: 1 })
  back.receive()
  back.heard.length = 0
  back.presence(11, 3, { x: 3 })
  back.receive()
  // For y-protocols, the removal of one's own state is the signal to announce it again with a new clock.
  assert.is(back.states.get(11), null)
})

windows('a window that only repeats does not settle edits relayed in the name of its neighbour', async () => {
  const test = new TestRooms()
  const { client: ada } = await test.join({ user: 1 })
  draw(ada, 'known', 1)
  await test.pump(ada)
  const id = ada.doc.clientID
  ada.leave()
  const { client: eve } = await test.join({ user: 2, own: true })
  const struct = { ref: 4, parent: 'text', content: contentOf.string('forged') }
  const clock = Y.getState(test.log.committed('board').store, id)
  eve.socket.say(encodeSync(SyncStep.update, writeUpdate([{ client: id, clock, structs: [struct] }])))
  await test.clock.advance(50)
  const relays = () =>
    test.log.boards.get('board')?.authors.findLast(({ clientId }) => clientId === id)?.relays
  assert.ok(relays())
  // Her own document is back, and another of her windows repeats its presence.
  const { client: own } = await test.join({ user: 1, own: true })
  own.presence(id, 1, { x: 1 })
  const { client: window } = await test.join({ user: 1, own: true })
  window.presence(window.doc.clientID, 1, { x: 1 })
  window.presence(id, 1, { x: 1 })
  await test.clock.advance(50)
  window.socket.say(encodeSync(SyncStep.step2, Y.encodeStateAsUpdate(test.log.committed('board'))))
  await test.clock.advance(50)
  draw(eve, 'more', 1)
  await test.pump(eve)
  assert.ok(relays(), 'still to be shown by her own document')
})

windows.run()
