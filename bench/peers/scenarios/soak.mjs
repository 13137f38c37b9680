// An hour of joins, leaves, edits and cursors: what remains of them in memory, handles, the database and latency.
//   SOAK_MINUTES  default 60
// 16 of 20 boards have a writer who stays; on the other 4 everybody leaves from time to time, so that they are closed,
// folded and opened again. The samples go to results/soak.jsonl line by line, and become results/soak.svg.
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Client, openClients, within } from '../load/client.mjs'
import { WriterStream } from '../load/fixtures.mjs'
import { Histogram } from '../load/histogram.mjs'
import { clientFrame, OP_CLOSE } from '../load/light-socket.mjs'
import { round } from '../load/load.mjs'
import { sleep } from '../load/pace.mjs'
import { busySeconds } from '../load/proc.mjs'
import { pictureOfSoak } from '../soak-picture.mjs'
import { watchRoom } from './join.mjs'

const boards = 20
const people = 60
const whoStay = 16
const turnMs = 25 // an edit and a cursor move each: 40 a second
const turnsPerVisit = 10 // four times a second somebody joins or leaves
const samplesToCollect = 10 // heaps are measured after a collection, once every so many samples
const leftMs = 20_000 // for the last sample everybody has left, and boards are folded
const editEveryMs = 100 // on the board whose latency is measured

export const isLong = true
export const variants = { hour: { minutes: Number(process.env.SOAK_MINUTES ?? 60) } }
export const rooms = () => [...Array.from({ length: boards }, (_, i) => `soak-${i}`), 'bystander']

const file = (name) => fileURLToPath(new URL(`../../results/${name}`, import.meta.url))

export async function run(target, { minutes }) {
  const { adapter, port } = target
  const bystander = await watchRoom(target, editEveryMs)
  const open = (i) => new Client({ adapter, port, room: `soak-${i % boards}` })
  const clients = await openClients(people, open)
  const streams = Array.from({ length: boards }, (_, i) => new WriterStream(i + 1))
  const edits = streams.map(() => 0)
  const counts = { joins: people, leaves: 0, failed: 0, edits: 0, cursors: 0 }
  const joins = new Histogram()

  const join = async (i) => {
    const startedAt = performance.now()
    const client = open(i)
    try {
      await within(client.synced, 20_000, 'join')
      joins.add(performance.now() - startedAt)
      counts.joins++
      clients[i] = client
    } catch {
      counts.failed++
      client.close()
    }
  }
  const leave = (i) => {
    clients[i].socket.send(clientFrame(new Uint8Array(0), OP_CLOSE))
    clients[i] = null
    counts.leaves++
  }

  mkdirSync(file('.'), { recursive: true })
  rmSync(file('soak.jsonl'), { force: true })
  const samples = []
  const everyMs = Math.max(2000, (minutes * 60_000) / 120)
  const startedAt = performance.now()
  let last = { at: startedAt, cpu: target.cpu(), busy: busySeconds() }
  const sample = async (withHeap = samples.length % samplesToCollect === 0) => {
    const { p50, p99 } = bystander.latency.summary()
    const joined = joins.summary()
    const now = { at: performance.now(), cpu: target.cpu(), busy: busySeconds() }
    const seconds = (now.at - last.at) / 1000
    const cpu = (now.cpu - last.cpu) / seconds
    const seen = {
      minute: round((now.at - startedAt) / 60_000, 2),
      ...target.held(),
      ...target.stored(),
      cpu: round(cpu, 3),
      otherCpu: round((now.busy - last.busy) / seconds - cpu, 2),
      p50,
      p99,
      joinP50: joined.p50,
      joinP99: joined.p99,
      here: clients.filter((client) => client !== null && !client.socket.closed).length,
      ...counts,
    }
    if (withHeap) {
      await target.collectGarbage()
      seen.heapMiB = target.heap()
    }
    samples.push(seen)
    appendFileSync(file('soak.jsonl'), `${JSON.stringify(seen)}\n`)
    last = { at: performance.now(), cpu: target.cpu(), busy: busySeconds() }
    bystander.latency.reset()
    joins.reset()
  }

  let nextSampleAt = startedAt + everyMs
  let sampling = Promise.resolve()
  for (let turn = 0; performance.now() < startedAt + minutes * 60_000; turn++) {
    const board = turn % boards
    if (clients[board] !== null) {
      clients[board].sendUpdate(streams[board].update(edits[board]++))
      counts.edits++
    }
    const mover = turn % people
    if (clients[mover] !== null) {
      const state = adapter.awareness(`soak-${mover % boards}`, 3_000_000_019 + mover, turn + 1, {
        cursor: { x: turn },
      })
      clients[mover].socket.send(clientFrame(state, adapter.opcode))
      counts.cursors++
    }
    if (turn % turnsPerVisit === 0) {
      const visitor = whoStay + ((turn / turnsPerVisit) % (people - whoStay))
      if (clients[visitor] === null) void join(visitor)
      else leave(visitor)
    }
    if (performance.now() >= nextSampleAt) {
      nextSampleAt += everyMs
      sampling = sample()
    }
    await sleep(Math.max(0, startedAt + (turn + 1) * turnMs - performance.now()))
  }
  await sampling
  bystander.stop()
  for (const [i, client] of clients.entries()) if (client !== null) leave(i)
  await sleep(leftMs)
  await sample(true)
  writeFileSync(file('soak.svg'), pictureOfSoak(samples))
  return { ...counts, ...target.held(), samples }
}
