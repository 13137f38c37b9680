// The shared core of S1, S4 and S6: writers drag elements in one or many rooms, everyone receives.
import { Client, openClients } from './client.mjs'
import { Delivery } from './delivery.mjs'
import { WriterStream, writerClientId } from './fixtures.mjs'
import { Histogram } from './histogram.mjs'
import { clientFrame } from './light-socket.mjs'
import { hasFinalPositions, lateJoin, record } from './observer.mjs'
import { pace, sleep, waitUntil } from './pace.mjs'

const streams = []
const stream = (writer) => (streams[writer] ??= new WriterStream(writer))

/**
 * @param {object} target the server under test, see loadgen.mjs
 * @param {object} load
 * @param {string} load.room name prefix; must be new for each call
 * @param {number} [load.rooms]
 * @param {number} load.clients per room
 * @param {number} load.writers per room
 * @param {number} load.rate updates per second and writer
 * @param {number} load.seconds
 * @param {number} [load.drainMs] how long to wait for late deliveries
 * @param {boolean} [load.verify] compare final documents
 */
export async function runLoad(target, load) {
  const { adapter, port, portOf = () => port } = target
  const { room, rooms = 1, clients: perRoom, writers, rate, seconds, drainMs = 20_000, verify = true } = load
  const perWriter = Math.max(1, Math.round(rate * seconds))
  const names = Array.from({ length: rooms }, (_, r) => `${room}-${r}`)
  const clientIds = Array.from({ length: writers }, (_, w) => writerClientId(w))
  const frames = names.map((name) =>
    clientIds.map((_, w) =>
      Array.from({ length: perWriter + 1 }, (_, n) =>
        clientFrame(adapter.update(name, stream(w).update(n)), adapter.opcode),
      ),
    ),
  )

  const rssBefore = target.rss()
  const clients = await openClients(
    rooms * perRoom,
    (i) => new Client({ adapter, port: portOf(i % perRoom), room: names[Math.floor(i / perRoom)] }),
  )

  const latency = new Histogram()
  const deliveries = names.map(() => {
    const delivery = new Delivery({
      writerByClientId: new Map(clientIds.map((id, w) => [id, w])),
      baseClocks: clientIds.map((_, w) => stream(w).baseClock),
      updatesPerWriter: perWriter,
      receivers: perRoom,
    })
    delivery.latency = latency
    return delivery
  })
  const hasHeard = clients.map((_, i) => i % perRoom < writers)
  clients.forEach((client, i) => {
    const delivery = deliveries[Math.floor(i / perRoom)]
    const receiver = i % perRoom
    client.update = (buf, start, end) => {
      hasHeard[i] = true
      delivery.receive(receiver, receiver, buf, start, end, performance.now())
    }
  })
  const total = (field) => deliveries.reduce((sum, delivery) => sum + delivery[field], 0)
  const framesReceived = () => clients.reduce((sum, client) => sum + client.socket.frames, 0)
  const bytesReceived = () => clients.reduce((sum, client) => sum + client.socket.bytes, 0)

  // Observers: the first and the last client of up to two rooms.
  const observed = []
  for (const r of new Set([0, rooms - 1])) {
    for (const receiver of new Set([0, perRoom - 1])) {
      const own =
        receiver < writers ? Array.from({ length: perWriter + 1 }, (_, n) => stream(receiver).update(n)) : []
      observed.push(record(clients[r * perRoom + receiver], own))
    }
  }

  // Every writer creates its element; then let the room settle before measuring.
  for (const r of names.keys())
    for (const w of clientIds.keys()) clients[r * perRoom + w].socket.send(frames[r][w][0])
  // The first edit of a large board arrives once its document is built.
  await waitUntil(() => hasHeard.every(Boolean), { limitMs: 120_000 })
  await waitUntil(() => false, { limitMs: 15_000, stallMs: 400, progress: framesReceived })

  const framesAtStart = framesReceived()
  const bytesAtStart = bytesReceived()
  const cpuAtStart = target.cpu()
  const ownCpuAtStart = process.cpuUsage()
  const startedAt = performance.now()
  const events = rooms * writers * perWriter
  const paced = await pace(events, rooms * writers * rate, (i, at) => {
    const r = i % rooms
    const w = Math.floor(i / rooms) % writers
    const n = 1 + Math.floor(i / (rooms * writers))
    deliveries[r].sent(w, n, at)
    clients[r * perRoom + w].socket.send(frames[r][w][n])
  })
  const expected = events * (perRoom - 1)
  const delivered = () => total('delivered')
  await waitUntil(() => delivered() === expected, { limitMs: drainMs, stallMs: 8000, progress: delivered })
  const ownCpu = process.cpuUsage(ownCpuAtStart)
  const wallSeconds = (performance.now() - startedAt) / 1000
  const cpu = target.cpu() - cpuAtStart
  const rss = target.rss()
  const activeSeconds = (Math.max(...deliveries.map((delivery) => delivery.lastAt)) - startedAt) / 1000
  const got = delivered()

  const result = {
    updates: events,
    expected,
    delivered: got,
    complete: got === expected,
    offeredPerSecond: Math.round(events / seconds),
    deliveredPerSecond: Math.round(got / Math.max(seconds, activeSeconds)),
    latency: latency.summary(),
    serverCpuSeconds: round(cpu, 4),
    serverCpuShare: round(cpu / wallSeconds, 3),
    cpuSecondsPerMillion: round((cpu / got) * 1e6, 2),
    rssBeforeMiB: round(rssBefore, 1),
    rssMiB: round(rss, 1),
    framesReceived: framesReceived() - framesAtStart,
    bytesPerDelivery: round((bytesReceived() - bytesAtStart) / got, 1),
    gaps: total('gaps'),
    generatorCpuShare: round((ownCpu.user + ownCpu.system) / 1e6 / wallSeconds, 3),
    generatorWorstLateMs: round(paced.worstLateMs, 1),
  }
  if (verify && result.complete) {
    const last = clientIds.map(() => perWriter)
    const docs = observed.map((observer) => observer.doc())
    if (adapter.crdt) docs.push(await lateJoin({ adapter, port, room: names[0] }))
    result.converged = docs.map((doc) => hasFinalPositions(doc, last))
  }
  for (const client of clients) client.close()
  await sleep(200)
  return result
}

export const round = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits
