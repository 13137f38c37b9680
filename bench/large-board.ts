// The delay that people on other boards notice while a large board gets its first edit since it was opened, and while an
// update with many conflicts is tried on it. The server is a separate process.
//   npm run build:server && node dist/bench/large-board.js
//   COPIES=2 ROUNDS=7 node dist/bench/large-board.js
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import * as Y from 'yjs'
import { MessageType } from '../shared/protocol.ts'
import { writeElements } from '../shared/scene.ts'
import { eventually } from '../tests/helpers/eventually.ts'
import { countFromEnvironment } from '../tests/helpers/random.ts'
import { RawClient } from '../tests/helpers/raw-client.ts'
import { contentOf, type Struct, writeUpdate } from '../tests/helpers/update-writer.ts'
import { isServing, ServerProcess, serve } from './serving.ts'

/** Drawings of 2 MB on the board. */
const copies = countFromEnvironment('COPIES', 2)
const rounds = countFromEnvironment('ROUNDS', 7)

if (isServing()) await serve()
await measure()

async function measure(): Promise<void> {
  const server = await ServerProcess.start(import.meta.url)
  const open = async (board: string): Promise<RawClient> => {
    const client = new RawClient(server.socketOf(board))
    await eventually(() => client.bodies(MessageType.hello).length > 0, { withinMs: 60_000 })
    return client
  }
  const newBoard = async (title: string) => (await server.post('/boards', { title })).id
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
  one.terminate()
  two.terminate()
  await server.end()
}

async function leave(client: RawClient): Promise<void> {
  client.close()
  await client.closed
  await delay(500) // the room closes, so that the next one builds the document again
}

/** One client's edits until another one receives them, one after the other, continuously. */
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

/** Valid, but suspicious: structs that all claim positions which others in the same update claim too. */
function crowd(client: number): Uint8Array {
  const char: Struct = { ref: 4, parent: `crowd ${client % 50}`, content: contentOf.string('x') }
  const backwards = Array.from(
    { length: 2500 },
    (_, i): Struct => (i === 0 ? char : { ...char, rightOrigin: { client, clock: i - 1 } }),
  )
  return writeUpdate([{ client, clock: 0, structs: backwards }])
}
