// S10: the delay that people on another board notice while a large one is opened, gets its first edit, and its log is
// folded.
import { fill, timedJoin } from '../load/board.mjs'
import { Client, within } from '../load/client.mjs'
import { boardUpdates, historyUpdates } from '../load/fixtures.mjs'
import { round } from '../load/load.mjs'
import { sleep } from '../load/pace.mjs'
import { watchRoom } from './join.mjs'

export const needs = 'storage'
export const variants = { '4mb': { elements: 18_600 } }

const ROOM = 'large'
export const rooms = () => [ROOM, 'bystander']

export async function run(target, { elements }) {
  const uploader = await fill(target, ROOM, boardUpdates(elements))
  // A killed server leaves a long log and no snapshot of it.
  await sleep(1500)
  await target.restart('SIGKILL')
  uploader.close()
  const { adapter, port } = target
  const bystander = await watchRoom(target)
  await sleep(500)
  const quiet = bystander.latency.summary()
  bystander.latency.reset()
  const cpuAtStart = target.cpu()
  const { client: reader } = await timedJoin(target, ROOM)
  const writer = new Client({ adapter, port, room: ROOM })
  await within(writer.synced, 60_000, 'join')
  for (const update of historyUpdates(1, 20)) writer.sendUpdate(update)
  await sleep(3000)
  reader.close()
  writer.close()
  await sleep(1500)
  const during = bystander.latency.summary()
  bystander.stop()
  return {
    quiet,
    bystander: during,
    cpuSeconds: round(target.cpu() - cpuAtStart, 3),
    peakMiB: round(target.peak(), 1),
  }
}
