// S9: everybody on a large board reconnects at once after a restart, as stock clients do: each with a whole document,
// requesting what it misses and sending what it has.

import * as Y from 'yjs'
import { fill } from '../load/board.mjs'
import { Client, within } from '../load/client.mjs'
import { boardUpdates, stateOf } from '../load/fixtures.mjs'
import { Histogram } from '../load/histogram.mjs'
import { round } from '../load/load.mjs'
import { sleep } from '../load/pace.mjs'

export const needs = 'storage'
export const variants = {
  '4mb': { elements: 18_600, clients: 150 },
  '1mb': { elements: 4650, clients: 50, isExtra: true },
}

const ROOM = 'comeback'
export const rooms = () => [ROOM]

export async function run(target, { elements, clients: count }) {
  const updates = boardUpdates(elements)
  const state = stateOf(updates)
  const stateVector = Y.encodeStateVectorFromUpdate(state)
  const uploader = await fill(target, ROOM, updates)
  uploader.close()
  await sleep(3000) // past any store debounce
  await target.restart('SIGTERM')
  const { adapter, port } = target
  const cpuAtStart = target.cpu()
  const startedAt = performance.now()
  const waits = new Histogram()
  const clients = await Promise.all(
    Array.from({ length: count }, async () => {
      const client = new Client({ adapter, port, room: ROOM, stateVector })
      await within(client.synced, 120_000, 'coming back')
      waits.add(performance.now() - startedAt)
      return client
    }),
  )
  const allMs = performance.now() - startedAt
  await sleep(500)
  const cpu = target.cpu() - cpuAtStart
  const bytes = clients.reduce((sum, client) => sum + client.socket.bytes, 0)
  for (const client of clients) client.close()
  return {
    allMs: round(allMs, 0),
    wait: waits.summary(),
    cpuSeconds: round(cpu, 3),
    kibPerClient: round(bytes / count / 1024, 1),
    peakMiB: round(target.peak(), 1),
  }
}
