// The answers to joining clients, piece by piece.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import type { Clock, Timer } from '../../server/rooms/clock.ts'
import { BoardDocument } from '../../server/rooms/document.ts'
import { JoinFrames } from '../../server/rooms/join-frames.ts'
import { readMessage } from '../../server/rooms/messages.ts'

const joining = suite('what a joiner gets')

/** Every look at the clock takes 10 ms, so encoding takes 10 ms. Timers run when told. */
class SlowClock implements Clock {
  readonly timers: { ms: number; run: () => void }[] = []
  #now = 0

  now(): number {
    this.#now += 10
    return this.#now
  }

  wall(): number {
    return this.#now
  }

  after(ms: number, run: () => void): Timer {
    const timer = { ms, run }
    this.timers.push(timer)
    return { cancel: () => this.timers.splice(this.timers.indexOf(timer), 1) }
  }
}

const setUp = async () => {
  const clock = new SlowClock()
  const document = new BoardDocument(
    { snapshot: null, updates: [], authors: [] },
    { clock, onBuilt: () => undefined },
  )
  const doc = await document.build()
  const frames = new JoinFrames(document, clock)
  const got: Y.Doc[] = []
  const ask = () => frames.whole((pieces) => got.push(applied(pieces)))
  const draw = (key: string) => {
    document.transact(doc, () => doc.getMap('elements').set(key, 1))
    frames.changed()
  }
  return { clock, frames, got, ask, draw }
}

/** The body of the single frame formed by the pieces, which must be a step 2. */
const applied = (pieces: readonly Buffer[]): Y.Doc => {
  const frame = Buffer.concat(pieces)
  const message = readMessage(frame.subarray((frame[1] ?? 0) < 126 ? 2 : 4))
  if (message.type !== 'update' || !message.isStep2) throw new Error(`got ${message.type}`)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, message.update)
  return doc
}
const keysIn = (doc: Y.Doc | undefined): string[] => [...(doc?.getMap('elements').keys() ?? [])].sort()

joining('is one step 2 with everything, even while others draw', async () => {
  const { clock, got, ask, draw } = await setUp()
  draw('a')
  ask()
  assert.equal(keysIn(got[0]), ['a'])
  draw('b')
  ask()
  draw('c')
  ask()
  assert.is(got.length, 1, 'a board that is drawn on is not encoded for everybody who asks')
  assert.is(clock.timers.length, 1)
  clock.timers[0]?.run()
  assert.is(got.length, 3, 'all who waited are served together')
  for (const doc of got.slice(1)) assert.equal(keysIn(doc), ['a', 'b', 'c'])
})

joining('waits no longer than a few encodings take', async () => {
  const { clock, ask, draw } = await setUp()
  draw('a')
  ask()
  draw('b')
  ask()
  const waits = clock.timers.map(({ ms }) => ms)
  assert.ok(
    waits.every((ms) => ms <= 50),
    `${waits}`,
  )
})

joining('is encoded once for all who join before the next edit', async () => {
  const { clock, frames, draw } = await setUp()
  draw('a')
  const states: unknown[] = []
  for (let joiner = 0; joiner < 3; joiner++) frames.whole((pieces) => states.push(pieces[1]))
  assert.is(clock.timers.length, 0)
  assert.is(new Set(states).size, 1)
})

joining('is discarded with the room', async () => {
  const { clock, frames, got, ask, draw } = await setUp()
  draw('a')
  ask()
  draw('b')
  ask()
  frames.close()
  assert.is(clock.timers.length, 0)
  assert.is(got.length, 1)
})

joining.run()
