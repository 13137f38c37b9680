// S5: memory of idle connections and rooms, after a forced garbage collection. Pages that processes share are counted
// once: the processes of a database share most of theirs.
//
// Two variants with the same number of connections but different numbers of rooms give the cost of a connection and
// of a room.
import { Client, openClients } from '../load/client.mjs'
import { round } from '../load/load.mjs'
import { sleep } from '../load/pace.mjs'

export const variants = {
  '2000c-20r': { clients: 2000, count: 20 },
  '2000c-2000r': { clients: 2000, count: 2000 },
}

export const rooms = ({ count }) => Array.from({ length: count }, (_, i) => `idle-${i}`)

export async function run(target, params) {
  const { adapter, port } = target
  const names = rooms(params)
  // A hundred come and go first: warmed-up code, and connections to a database, are not part of the cost of one
  // connection.
  const first = await openClients(100, (i) => new Client({ adapter, port, room: names[i % names.length] }))
  for (const client of first) client.close()
  await sleep(3000)
  await target.collectGarbage()
  const pssAtStart = target.pss()
  const cpuAtStart = target.cpu()
  const startedAt = performance.now()
  const clients = await openClients(
    params.clients,
    (i) => new Client({ adapter, port, room: names[i % names.length] }),
  )
  const openSeconds = (performance.now() - startedAt) / 1000
  const openCpu = target.cpu() - cpuAtStart
  await sleep(3000) // past the two-second store debounce of servers that have one
  await target.collectGarbage()
  const pssMiB = target.pss()
  const cpuBeforeIdle = target.cpu()
  await sleep(2000)
  const idleCpu = target.cpu() - cpuBeforeIdle
  const open = clients.filter((client) => !client.socket.closed).length
  for (const client of clients) client.close()
  await sleep(500)
  return {
    connections: open,
    pssAtStartMiB: round(pssAtStart, 1),
    pssMiB: round(pssMiB, 1),
    kibPerConnection: round(((pssMiB - pssAtStart) * 1024) / params.clients, 2),
    openSeconds: round(openSeconds, 2),
    openCpuMicros: round((openCpu / params.clients) * 1e6, 0),
    idleCpuShare: round(idleCpu / 2, 4),
  }
}
