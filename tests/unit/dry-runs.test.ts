// Slow work on behalf of one room: updates tried on a copy, and large documents built in portions.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { cut } from '../../server/documents/cutting.ts'
import { encodeSync, MessageType, SyncStep } from '../../shared/protocol.ts'
import { assertHarmless } from '../helpers/harmless.ts'
import { draw, drawn, settle, TestRooms } from '../helpers/rooms.ts'
import { contentOf, type Struct, writeUpdate } from '../helpers/update-writer.ts'

/** Valid, but suspicious: each is inserted before the previous one. */
function crowd(client: number): Uint8Array {
  const char: Struct = { ref: 4, parent: 'crowd', content: contentOf.string('x') }
  const structs = Array.from({ length: 2500 }, (_, i) =>
    i === 0 ? char : { ...char, rightOrigin: { client, clock: i - 1 } },
  )
  const input = writeUpdate([{ client, clock: 0, structs }])
  assertHarmless({ kind: 'update', before: [], input })
  return input
}

type End = (answer: { isTooCrowded: boolean; ms: number } | Error) => void

/**
 * Rooms whose dry runs end when the test says so, and somebody who has sent an update with many conflicts and an edit
 * after it.
 */
async function withTrial() {
  const ends: End[] = []
  const test = new TestRooms(
    {},
    {
      dryRun: () =>
        new Promise((resolve, reject) =>
          ends.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer))),
        ),
    },
  )
  const { client: bob } = await test.join({ user: 2 })
  const { client: eve } = await test.join({ user: 1, own: true })
  eve.socket.say(encodeSync(SyncStep.update, crowd(5)))
  draw(eve, 'behind', 1)
  await test.pump(eve, bob)
  assert.is(ends.length, 1)
  const end = async (answer: Parameters<End>[0]) => {
    ends[0]?.(answer)
    await settle()
    await test.pump(eve, bob)
  }
  return { test, eve, bob, end }
}

const dryRuns = suite('dry runs')

dryRuns(
  'while an update is tried its sender is not read, later messages wait, and others continue',
  async () => {
    const { test, eve, bob, end } = await withTrial()
    assert.ok(eve.socket.isPaused)
    draw(bob, 'meanwhile', 1)
    await test.pump(bob)
    assert.equal(drawn({ doc: test.log.committed('board') }), { meanwhile: 1 })
    await end({ isTooCrowded: false, ms: 1 })
    assert.equal(drawn(bob), { meanwhile: 1, behind: 1 })
    assert.is(bob.doc.getText('crowd').length, 2500)
    assert.not.ok(eve.socket.isPaused)
    assert.is(eve.saved, eve.syncFramesSent + 1)
    assert.is(test.rooms.stats().counters.tried, 1)
  },
)

dryRuns('an update that took too long is refused, and its time is charged', async () => {
  const { test, eve, bob, end } = await withTrial()
  await end({ isTooCrowded: true, ms: 1000 })
  assert.is(eve.of(MessageType.notice)[0]?.json?.code, 'update_conflicts')
  assert.equal(drawn(bob), { behind: 1 })
  assert.is(bob.doc.getText('crowd').length, 0)
  assert.ok(test.rooms.stats().counters.slowed > 0)
})

dryRuns('an update that cannot be tried is requested again', async () => {
  const { test, eve, bob, end } = await withTrial()
  const asked = () => eve.of(MessageType.sync).filter(({ step }) => step === SyncStep.step1).length
  const before = asked()
  await end(new Error('too many are tried'))
  assert.is(asked(), before + 1)
  assert.is(test.rooms.stats().counters.rules.untried, 1)
  assert.is(bob.doc.getText('crowd').length, 0)
})

dryRuns('a client that leaves meanwhile leaves nothing behind', async () => {
  const { test, eve, bob, end } = await withTrial()
  eve.leave()
  await end({ isTooCrowded: false, ms: 1 })
  assert.is(bob.doc.getText('crowd').length, 0)
  bob.leave()
  await test.clock.advance(100)
  assert.is(test.rooms.stats().rooms, 0)
})

function largeBoard(): Uint8Array {
  const doc = new Y.Doc()
  for (let i = 0; i < 3000; i++) doc.getMap('elements').set(`e${i}`, 'x'.repeat(30))
  return Y.encodeStateAsUpdate(doc)
}

const building = suite('a large document')

building('is built from the portions into which it was split', async () => {
  const portions: number[] = []
  const test = new TestRooms(
    {},
    {
      cut: async (state) => {
        const parts = cut(state)
        portions.push(parts.length)
        return parts
      },
    },
  )
  test.log.boards.set('board', { snapshot: largeBoard(), updates: [], authors: [] })
  const { client } = await test.join({ user: 1 })
  await test.pump(client)
  draw(client, 'first', 1)
  await test.pump(client)
  assert.ok((portions[0] ?? 0) > 10)
  assert.is(test.log.committed('board').getMap('elements').size, 3001)
})

building('is built in one go if it cannot be split', async () => {
  const test = new TestRooms({}, { cut: () => Promise.reject(new Error('the worker is busy')) })
  test.log.boards.set('board', { snapshot: largeBoard(), updates: [], authors: [] })
  const { client } = await test.join({ user: 1 })
  draw(client, 'first', 1)
  await test.pump(client)
  assert.is(test.log.committed('board').getMap('elements').size, 3001)
})

dryRuns.run()
building.run()
