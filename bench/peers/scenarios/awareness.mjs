// S2: one room, everyone moves a cursor.
//
// A server may skip states that a newer one replaced, so delivered states are counted separately from lost ones: lost
// means that a final state never arrives.
import { Client, openClients } from '../load/client.mjs'
import { Histogram } from '../load/histogram.mjs'
import { clientFrame } from '../load/light-socket.mjs'
import { round } from '../load/load.mjs'
import { pace, sleep, waitUntil } from '../load/pace.mjs'

export const variants = {
  n30: { clients: 30, rate: 30, seconds: 2.5, isExtra: true },
  n100: { clients: 100, rate: 30, seconds: 2.5 },
  'n500-1hz': { clients: 500, rate: 1, seconds: 4, isExtra: true }, // y/hub's published presence test
}

export const rooms = () => ['warm', 'cursors']

const awarenessId = (i) => 3_000_000_019 + i * 104_729

export async function run(target, { clients: count, rate, seconds }) {
  await moveCursors(target, { count, rate, seconds: 1, room: 'warm' })
  return moveCursors(target, { count, rate, seconds, room: 'cursors' })
}

async function moveCursors(target, { count, rate, seconds, room }) {
  const { adapter, port } = target
  const moves = Math.round(rate * seconds)
  const indexById = new Map(Array.from({ length: count }, (_, i) => [awarenessId(i), i]))
  const frame = (i, clock) =>
    clientFrame(
      adapter.awareness(room, awarenessId(i), clock, {
        user: { name: `User ${i}`, color: '#30bced' },
        cursor: { x: i * 10 + clock * 1.5, y: 900 - clock * 2.5 },
      }),
      adapter.opcode,
    )
  const frames = Array.from({ length: count }, (_, i) =>
    Array.from({ length: moves + 1 }, (_, n) => frame(i, n + 1)),
  )

  const clients = await openClients(count, () => new Client({ adapter, port, room }))
  const sentAt = new Float64Array(count * (moves + 2))
  const seen = new Uint32Array(count * count).fill(1)
  const latency = new Histogram()
  let measuring = false
  let states = 0
  let superseded = 0
  let lastAt = 0
  clients.forEach((client, receiver) => {
    client.cursor = (clientId, clock) => {
      const mover = indexById.get(clientId)
      if (!measuring || mover === undefined || mover === receiver) return
      const index = receiver * count + mover
      const before = seen[index]
      if (clock <= before) return
      seen[index] = clock
      superseded += clock - before - 1
      states++
      lastAt = performance.now()
      latency.add(lastAt - sentAt[mover * (moves + 2) + clock])
    }
  })
  const framesReceived = () => clients.reduce((sum, client) => sum + client.socket.frames, 0)

  for (const [i, client] of clients.entries()) client.socket.send(frames[i][0])
  await waitUntil(() => false, { limitMs: 15_000, stallMs: 400, progress: framesReceived })
  measuring = true

  const framesAtStart = framesReceived()
  const cpuAtStart = target.cpu()
  const ownCpuAtStart = process.cpuUsage()
  const startedAt = performance.now()
  const paced = await pace(count * moves, count * rate, (i, at) => {
    const mover = i % count
    const clock = 2 + Math.floor(i / count)
    sentAt[mover * (moves + 2) + clock] = at
    clients[mover].socket.send(frames[mover][clock - 1])
  })
  const final = moves + 1
  const settled = () => seen.every((clock, index) => clock === final || index % (count + 1) === 0)
  const complete = await waitUntil(settled, {
    limitMs: 20_000,
    stallMs: 4000,
    progress: () => states,
    everyMs: 50,
  })
  const ownCpu = process.cpuUsage(ownCpuAtStart)
  const wallSeconds = (performance.now() - startedAt) / 1000
  const cpu = target.cpu() - cpuAtStart
  const result = {
    moves: count * moves,
    expectedStates: count * moves * (count - 1),
    states,
    superseded,
    complete,
    statesPerSecond: Math.round(states / Math.max(seconds, (lastAt - startedAt) / 1000)),
    hzPerCursor: round(states / (count * (count - 1)) / Math.max(seconds, (lastAt - startedAt) / 1000), 1),
    framesReceived: framesReceived() - framesAtStart,
    latency: latency.summary(),
    serverCpuSeconds: round(cpu, 4),
    serverCpuShare: round(cpu / wallSeconds, 3),
    cpuSecondsPerMillion: round((cpu / states) * 1e6, 2),
    cpuMicrosPerMove: round((cpu / (count * moves)) * 1e6, 1),
    rssMiB: round(target.rss(), 1),
    generatorCpuShare: round((ownCpu.user + ownCpu.system) / 1e6 / wallSeconds, 3),
    generatorWorstLateMs: round(paced.worstLateMs, 1),
  }
  for (const client of clients) client.close()
  await sleep(200)
  return result
}
