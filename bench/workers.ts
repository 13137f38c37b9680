// node dist/bench/workers.js [--watchers 2000] [--workers 4] [--seconds 20] [--hz 10]: what a delivery costs, and how long it
// takes, when so many watch one board on one process, and over several of `serve --workers`. Everything is on this machine.
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import { encodeSync, MessageType, SyncStep } from '../shared/protocol.ts'
import { serve, visitor } from '../tests/helpers/command-line.ts'
import { databaseSettings, withEmptyDatabase } from '../tests/helpers/database.ts'
import { eventually } from '../tests/helpers/eventually.ts'
import { RawClient } from '../tests/helpers/raw-client.ts'

const { values } = parseArgs({
  options: {
    watchers: { type: 'string', default: '2000' },
    workers: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '20' },
    hz: { type: 'string', default: '10' },
  },
})
const watchers = Number(values.watchers)
const seconds = Number(values.seconds)
const hz = Number(values.hz)
const ticksASecond = 100
const opensAtOnce = 100

for (const workers of [0, Number(values.workers)]) await measure(workers)
process.exit(0)

/** @param workers 0: `serve` alone, without a bus. */
async function measure(workers: number): Promise<void> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'boardroom-bench-'))
  await withEmptyDatabase(async (database) => {
    const server = await serve(dataDir, {
      args: workers === 0 ? [] : ['--workers', String(workers)],
      env: {
        ...databaseSettings(database),
        BOARDROOM_SECRET: 'a secret that is long enough for everybody',
        BOARDROOM_MAX_CONNECTIONS: '100000',
        BOARDROOM_MAX_CONNECTIONS_PER_IP: '100000',
        BOARDROOM_MAX_CONNECTIONS_PER_PRINCIPAL: '100000',
        BOARDROOM_JOINS_PER_SECOND_PER_IP: '100000',
      },
    })
    try {
      if (workers > 0) await eventually(() => /^Workers/m.test(server.stdout), { withinMs: 120_000 })
      const link = server.lines.find((line) => line.startsWith('Sample board, edit')) ?? ''
      const { body } = await visitor(server.url).ask('POST', '/api/share-links/exchange', {
        token: /#k=(\S+)/.exec(link)?.[1],
        name: 'Gus',
      })
      const url = `${server.url.replace('http', 'ws')}/ws/${body.board_id}`
      const protocols = ['boardroom.v1', `boardroom.ticket.${body.ticket}`]
      let sentAt = 0
      let isMeasured = false
      const latencies: number[] = []
      const sockets: WebSocket[] = []
      for (let opened = 0; opened < watchers; opened += opensAtOnce)
        await Promise.all(
          Array.from({ length: Math.min(opensAtOnce, watchers - opened) }, async () => {
            const socket = new WebSocket(url, protocols, { perMessageDeflate: false })
            socket.on('error', (error) => console.error(error.message))
            socket.on('message', (data: Buffer) => {
              if (isMeasured && data[0] === MessageType.sync) latencies.push(performance.now() - sentAt)
            })
            sockets.push(socket)
            await new Promise((resolve) => socket.once('open', resolve))
            socket.send(encodeSync(SyncStep.step1, Uint8Array.of(0))) // edits go to who has asked for the board
          }),
        )
      const writer = new RawClient(url, { ticket: body.ticket })
      await writer.message(MessageType.hello)
      await delay(3000)
      const before = cpuOf(server.pid)
      isMeasured = true
      for (let edit = 0; edit < seconds * hz; edit++) {
        sentAt = performance.now()
        writer.edit((doc) => doc.getMap('bench').set('at', edit))
        await delay(1000 / hz)
      }
      await delay(1000)
      isMeasured = false
      const cpuMs = cpuOf(server.pid) - before
      latencies.sort((a, b) => a - b)
      const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(1)
      console.log(
        `${workers === 0 ? 'one process' : `${workers} workers`}, ${watchers} watchers, ${hz} Hz for ${seconds} s: ` +
          `${latencies.length} of ${watchers * seconds * hz} deliveries, ${((cpuMs * 1000) / latencies.length).toFixed(2)} us of CPU each, ` +
          `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
      )
      for (const socket of sockets) socket.terminate()
      writer.terminate()
    } finally {
      await server.end()
    }
  })
  await rm(dataDir, { recursive: true, force: true })
}

/** CPU time so far of a process and of everything that it started, in milliseconds; Postgres is none of it. */
function cpuOf(root: number): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        const fields = stat
          .slice(stat.lastIndexOf(')') + 2)
          .split(' ')
          .map(Number)
        const [, parent = 0] = fields
        return [{ pid: Number(pid), parent, ticks: (fields[11] ?? 0) + (fields[12] ?? 0) }]
      } catch {
        return [] // it has ended
      }
    })
  const family = new Set([root])
  for (const each of family) for (const { pid, parent } of all) if (parent === each) family.add(pid)
  return (
    (all.filter(({ pid }) => family.has(pid)).reduce((sum, { ticks }) => sum + ticks, 0) * 1000) /
    ticksASecond
  )
}
