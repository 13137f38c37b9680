// How long it takes until an open socket is told about a permission change made in SQL: while nothing else happens, while
// half of 2,000 connections in 200 rooms draw, and for each of 1,000 changes within a second; and how long edits take
// meanwhile. The server, the writers and the watcher are separate processes. The last line is JSON.
//   npm run build:server && node dist/bench/rights.js
//   ROOMS=200 EACH=10 UPDATES_PER_SECOND=1000 CHANGES=300 node dist/bench/rights.js
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as decoding from 'lib0/decoding'
import pg from 'pg'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { createBoardroom } from '../server/boardroom.ts'
import { encodeSync, MessageType, ownSubprotocol, SyncStep } from '../shared/protocol.ts'
import { withDatabase } from '../tests/helpers/database.ts'
import { countFromEnvironment } from '../tests/helpers/random.ts'
import { RawClient } from '../tests/helpers/raw-client.ts'
import { testPool } from '../tests/helpers/test-pool.ts'

const rooms = countFromEnvironment('ROOMS', 200)
const each = countFromEnvironment('EACH', 10)
const updatesPerSecond = countFromEnvironment('UPDATES_PER_SECOND', 1000)
const changes = countFromEnvironment('CHANGES', 300)

/** Milliseconds until each change was received, and until each edit meanwhile reached the room. */
interface Storm {
  followed: number[]
  edits: number[]
}

/** The messages to the child processes. */
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
    report('idle', (await asked(watcher)) as number[])
    const drawers = child('draw', task)
    await heard(drawers)
    await delay(2000)
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    const times = (await asked(watcher)) as number[]
    const used = process.cpuUsage(cpu)
    report(`${rooms * each} connections in ${rooms} rooms, ${updatesPerSecond} updates/s`, times)
    const share = (used.user + used.system) / 10 / (performance.now() - startedAt)
    console.log(`the server used ${share.toFixed(0)} % of a core meanwhile`)
    const cpuBeforeStorm = process.cpuUsage()
    const { followed, edits } = (await asked(drawers)) as Storm
    const ofStorm = process.cpuUsage(cpuBeforeStorm)
    const all = summaryOf(followed)
    report(`each of ${(rooms * each) / 2} changes in a second, half of all connections concerned`, followed)
    report('edits while they last', edits)
    const stormCpuMs = Math.round((ofStorm.user + ofStorm.system) / 1000)
    console.log(`the server used ${stormCpuMs} ms of CPU meanwhile`)
    console.log(
      JSON.stringify({ drawing: summaryOf(times), storm: all, edits: summaryOf(edits), stormCpuMs }),
    )
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

async function asked(child: ChildProcess): Promise<unknown> {
  child.send('go')
  return await heard(child)
}

/** Milliseconds. */
function summaryOf(times: number[]): { count: number; p50: number; p99: number; max: number } {
  times.sort((a, b) => a - b)
  const at = (share: number) =>
    Number((times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(1))
  return { count: times.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

function report(what: string, times: number[]): void {
  const { p50, p99, max } = summaryOf(times)
  console.log(`${what}: p50 ${p50} ms, p99 ${p99} ms, most ${max} ms`)
}

/** Changes one permission in SQL, again and again, and waits for frame 66. */
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

/**
 * Joins all rooms, with a separate permission for everybody. The first half of each room adds elements in turn,
 * endlessly; on request, it changes the permissions of the other half within a second.
 */
async function draw({ ws, database, boards }: Task): Promise<void> {
  const drawn = boards.slice(1)
  const drawers: { socket: WebSocket; doc: Y.Doc }[] = []
  const members: { board: string; user: string }[] = []
  const others: { board: string; user: string; socket: WebSocket }[] = []
  /** By client id and clock. */
  const sentAt = new Map<string, number>()
  let edits: number[] = []
  for (const [room, board] of drawn.entries()) {
    const joining = Array.from({ length: each }, async (_, place) => {
      const user = `member ${room}-${place}`
      const socket = new WebSocket(`${ws}/${board}`, [ownSubprotocol], { headers: { 'x-user': user } })
      await once(socket, 'message') // the hello
      socket.on('close', (code) => console.error(`a member was closed: ${code}`))
      members.push({ board, user })
      if (place < each / 2) drawers.push({ socket, doc: new Y.Doc() })
      else others.push({ board, user, socket })
      if (place === each - 1) socket.on('message', (data: Buffer) => edits.push(...delaysIn(data, sentAt)))
    })
    await Promise.all(joining)
  }
  const byHand = testPool({ connectionString: database, max: 4 })
  await byHand.query(
    `insert into boardroom.board_permissions (board_id, user_id, level)
    select b, u.id, 'edit' from unnest($1::uuid[], $2::text[]) as new (b, name) join boardroom.users u on u.external_id = new.name`,
    [members.map(({ board }) => board), members.map(({ user }) => user)],
  )
  await byHand.query('update boardroom.boards set members_level = null where id = any($1)', [drawn])
  process.send?.('ready')
  let next = 0
  let due = performance.now()
  const timer = setInterval(() => {
    for (; due < performance.now(); due += 1000 / updatesPerSecond) {
      const { socket, doc } = drawers[next % drawers.length] as (typeof drawers)[number] // there are some
      const before = Y.encodeStateVector(doc)
      doc.getMap('notes').set(`${next % drawers.length}`, next++)
      sentAt.set(`${doc.clientID} ${Y.getState(doc.store, doc.clientID)}`, performance.now())
      socket.send(encodeSync(SyncStep.update, Y.encodeStateAsUpdate(doc, before)))
    }
  }, 5)
  process.on('message', async () => {
    edits = []
    const startedAt = performance.now()
    const followed = others.map(async ({ board, user, socket }, at) => {
      await delay((at * 1000) / others.length - (performance.now() - startedAt))
      const changedAt = performance.now()
      const heard = new Promise<number>((resolve) => {
        socket.on('message', (data: Buffer) => {
          if (data[0] === MessageType.level) resolve(performance.now() - changedAt)
        })
      })
      await byHand.query(
        `update boardroom.board_permissions set level = 'view' from boardroom.users u
         where board_id = $1 and user_id = u.id and u.external_id = $2`,
        [board, user],
      )
      return await heard
    })
    process.send?.({ followed: await Promise.all(followed), edits })
  })
  await once(process, 'disconnect')
  clearInterval(timer)
  await byHand.end()
  for (const { socket } of [...drawers, ...others]) {
    socket.removeAllListeners('close')
    socket.terminate()
  }
}

/** How long each edit in this frame was in transit. */
function delaysIn(frame: Buffer, sentAt: Map<string, number>): number[] {
  if (frame[0] !== MessageType.sync || frame[1] !== SyncStep.update) return []
  const now = performance.now()
  const delays: number[] = []
  const decoder = decoding.createDecoder(frame)
  decoder.pos = 2
  const { from, to } = Y.parseUpdateMeta(decoding.readVarUint8Array(decoder))
  for (const [clientId, end] of to)
    for (let clock = (from.get(clientId) ?? 0) + 1; clock <= end; clock++) {
      const key = `${clientId} ${clock}`
      const at = sentAt.get(key)
      sentAt.delete(key)
      if (at !== undefined) delays.push(now - at)
    }
  return delays
}
