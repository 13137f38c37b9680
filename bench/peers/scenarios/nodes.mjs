// Two nodes on one board: the cost of an edit relayed from one to the other, and what is lost when nodes are killed.
import { readFileSync } from 'node:fs'
import { elementsOf, timedJoin } from '../load/board.mjs'
import { Client, within } from '../load/client.mjs'
import { elementId, positionAfter, WriterStream } from '../load/fixtures.mjs'
import { runLoad } from '../load/load.mjs'
import { pace, sleep } from '../load/pace.mjs'

export const needs = 'nodes'
/** Needs redis-server and nats-server, so it runs only if it is requested by name. */
export const isApart = true

const drag = { clients: 101, writers: 1, rate: 30, seconds: 5 }
export const variants = {
  // The writer on one node, all watchers on the other.
  relay: { ...drag, watchersOn: 1 },
  // Ten draw on one node: the edits of one batch are forwarded as one.
  'relay-10w': { ...drag, clients: 60, writers: 10, watchersOn: 1 },
  // All on one node, nobody on the other.
  'same-node': { ...drag, watchersOn: 0 },
  killed: { rate: 30, seconds: 6 },
}

export const rooms = () => ['warm-0', 'drag-0', 'alone', 'watched', 'all']

export async function run(target, params) {
  if (params.watchersOn === undefined) return killed(target, params)
  const spread = {
    ...target,
    portOf: (client) => target.ports[client < params.writers ? 0 : params.watchersOn],
  }
  await runLoad(spread, { ...params, room: 'warm', rate: 60, seconds: 1, verify: false })
  return runLoad(spread, { ...params, room: 'drag' })
}

/** Edits that were reported as saved (Hocuspocus: applied) but are gone afterwards. */
async function killed(target, params) {
  const result = {}
  const killNode = async () => {
    process.kill(JSON.parse(readFileSync(`${target.dataDir}/nodes.json`, 'utf8'))[0], 'SIGKILL')
    await sleep(500)
  }
  Object.assign(result, named('alone', await drawn(target, { ...params, room: 'alone', kill: killNode })))
  await target.restart('SIGKILL')
  Object.assign(
    result,
    named('watched', await drawn(target, { ...params, room: 'watched', isWatched: true, kill: killNode })),
  )
  await target.restart('SIGKILL')
  const kill = () => target.restart('SIGKILL')
  Object.assign(result, named('all', await drawn(target, { ...params, room: 'all', isWatched: true, kill })))
  return result
}

const named = (name, { acked, ackedLost, lost }) => ({
  [`${name}Acked`]: acked,
  [`${name}AckedLost`]: ackedLost,
  [`${name}Lost`]: lost,
})

/** Somebody draws on the first node until `kill`; then the board is read on the second. */
async function drawn({ adapter, ports }, { room, rate, seconds, isWatched = false, kill }) {
  const [first, second] = ports
  const watcher = isWatched ? new Client({ adapter, port: second, room }) : null
  if (watcher !== null) await within(watcher.synced, 20_000, 'join')
  const stream = new WriterStream(0)
  const client = new Client({ adapter, port: first, room })
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
  await kill()
  client.close()
  watcher?.close()
  const { client: reader, body } = await timedJoin({ adapter, port: second }, room)
  reader.close()
  const x = elementsOf(body).get(elementId(0))?.get('x')
  let survived = 0
  while (x !== undefined && survived < edits && positionAfter(0, survived).x !== x) survived++
  return { acked, ackedLost: Math.max(0, acked - survived), lost: edits - survived }
}
