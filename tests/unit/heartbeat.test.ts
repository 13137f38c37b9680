// How a page knows whether the server is reachable: frequent heartbeats, patience with slow lines, never fooled by
// its own pauses.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Heartbeat } from '../../shared/client/heartbeat.ts'
import { HandClock } from '../helpers/canvas.ts'

const beats = suite('the heartbeat')

/** A line whose answers take `answerMs`; null: there are none. */
const lineOf = (clock: HandClock) => {
  const line = {
    answerMs: 10 as number | null,
    isOpen: true,
    asked: 0,
    lost: 0,
    heartbeat: null as Heartbeat | null,
  }
  const heartbeat = new Heartbeat(clock, {
    ask: () => {
      line.asked++
      if (line.answerMs !== null) clock.after(line.answerMs, () => heartbeat.heard(true))
    },
    isOpen: () => line.isOpen,
    changed: () => {},
    lost: () => line.lost++,
  })
  heartbeat.start()
  return Object.assign(line, { heartbeat })
}

beats('reports within two seconds that the server is silent, and at once that it is back', () => {
  const clock = new HandClock()
  const line = lineOf(clock)
  clock.advance(10_000)
  assert.ok(line.asked > 5)
  assert.not(line.heartbeat.isSilent)
  line.answerMs = null
  clock.advance(2100)
  assert.ok(line.heartbeat.isSilent)
  line.heartbeat.heard(false)
  assert.not(line.heartbeat.isSilent)
  line.heartbeat.stop()
})

beats('treats a socket that can no longer send as silence', () => {
  const clock = new HandClock()
  const line = lineOf(clock)
  line.isOpen = false
  clock.advance(400)
  assert.ok(line.heartbeat.isSilent)
  line.heartbeat.stop()
})

beats('is patient with a line that is always slow, and while much is being sent', () => {
  const clock = new HandClock()
  const line = lineOf(clock)
  line.answerMs = 900
  clock.advance(10_000)
  line.answerMs = 2000
  clock.advance(5000)
  assert.not(line.heartbeat.isSilent)
  line.answerMs = null
  clock.advance(2000)
  line.heartbeat.sent(500_000)
  clock.advance(10_000)
  assert.not(line.heartbeat.isSilent)
  clock.advance(60_000)
  assert.ok(line.heartbeat.isSilent)
  line.heartbeat.stop()
})

beats('sends nothing while nobody is looking, and at once when somebody does', () => {
  const clock = new HandClock()
  const line = lineOf(clock)
  line.heartbeat.pause(true)
  clock.advance(60_000)
  assert.is(line.asked, 0)
  line.heartbeat.pause(false)
  assert.is(line.asked, 1)
  line.heartbeat.stop()
})

beats('gives up a connection that stays silent', () => {
  const clock = new HandClock()
  const line = lineOf(clock)
  line.answerMs = null
  clock.advance(10_000)
  assert.is(line.lost, 0)
  clock.advance(20_000)
  assert.ok(line.lost > 0)
  line.heartbeat.stop()
  assert.is(clock.waiting, 0)
})

beats.run()
