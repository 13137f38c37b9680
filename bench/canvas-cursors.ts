// The canvas of a watcher while twenty cursors move at 30 Hz: frames per second, and how long its main
// thread is busy. The server is this process, the browser Chromium. The last line is JSON.
//   npm run build && node dist/bench/canvas-cursors.js
//   CURSORS=20 SECONDS=10 RUNS=3 BOARD=several node dist/bench/canvas-cursors.js
import { once } from 'node:events'
import os from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { chromium } from 'playwright-core'
import { WebSocket } from 'ws'
import { ownSubprotocol, ticketSubprotocolPrefix } from '../shared/protocol.ts'
import { saysSync } from '../tests/helpers/board-page.ts'
import { browserFlags } from '../tests/helpers/browser.ts'
import { withCanvas } from '../tests/helpers/canvas-server.ts'
import { findChromium } from '../tests/helpers/chromium.ts'
import { countFromEnvironment } from '../tests/helpers/random.ts'
import { awareness } from '../tests/helpers/raw-client.ts'
import { boardOf, largeBoard } from './drawings.ts'

const cursors = countFromEnvironment('CURSORS', 20)
const seconds = countFromEnvironment('SECONDS', 10)
const runs = countFromEnvironment('RUNS', 3)
/** The name of a drawing, or `several`: 3,000 elements. */
const name = process.env.BOARD ?? 'several'
const hz = 30

/** Runs in the page before our own code: text, because this file knows no DOM. */
const probe = `(() => {
  const seen = globalThis.seen = { frames: 0, states: 0, longestGap: 0 }
  const Plain = WebSocket
  globalThis.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given)
      this.addEventListener('message', ({ data }) => {
        if (new Uint8Array(data, 0, 1)[0] === 1) seen.states++
      })
    }
  }
  let last = performance.now()
  const frame = () => {
    const now = performance.now()
    seen.longestGap = Math.max(seen.longestGap, now - last)
    last = now
    seen.frames++
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
})()`

const executablePath = findChromium()
if (executablePath === null) throw new Error('no Chromium on this machine')
const load = () => `load ${os.loadavg()[0]?.toFixed(2)}`
console.log(`${os.cpus()[0]?.model}, ${os.cpus().length} cores, node ${process.versions.node}, ${load()}`)

let summary = {}
await withCanvas(
  async (server) => {
    const [ada, grace] = [await server.user('Ada'), await server.user('Grace')]
    const boardId = await ada.board()
    await ada.importScene(boardId, name === 'several' ? await largeBoard(3000) : await boardOf(name))
    await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
    const { ticket } = await grace.ask<{ ticket: string }>('POST', `/boards/${boardId}/tickets`, {})
    const sockets = await Promise.all(
      Array.from({ length: cursors }, async () => {
        const protocols = [ownSubprotocol, `${ticketSubprotocolPrefix}${ticket}`]
        const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws/${boardId}`, protocols)
        await once(socket, 'message') // the hello
        return socket
      }),
    )
    let clock = 0
    const move = () => {
      clock++
      for (const [i, socket] of sockets.entries()) {
        const angle = clock / 20 + i
        const pointer = { x: 400 + 300 * Math.cos(angle), y: 300 + 200 * Math.sin(angle), tool: 'pointer' }
        socket.send(
          awareness([{ clientId: 1000 + i, clock, state: { pointer, button: 'up', selection: [] } }]),
        )
      }
    }
    const browser = await chromium.launch({ executablePath, args: [...browserFlags] })
    try {
      const context = await browser.newContext({ viewport: { width: 1200, height: 800 } })
      const [cookie = '', value = ''] = ada.cookie.split(/=(.*)/s)
      await context.addCookies([{ name: cookie, value, url: server.origin }])
      const page = await context.newPage()
      await page.addInitScript(probe)
      await page.goto(`${server.origin}/b/${boardId}`)
      await saysSync(page, 'Saved')
      const cdp = await context.newCDPSession(page)
      await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
      const busyMs = async () =>
        1000 *
        ((await cdp.send('Performance.getMetrics')).metrics.find(({ name: of }) => of === 'TaskDuration')
          ?.value ?? 0)
      const watched = async () => {
        await page.evaluate('for (const key in seen) seen[key] = 0')
        const [busyBefore, startedAt] = [await busyMs(), performance.now()]
        await delay(seconds * 1000)
        const seen = (await page.evaluate('({ ...seen })')) as Record<
          'frames' | 'states' | 'longestGap',
          number
        > // the probe's
        const took = (performance.now() - startedAt) / 1000
        return {
          framesPerSecond: seen.frames / took,
          statesPerSecond: seen.states / took,
          longestGapMs: seen.longestGap,
          busyShare: ((await busyMs()) - busyBefore) / 1000 / took,
        }
      }
      const all: { still: number; moving: Awaited<ReturnType<typeof watched>> }[] = []
      for (let run = 0; run < runs; run++) {
        const still = (await watched()).framesPerSecond
        const timer = setInterval(move, 1000 / hz)
        await delay(1000)
        all.push({ still, moving: await watched() })
        clearInterval(timer)
      }
      const { still, moving } = all.toSorted((a, b) => a.moving.framesPerSecond - b.moving.framesPerSecond)[
        all.length >> 1
      ] as (typeof all)[number] // there is one
      const rounded = (number: number) => Math.round(number * 10) / 10
      summary = {
        framesPerSecond: rounded(moving.framesPerSecond),
        stillFramesPerSecond: rounded(still),
        messagesPerSecond: rounded(moving.statesPerSecond),
        longestGapMs: rounded(moving.longestGapMs),
        busyShare: rounded(moving.busyShare * 100) / 100,
      }
      if (process.env.PICTURE !== undefined) {
        const timer = setInterval(move, 1000 / hz)
        await delay(500)
        await page.screenshot({ path: process.env.PICTURE })
        clearInterval(timer)
      }
    } finally {
      for (const socket of sockets) socket.terminate()
      await browser.close()
    }
  },
  { maxConnectionsPerPrincipal: cursors + 10 },
)
console.log(load())
console.log(JSON.stringify(summary))
