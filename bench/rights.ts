// How long after a change of access, typed in as SQL, an open socket hears of it: while nothing else happens, and while
// 2,000 connections in 200 rooms draw. The server, those who draw and who watches are a process each.
//   npm run build:server && node dist/bench/rights.js
//   ROOMS=200 EACH=10 UPDATES_PER_SECOND=1000 CHANGES=300 node dist/bench/rights.js
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { createBoardroom } from '../server/boardroom.ts'
import { encodeSync, MessageType, ownSubprotocol, SyncStep } from '../shared/protocol.ts'
import { withDatabase } from '../tests/helpers/database.ts'
import { countFromEnvironment } from '../tests/helpers/random.ts'
import { RawClient } from '../tests/helpers/raw-client.ts'

const rooms = countFromEnvironment('ROOMS', 200)
const each = countFromEnvironment('EACH', 10)
const updatesPerSecond = countFromEnvironment('UPDATES_PER_SECOND', 1000)
const changes = countFromEnvironment('CHANGES', 300)

/** What the children are told. */
interface Task {
  ws: string
  database: string
  boards: string[]
}

switch (process.argv[2]) {
  case 'draw':
    await draw(await told())
    break
  case 'watch':
    await watch(await told())
    break
  default:
    await serve()
}

async function told(): Promise<Task> {
  const [task] = await once(process, 'message')
  return task as Task // the parent sent it
}

async function serve(): Promise<void> {
  await withDatabase(async ({ url }) => {
    const http = createServer()
    const boardroom = await createBoardroom({
      database: url,
      secret: 'a benchmark has no secrets, but needs one',
      authenticate: ({ headers }) => ({
        externalId: String(headers['x-user']),
        name: String(headers['x-user']),
      }),
      maxConnections: rooms * each + 10,
      maxConnectionsPerIp: rooms * each + 10,
      joinsPerSecondPerIp: 10_000,
    })
    http.on('upgrade', (request, socket, head) => boardroom.handleUpgrade(request, socket, head))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const { port } = http.address() as AddressInfo // it listens on TCP
    const boards: string[] = []
    for (let i = 0; i < rooms; i++) {
      const boardId = await boardroom.boards.create({ owner: { externalId: 'owner', name: 'Owner' } })
      await boardroom.boards.update(boardId, { members_level: 'edit' })
      boards.push(boardId)
    }
    const watched = await boardroom.boards.create({ owner: { externalId: 'owner', name: 'Owner' } })
    await boardroom.permissions.grant({
      boardId: watched,
      user: { externalId: 'watcher', name: 'Watcher' },
      level: 'view',
    })
    const task = { ws: `ws://127.0.0.1:${port}/ws`, database: url, boards: [watched, ...boards] }

    const watcher = child('watch', task)
    await heard(watcher)
    console.log(
      `${os.cpus()[0]?.model}, ${os.cpus().length} cores, Node ${process.version}, ${changes} changes each`,
    )
    report('idle', await asked(watcher))
    const drawers = child('draw', task)
    await heard(drawers)
    await delay(2000)
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    const times = await asked(watcher)
    const used = process.cpuUsage(cpu)
    report(`${rooms * each} connections in ${rooms} rooms, ${updatesPerSecond} updates/s`, times)
    const share = (used.user + used.system) / 10 / (performance.now() - startedAt)
    console.log(`the server used ${share.toFixed(0)} % of a core meanwhile`)
    for (const process of [watcher, drawers]) process.disconnect()
    await boardroom.close({ drainMs: 0 })
    http.close()
    http.closeAllConnections()
  })
}

function child(role: 'watch' | 'draw', task: Task): ChildProcess {
  const process = fork(fileURLToPath(import.meta.url), [role])
  process.send(task)
  return process
}

async function heard(process: ChildProcess): Promise<unknown> {
  const [message] = await once(process, 'message')
  return message
}

async function asked(watcher: ChildProcess): Promise<number[]> {
  watcher.send('go')
  return (await heard(watcher)) as number[] // milliseconds
}

function report(what: string, times: number[]): void {
  times.sort((a, b) => a - b)
  const at = (share: number) =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(1)
  console.log(`${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`)
}

/** Changes one permission by hand, again and again, and waits for frame 66. */
async function watch({ ws, database, boards }: Task): Promise<void> {
  const [board = ''] = boards
  const client = new RawClient(`${ws}/${board}`, { headers: { 'x-user': 'watcher' } })
  await client.message(MessageType.hello)
  const byHand = new pg.Client({ connectionString: database })
  await byHand.connect()
  process.send?.('ready')
  process.on('message', async () => {
    const times: number[] = []
    for (let i = 0; i < changes; i++) {
      const noticed = new Promise<number>((resolve) => {
        const look = () => {
          if (client.received.at(-1)?.type !== MessageType.level) return
          client.socket.off('message', look)
          resolve(performance.now())
        }
        client.socket.on('message', look)
      })
      const sentAt = performance.now()
      await byHand.query(
        `update boardroom.board_permissions set level = case level when 'view' then 'edit' else 'view' end where board_id = $1`,
        [board],
      )
      times.push((await noticed) - sentAt)
      await delay(5 + (i % 20))
    }
    process.send?.(times)
  })
  await once(process, 'disconnect')
  await byHand.end()
  client.terminate()
}

/** Joins everywhere and adds elements in turn, for ever. */
async function draw({ ws, boards }: Task): Promise<void> {
  const sockets: WebSocket[] = []
  for (const [room, board] of boards.slice(1).entries()) {
    const joining = Array.from({ length: each }, async () => {
      const socket = new WebSocket(`${ws}/${board}`, [ownSubprotocol], {
        headers: { 'x-user': `drawer ${room}` },
      })
      await once(socket, 'message') // the hello
      socket.on('close', (code) => console.error(`a drawer was closed: ${code}`))
      sockets.push(socket)
    })
    await Promise.all(joining)
  }
  process.send?.('ready')
  const docs = sockets.map(() => new Y.Doc())
  let next = 0
  let due = performance.now()
  const timer = setInterval(() => {
    for (; due < performance.now(); due += 1000 / updatesPerSecond) {
      const at = next++ % sockets.length
      const doc = docs[at]
      if (doc === undefined) continue
      const before = Y.encodeStateVector(doc)
      doc.getMap('notes').set(`${at}`, next)
      sockets[at]?.send(encodeSync(SyncStep.update, Y.encodeStateAsUpdate(doc, before)))
    }
  }, 5)
  await once(process, 'disconnect')
  clearInterval(timer)
  for (const socket of sockets) {
    socket.removeAllListeners('close')
    socket.terminate()
  }
}
