// S3: joining a large board - cold, warm, and a hundred at once while another room stays live.
import * as Y from 'yjs'
import { fill, sameBoard, timedJoin } from '../load/board.mjs'
import { Client, openClients } from '../load/client.mjs'
import { boardUpdates, stateOf, WriterStream } from '../load/fixtures.mjs'
import { Histogram } from '../load/histogram.mjs'
import { round } from '../load/load.mjs'
import { sleep } from '../load/pace.mjs'

export const needs = 'documents'

// 150 joins of 4 MB, as in y/hub's published join storm.
export const variants = {
  '1mb': { elements: 4650, joins: 100 },
  '4mb': { elements: 18_600, joins: 150 },
}

const ROOM = 'large'
export const rooms = () => [ROOM, 'bystander']

export async function run(target, { elements, joins: count }) {
  const updates = boardUpdates(elements)
  const state = stateOf(updates)
  const result = { documentBytes: state.length }

  const uploader = await fill(target, ROOM, updates)
  if (target.persists) {
    uploader.close()
    await sleep(3000) // past any store debounce
    await target.restart('SIGTERM')
    const cpuAtStart = target.cpu()
    const first = await timedJoin(target, ROOM)
    result.coldMs = round(first.ms, 1)
    result.coldCpuMs = round((target.cpu() - cpuAtStart) * 1000, 0)
    uploader.close = first.client.close.bind(first.client)
  }

  // Warm: the room is loaded; take the median of five joins.
  const cpuBeforeWarm = target.cpu()
  const warm = []
  for (let i = 0; i < 5; i++) {
    const join = await timedJoin(target, ROOM)
    warm.push(join.ms)
    if (i === 4) {
      result.joinBytes = join.body.length
      result.correct = sameBoard(join.body, state)
    }
    join.client.close()
    await sleep(100)
  }
  result.warmMs = round(warm.sort((a, b) => a - b)[2], 1)
  result.warmCpuMs = round(((target.cpu() - cpuBeforeWarm) / 5) * 1000, 1)

  // Many joins at once, with a bystander room that measures how long the server stalls.
  const bystander = await watchRoom(target)
  await sleep(300)
  bystander.latency.reset()
  const cpuBeforeStorm = target.cpu()
  const startedAt = performance.now()
  const storm = new Histogram()
  const joins = await Promise.all(
    Array.from({ length: count }, async () => {
      const { ms, client, body } = await timedJoin(target, ROOM)
      storm.add(ms)
      return { client, bytes: body.length }
    }),
  )
  result.stormMs = round(performance.now() - startedAt, 0)
  result.stormJoin = storm.summary()
  result.stormCpuSeconds = round(target.cpu() - cpuBeforeStorm, 3)
  result.stormComplete = joins.every((join) => join.bytes === joins[0].bytes)
  await sleep(200)
  result.bystander = bystander.latency.summary()
  result.peakMiB = round(target.peak(), 1)
  bystander.stop()
  for (const join of joins) join.client.close()
  uploader.close()
  return result
}

/** Two clients in another room; one sends an update every so often, the other times its arrival. */
export async function watchRoom({ adapter, port }, everyMs = 10) {
  const [writer, reader] = await openClients(2, () => new Client({ adapter, port, room: 'bystander' }))
  const stream = new WriterStream(0)
  const latency = new Histogram()
  const sentAt = [0]
  let seen = 0
  reader.update = (buf, start, end) => {
    const to = [...Y.parseUpdateMeta(buf.subarray(start, end)).to.values()][0]
    const n = (to - stream.baseClock) / 2
    for (seen++; seen <= n; seen++) latency.add(performance.now() - sentAt[seen])
    seen = n
  }
  writer.sendUpdate(stream.update(0))
  await sleep(100)
  seen = 0
  const timer = setInterval(() => {
    const n = sentAt.length
    sentAt.push(performance.now())
    writer.sendUpdate(stream.update(n))
  }, everyMs)
  return {
    latency,
    stop() {
      clearInterval(timer)
      writer.close()
      reader.close()
    },
  }
}
