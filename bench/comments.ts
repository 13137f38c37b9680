// How soon a comment is at everybody who is on its board, and what it costs the server. A server of its own with a
// Postgres of its own, readers that are plain sockets in this process.
//   npm run build:server && node dist/bench/comments.js
//   READERS=100 COMMENTS=50 node dist/bench/comments.js
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createBoardroom } from '../server/boardroom.ts'
import { MessageType } from '../shared/protocol.ts'
import { withDatabase } from '../tests/helpers/database.ts'
import { eventually } from '../tests/helpers/eventually.ts'
import { countFromEnvironment } from '../tests/helpers/random.ts'
import { RawClient } from '../tests/helpers/raw-client.ts'

const readers = countFromEnvironment('READERS', 100)
const comments = countFromEnvironment('COMMENTS', 50)
const pauseMs = 200

if (process.argv[2] === 'serve') await serve()
else await measure()

async function serve(): Promise<void> {
  await withDatabase(async ({ url }) => {
    const http = createServer()
    const boardroom = await createBoardroom({
      database: url,
      secret: 'a benchmark has no secrets, but needs one',
      authenticate: () => ({ externalId: 'somebody', name: 'Somebody' }),
      maxConnectionsPerPrincipal: readers + 10,
      maxWritersPerRoom: readers + 10,
    })
    http.on('request', (request, response) => boardroom.handleRequest(request, response))
    http.on('upgrade', (request, socket, head) => boardroom.handleUpgrade(request, socket, head))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    process.send?.((http.address() as AddressInfo).port)
    for (let message = ''; message !== 'end'; ) {
      ;[message] = (await once(process, 'message')) as [string]
      if (message === 'cpu') process.send?.(process.cpuUsage())
    }
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
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${origin}/api${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as { id: string }
  }
  const cpuMs = async (): Promise<number> => {
    server.send('cpu')
    const [{ user, system }] = (await once(server, 'message')) as [NodeJS.CpuUsage]
    return (user + system) / 1000
  }
  const { id: board } = await post('/boards', { title: 'Everybody' })
  const sockets = await Promise.all(
    Array.from({ length: readers }, async () => {
      const client = new RawClient(`ws://127.0.0.1:${port}/ws/${board}`)
      await eventually(() => client.bodies(MessageType.hello).length > 0, { withinMs: 60_000 })
      return client
    }),
  )
  const { id: thread } = await post(`/boards/${board}/threads`, { anchor: { x: 0, y: 0 }, body: 'First' })
  await delay(1000)

  let heard: number[] = []
  let sentAt = 0
  for (const { socket } of sockets) {
    socket.on('message', (data: Buffer) => {
      if (data[0] === MessageType.event && data.includes('"thread":{')) heard.push(performance.now() - sentAt)
    })
  }
  const all: number[] = []
  const before = await cpuMs()
  for (let count = 0; count < comments; count++) {
    heard = []
    sentAt = performance.now()
    await post(`/boards/${board}/threads/${thread}/comments`, { body: `Comment ${count}` })
    await eventually(() => heard.length === readers)
    all.push(...heard)
    await delay(pauseMs)
  }
  const cost = ((await cpuMs()) - before) / comments
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
  server.send('end')
  await once(server, 'exit')
}
