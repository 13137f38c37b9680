// node dist/bench/workers.js [--watchers 2000] [--workers 4] [--seconds 20] [--hz 10] [--alone]: the cost and duration
// of a delivery when this many people watch one board on one process, and on several of `serve --workers` (--alone: only
// the latter). Everything runs on this machine. A delivery is an edit that reached a watcher, however frames were merged:
// an update that arrives while a node builds the document is sent together with those that arrive meanwhile. Above 9,000
// watchers: ulimit -n 65536 for both ends.
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import * as decoding from 'lib0/decoding'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
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
    alone: { type: 'boolean', default: false },
  },
})
const watchers = Number(values.watchers)
const seconds = Number(values.seconds)
const hz = Number(values.hz)
const ticksASecond = 100
const opensAtOnce = 100

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
      const writer = new RawClient(url, { ticket: body.ticket })
      await writer.message(MessageType.hello)
      const seen = new Deliveries(writer.doc.clientID)
      let frames = 0
      const sockets: WebSocket[] = []
      for (let opened = 0; opened < watchers; opened += opensAtOnce)
        await Promise.all(
          Array.from({ length: Math.min(opensAtOnce, watchers - opened) }, async () => {
            const socket = new WebSocket(url, protocols, { perMessageDeflate: false })
            socket.on('error', (error) => console.error(error.message))
            const place = sockets.push(socket)
            const isSynced = new Promise<void>((resolve) => {
              socket.on('message', (data: Buffer) => {
                if (data[0] !== MessageType.sync || data[1] === SyncStep.step1) return
                if (data[1] === SyncStep.step2) return resolve()
                frames++
                seen.heard(place, data)
              })
            })
            await new Promise((resolve) => socket.once('open', resolve))
            socket.send(encodeSync(SyncStep.step1, Uint8Array.of(0))) // edits go to clients that have requested the board
            await isSynced
          }),
        )
      // The document is not built yet when the first edits arrive.
      for (let edit = 0; edit < 20; edit++) {
        writer.edit((doc) => doc.getMap('bench').set('at', edit))
        await delay(100)
      }
      await delay(2000)
      seen.start()
      frames = 0
      const before = cpuOf(server.pid)
      const own = process.cpuUsage()
      const startedAt = performance.now()
      for (let edit = 0; edit < seconds * hz; edit++) {
        seen.sent(performance.now())
        writer.edit((doc) => doc.getMap('bench').set('at', edit))
        await delay(startedAt + ((edit + 1) * 1000) / hz - performance.now())
      }
      await delay(2000)
      const cpuMs = cpuOf(server.pid) - before
      const { user, system } = process.cpuUsage(own)
      const ownShare = (user + system) / 1000 / (performance.now() - startedAt)
      const { latencies } = seen
      latencies.sort((a, b) => a - b)
      const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(1)
      console.log(
        `${workers === 0 ? 'one process' : `${workers} workers`}, ${watchers} watchers, ${hz} Hz for ${seconds} s: ` +
          `${latencies.length} of ${watchers * seconds * hz} deliveries in ${frames} frames, ` +
          `${((cpuMs * 1000) / latencies.length).toFixed(2)} us of CPU each, ` +
          `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; the load itself took ${ownShare.toFixed(2)} of a core`,
      )
      for (const socket of sockets) socket.terminate()
      writer.terminate()
    } finally {
      await server.end()
    }
  })
  await rm(dataDir, { recursive: true, force: true })
}

/** Which of one author's edits reached which watcher, by the clocks in each frame. Each edit is one clock. */
class Deliveries {
  readonly latencies: number[] = []
  readonly #author: number
  readonly #reached: number[] = []
  #sentAt: number[] = []
  #base = 0
  #newest = 0
  /** The same frame goes to many. */
  #last: { bytes: Buffer; clock: number } = { bytes: Buffer.alloc(0), clock: 0 }

  constructor(author: number) {
    this.#author = author
  }

  start(): void {
    this.#base = this.#newest
    this.#reached.fill(this.#base)
    this.#sentAt = []
    this.latencies.length = 0
  }

  sent(at: number): void {
    this.#sentAt.push(at)
  }

  heard(place: number, frame: Buffer): void {
    if (!this.#last.bytes.equals(frame)) {
      const decoder = decoding.createDecoder(new Uint8Array(frame))
      decoding.readVarUint(decoder)
      decoding.readVarUint(decoder)
      const { to } = Y.parseUpdateMeta(decoding.readVarUint8Array(decoder))
      this.#last = { bytes: Buffer.from(frame), clock: to.get(this.#author) ?? 0 }
    }
    const { clock } = this.#last
    this.#newest = Math.max(this.#newest, clock)
    const now = performance.now()
    for (let edit = this.#reached[place] ?? this.#base; edit < clock; edit++)
      this.latencies.push(now - (this.#sentAt[edit - this.#base] ?? now))
    this.#reached[place] = Math.max(clock, this.#reached[place] ?? this.#base)
  }
}

/** CPU time so far of a process and of everything that it started, in milliseconds; without Postgres. */
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

for (const workers of [...(values.alone ? [] : [0]), Number(values.workers)]) await measure(workers)
process.exit(0)
