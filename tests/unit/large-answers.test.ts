// States of large boards being sent to many who join at once.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LargeAnswers, type Receiver } from '../../server/rooms/large-answers.ts'
import { HandClock } from '../helpers/rooms.ts'

const MiB = 1024 * 1024

/** A socket that accepts nothing until it is read. */
class Unread implements Receiver {
  unsentBytes = 0
  total = 0

  answer(pieces: readonly Buffer[]): void {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    this.unsentBytes += bytes
    this.total += bytes
  }
}

const crowd = (count: number) => Array.from({ length: count }, () => new Unread())
const given = (receivers: readonly Unread[]) => receivers.filter(({ total }) => total > 0).length

const answers = suite('large answers')

answers('are sent at once while there are few, and small ones always', () => {
  const all = new LargeAnswers(new HandClock())
  const [first, ...others] = crowd(20)
  all.give(first as Unread, [Buffer.alloc(4 * MiB)])
  for (const other of others) all.give(other, [Buffer.alloc(1000)])
  assert.is(given([first as Unread, ...others]), 20)
})

answers('wait for those in progress, and each client gets its own', async () => {
  const clock = new HandClock()
  const all = new LargeAnswers(clock)
  const receivers = crowd(10)
  for (const receiver of receivers) all.give(receiver, [Buffer.alloc(4 * MiB)])
  await clock.advance(10)
  assert.is(given(receivers), 2)
  for (let turn = 0; turn < 20; turn++) {
    for (const receiver of receivers) receiver.unsentBytes = 0
    await clock.advance(1)
  }
  assert.equal(
    receivers.map(({ total }) => total / MiB),
    receivers.map(() => 4),
  )
})

answers('skip clients that do not read', async () => {
  const clock = new HandClock()
  const all = new LargeAnswers(clock)
  const receivers = crowd(6)
  for (const receiver of receivers) all.give(receiver, [Buffer.alloc(4 * MiB)])
  await clock.advance(49)
  assert.is(given(receivers), 2)
  await clock.advance(200)
  assert.is(given(receivers), 6)
})

answers.run()
