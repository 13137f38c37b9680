// An hour of joins, leaves, edits and cursors: what stays behind of them in memory, handles and latency.
//   SOAK_MINUTES  default 60
import { Client, openClients } from '../load/client.mjs'
import { WriterStream } from '../load/fixtures.mjs'
import { clientFrame } from '../load/light-socket.mjs'
import { round } from '../load/load.mjs'
import { sleep } from '../load/pace.mjs'
import { watchRoom } from './join.mjs'

export const isLong = true
export const variants = { hour: { minutes: Number(process.env.SOAK_MINUTES ?? 60), rooms: 20, clients: 60 } }
export const rooms = ({ rooms: count }) => [
  ...Array.from({ length: count }, (_, i) => `soak-${i}`),
  'bystander',
]

export async function run(target, { minutes, rooms: count, clients: total }) {
  const { adapter, port } = target
  const bystander = await watchRoom(target)
  const open = (i) => new Client({ adapter, port, room: `soak-${i % count}` })
  const clients = await openClients(total, open)
  const streams = Array.from({ length: count }, (_, i) => new WriterStream(i))
  const edits = streams.map(() => 0)
  const samples = []
  const startedAt = performance.now()
  const endsAt = startedAt + minutes * 60_000
  let nextSampleAt = startedAt
  for (let turn = 0; performance.now() < endsAt; turn++) {
    const room = turn % count
    clients[room].sendUpdate(streams[room].update(edits[room]++))
    const mover = turn % total
    clients[mover].socket.send(
      clientFrame(
        adapter.awareness(`soak-${mover % count}`, 3_000_000_019 + mover, turn + 1, { cursor: { x: turn } }),
        adapter.opcode,
      ),
    )
    if (turn % 20 === 0) {
      // Writers stay: the others come and go, ten a second.
      const leaver = count + ((turn / 20) % (total - count))
      clients[leaver].close()
      ;[clients[leaver]] = await openClients(1, () => open(leaver))
    }
    if (performance.now() >= nextSampleAt) {
      nextSampleAt += Math.max(1000, (minutes * 60_000) / 120)
      const { p50, p99 } = bystander.latency.summary()
      bystander.latency.reset()
      samples.push({
        minute: round((performance.now() - startedAt) / 60_000, 2),
        pssMiB: round(target.pss(), 1),
        handles: target.handles(),
        cpu: round(target.cpu(), 1),
        p50,
        p99,
      })
    }
    await sleep(5)
  }
  bystander.stop()
  for (const client of clients) client.close()
  return { edits: edits.reduce((sum, each) => sum + each, 0), samples }
}
