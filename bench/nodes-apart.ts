// node dist/bench/nodes-apart.js [--seconds 12]: how long two nodes show different things while one of them, or both,
// cannot hear the other. Somebody draws on each every 100 ms; measured is the time until the other node shows it, and
// the longest such time. Needs nats-server.
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type * as Y from 'yjs'
import { eventually } from '../tests/helpers/eventually.ts'
import { NatsWay } from '../tests/helpers/nats.ts'
import { withNodes } from '../tests/helpers/nodes.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '12' } } })
const seconds = Number(values.seconds)
const everyMs = 100

/**
 * Draws on one side, and checks when the other side shows it. @returns the times, in ms, once all of it has arrived.
 */
function drawn(from: Y.Doc, to: Y.Doc, name: string): { stop(): Promise<number[]> } {
  const drawnAt = new Map<string, number>()
  const times: number[] = []
  const marks = to.getMap<number>(name)
  const look = () => {
    const now = performance.now()
    for (const [key, at] of drawnAt) {
      if (!marks.has(key)) continue
      times.push(now - at)
      drawnAt.delete(key)
    }
  }
  marks.observe(look)
  let count = 0
  const timer = setInterval(() => {
    const key = `${++count}`
    drawnAt.set(key, performance.now())
    from.getMap(name).set(key, count)
  }, everyMs)
  return {
    async stop() {
      clearInterval(timer)
      await eventually(() => drawnAt.size === 0, { withinMs: 60_000, everyMs: 20 })
      marks.unobserve(look)
      return times
    },
  }
}

const percentile = (sorted: readonly number[], share: number): number =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)

const way = new NatsWay()
await withNodes(
  async ({ one, other, nats }) => {
    const ada = await one.user('Ada')
    const board = await ada.board()
    const a = await one.open(board, { ticket: await ada.ticket(board) })
    const b = await other.open(board, { ticket: await ada.ticket(board) })
    const silent = (up: boolean, down: boolean) => () => {
      way.isSilentUp = up
      way.isSilentDown = down
    }
    const harms: { name: string; begin: () => unknown; end: () => unknown }[] = [
      { name: 'nothing is away', begin: () => undefined, end: () => undefined },
      { name: "one node's way to NATS, silent up", begin: silent(true, false), end: silent(false, false) },
      { name: "one node's way to NATS, silent down", begin: silent(false, true), end: silent(false, false) },
      {
        name: "one node's way to NATS, silent both ways",
        begin: silent(true, true),
        end: silent(false, false),
      },
      { name: "one node's way to NATS, cut", begin: () => way.cut(), end: () => way.restore() },
      { name: 'NATS is stopped', begin: () => nats.stop(), end: () => nats.start() },
    ]
    console.log('| away | p50 ms | longest ms |\n| --- | --- | --- |')
    for (const { name, begin, end } of harms) {
      const both = [drawn(a.doc, b.doc, `${name} a`), drawn(b.doc, a.doc, `${name} b`)]
      await delay(1000)
      await begin()
      await delay(seconds * 1000)
      await end()
      await delay(3000)
      const times = (await Promise.all(both.map((each) => each.stop()))).flat().sort((x, y) => x - y)
      console.log(`| ${name} | ${percentile(times, 0.5)} | ${percentile(times, 1)} |`)
      await delay(3000)
    }
  },
  {},
  async (nats) => ({ natsUrl: await way.open(nats.port) }),
)
way.close()
