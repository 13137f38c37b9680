// How soon a comment reaches everybody on its board, and what it costs the server. A separate server with a separate
// Postgres; the readers are plain sockets in this process.
//   npm run build:server && node dist/bench/comments.js
//   READERS=100 COMMENTS=50 node dist/bench/comments.js
import os from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { MessageType } from '../shared/protocol.ts'
import { eventually } from '../tests/helpers/eventually.ts'
import { countFromEnvironment } from '../tests/helpers/random.ts'
import { RawClient } from '../tests/helpers/raw-client.ts'
import { isServing, ServerProcess, serve } from './serving.ts'

const readers = countFromEnvironment('READERS', 100)
const comments = countFromEnvironment('COMMENTS', 50)
const pauseMs = 200

if (isServing()) await serve({ maxConnectionsPerPrincipal: readers + 10, maxWritersPerRoom: readers + 10 })
await measure()

async function measure(): Promise<void> {
  const server = await ServerProcess.start(import.meta.url)
  const { id: board } = await server.post('/boards', { title: 'Everybody' })
  const sockets = await Promise.all(
    Array.from({ length: readers }, async () => {
      const client = new RawClient(server.socketOf(board))
      await eventually(() => client.bodies(MessageType.hello).length > 0, { withinMs: 60_000 })
      return client
    }),
  )
  const { id: thread } = await server.post(`/boards/${board}/threads`, {
    anchor: { x: 0, y: 0 },
    body: 'First',
  })
  await delay(1000)

  let heard: number[] = []
  let sentAt = 0
  for (const { socket } of sockets) {
    socket.on('message', (data: Buffer) => {
      if (data[0] === MessageType.event && data.includes('"thread":{')) heard.push(performance.now() - sentAt)
    })
  }
  const all: number[] = []
  const before = await server.cpuMs()
  for (let count = 0; count < comments; count++) {
    heard = []
    sentAt = performance.now()
    await server.post(`/boards/${board}/threads/${thread}/comments`, { body: `Comment ${count}` })
    await eventually(() => heard.length === readers)
    all.push(...heard)
    await delay(pauseMs)
  }
  const cost = ((await server.cpuMs()) - before) / comments
  all.sort((a, b) => a - b)
  const at = (share: number) =>
    (all[Math.min(all.length - 1, Math.floor(all.length * share))] ?? 0).toFixed(1)
  console.log(`${comments} comments to ${readers} readers each, from the request to the reader`)
  console.log(`p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`)
  console.log(`server: ${cost.toFixed(1)} ms of CPU a comment, pings and pauses included`)
  console.log(
    `load ${os
      .loadavg()
      .map((load) => load.toFixed(2))
      .join(' ')}`,
  )
  for (const { socket } of sockets) socket.terminate()
  await server.end()
}
