// What people on other boards feel while a large board gets its first edit since it was opened, and while a crowd of
// structs is tried on it. The server is a process of its own.
//   npm run build:server && node dist/bench/large-board.js
//   COPIES=2 ROUNDS=7 node dist/bench/large-board.js
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as Y from 'yjs'
import { createBoardroom } from '../server/boardroom.ts'
import { MessageType } from '../shared/protocol.ts'
import { writeElements } from '../shared/scene.ts'
import { withDatabase } from '../tests/helpers/database.ts'
import { eventually } from '../tests/helpers/eventually.ts'
import { countFromEnvironment } from '../tests/helpers/random.ts'
import { RawClient } from '../tests/helpers/raw-client.ts'
import { contentOf, type Struct, writeUpdate } from '../tests/helpers/update-writer.ts'

/** Drawings of 2 MB on the board. */
const copies = countFromEnvironment('COPIES', 2)
const rounds = countFromEnvironment('ROUNDS', 7)

if (process.argv[2] === 'serve') await serve()
else await measure()

async function serve(): Promise<void> {
  await withDatabase(async ({ url }) => {
    const http = createServer()
    const boardroom = await createBoardroom({
      database: url,
      secret: 'a benchmark has no secrets, but needs one',
      authenticate: () => ({ externalId: 'somebody', name: 'Somebody' }),
    })
    http.on('request', (request, response) => boardroom.handleRequest(request, response))
    http.on('upgrade', (request, socket, head) => boardroom.handleUpgrade(request, socket, head))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    process.send?.((http.address() as AddressInfo).port)
    await once(process, 'message')
    await boardroom.close({ drainMs: 0 })
    http.close()
    http.closeAllConnections()
  })
  process.exit(0)
}

async function measure(): Promise<void> {
  const server = fork(fileURLToPath(import.meta.url), ['serve'])
  const [port] = await once(server, 'message')
  const origin = `http://127.0.0.1:${port}`
  const open = async (board: string): Promise<RawClient> => {
    const client = new RawClient(`ws://127.0.0.1:${port}/ws/${board}`)
    await eventually(() => client.bodies(MessageType.hello).length > 0, { withinMs: 60_000 })
    return client
  }
  const newBoard = async (title: string): Promise<string> => {
    const answer = await fetch(`${origin}/api/boards`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title }),
    })
    return ((await answer.json()) as { id: string }).id
  }
  const [large, other] = [await newBoard('Large'), await newBoard('Other')]
  const state = largeState()
  const maker = await open(large)
  const made = maker.sendUpdate(state)
  await eventually(() => maker.saved >= made, { withinMs: 60_000 })
  await leave(maker)
  const [one, two] = [await open(other), await open(other)]
  const worst: Record<string, number[]> = { nothing: [], 'first edit': [], crowd: [] }
  const took: Record<string, number[]> = { nothing: [], 'first edit': [], crowd: [] }
  const during = async (what: string, work: () => Promise<void>) => {
    const watch = roundTrips(one, two)
    const begun = performance.now()
    await work()
    took[what]?.push(performance.now() - begun)
    worst[what]?.push(await watch.stop())
  }
  for (let round = 0; round < rounds; round++) {
    await during('nothing', () => delay(1000))
    const client = await open(large)
    await client.message(MessageType.sync)
    await eventually(() => client.doc.share.size > 0, { withinMs: 30_000 })
    await during('first edit', async () => {
      const count = client.edit((doc) => doc.getMap('notes').set('round', round))
      await eventually(() => client.saved >= count, { withinMs: 60_000 })
    })
    await during('crowd', async () => {
      const count = client.sendUpdate(crowd(1000 + round * 10))
      await eventually(() => client.saved >= count || client.bodies(MessageType.notice).length > 0, {
        withinMs: 60_000,
      })
    })
    await leave(client)
  }
  const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
  console.log(
    `${os.cpus()[0]?.model}, ${os.cpus().length} cores, Node ${process.version}; ${state.length} bytes`,
  )
  console.table(
    Object.fromEntries(
      Object.keys(worst).map((what) => [
        what,
        {
          'worst round trip on another board, median of rounds, ms': Math.round(median(worst[what] ?? [])),
          'of all rounds, ms': Math.round(Math.max(...(worst[what] ?? []))),
          'took, median, ms': Math.round(median(took[what] ?? [])),
        },
      ]),
    ),
  )
  server.send('stop')
  one.terminate()
  two.terminate()
  await once(server, 'exit')
}

async function leave(client: RawClient): Promise<void> {
  client.close()
  await client.closed
  await delay(500) // the room closes, so that the next one builds anew
}

/** Edits of one that another gets, one after the other, all the time. */
function roundTrips(one: RawClient, two: RawClient): { stop(): Promise<number> } {
  let isOn = true
  let worst = 0
  const running = (async () => {
    for (let i = 0; isOn; i++) {
      const mark = `${Date.now()} ${i}`
      const begun = performance.now()
      one.edit((doc) => doc.getMap('trips').set('mark', mark))
      while (two.doc.getMap('trips').get('mark') !== mark) await delay(1)
      worst = Math.max(worst, performance.now() - begun)
      await delay(5)
    }
  })()
  return {
    async stop() {
      isOn = false
      await running
      return worst
    },
  }
}

function largeState(): Uint8Array {
  const drawing = new URL('../../tests/fixtures/boards/aws-architecture-icons.excalidraw', import.meta.url)
  const { elements } = JSON.parse(readFileSync(drawing, 'utf8'))
  const doc = new Y.Doc()
  for (let copy = 0; copy < copies; copy++)
    writeElements(
      doc,
      elements.map((element: { id: string }) => ({ ...element, id: `${element.id} ${copy}` })),
    )
  return Y.encodeStateAsUpdate(doc)
}

/** Valid, and suspicious: structs that all claim places which others of the same update claim. */
function crowd(client: number): Uint8Array {
  const char: Struct = { ref: 4, parent: `crowd ${client % 50}`, content: contentOf.string('x') }
  const backwards = Array.from(
    { length: 2500 },
    (_, i): Struct => (i === 0 ? char : { ...char, rightOrigin: { client, clock: i - 1 } }),
  )
  return writeUpdate([{ client, clock: 0, structs: backwards }])
}
