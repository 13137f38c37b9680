// S7: how long an edit waits for its ack, and what a crash or a clean shutdown loses.
import { elementsOf, timedJoin } from '../load/board.mjs'
import { Client, within } from '../load/client.mjs'
import { elementId, positionAfter, WriterStream } from '../load/fixtures.mjs'
import { Histogram } from '../load/histogram.mjs'
import { round } from '../load/load.mjs'
import { pace, sleep } from '../load/pace.mjs'

export const needs = 'storage'

export const variants = {
  'edit-12s': { rate: 30, seconds: 12, acks: 200 },
}

export const rooms = () => ['ack', 'crash', 'stop']

export async function run(target, { rate, seconds, acks }) {
  const result = { ack: await ackLatency(target, acks) }
  const crash = await editAndStop(target, { room: 'crash', rate, seconds, signal: 'SIGKILL' })
  result.crashLostEdits = crash.lost
  result.crashLostSeconds = round(crash.lost / rate, 2)
  result.crashAckedLost = Math.max(0, crash.acked - crash.survived)
  result.stopLostEdits = (
    await editAndStop(target, { room: 'stop', rate, seconds: 1.5, signal: 'SIGTERM' })
  ).lost
  return result
}

/** Sends one edit after the other, each when the previous one is acked; null if there is no ack. */
async function ackLatency({ adapter, port }, count) {
  const stream = new WriterStream(0)
  const client = new Client({ adapter, port, room: 'ack' })
  await within(client.synced, 20_000, 'join')
  await sleep(200)
  const latency = new Histogram()
  try {
    for (let n = 0; n < count; n++) {
      const acked = new Promise((resolve) => {
        client.acked = resolve
      })
      const sentAt = performance.now()
      client.sendUpdate(stream.update(n))
      await within(acked, 2000, 'ack')
      latency.add(performance.now() - sentAt)
      await sleep(5)
    }
    return latency.summary()
  } catch {
    return null
  } finally {
    client.close()
  }
}

async function editAndStop(target, { room, rate, seconds, signal }) {
  const { adapter, port } = target
  const stream = new WriterStream(0)
  const client = new Client({ adapter, port, room })
  await within(client.synced, 20_000, 'join')
  client.sendUpdate(stream.update(0))
  await sleep(200)
  let acked = 0
  client.acked = () => {
    acked++
  }
  const edits = rate * seconds
  await pace(edits, rate, (i) => client.sendUpdate(stream.update(i + 1)))
  await sleep(20)
  await target.restart(signal)
  client.close()
  const { client: reader, body } = await timedJoin(target, room)
  reader.close()
  const x = elementsOf(body).get(elementId(0))?.get('x')
  let survived = 0
  while (x !== undefined && survived < edits && positionAfter(0, survived).x !== x) survived++
  return { survived, lost: edits - survived, acked }
}
