// What dragging a large selection costs another person's window: one person drags a whole drawing with the mouse, the
// other only watches. The server is this process, the browser Chromium. The last line is JSON.
//   npm run build && node dist/bench/canvas-drag.js
//   RUNS=5 STEPS=120 BOARD=several PROFILED=dragging CPU_PROFILE=/tmp/drag.cpuprofile node dist/bench/canvas-drag.js
import { writeFile } from 'node:fs/promises'
import os from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { type CDPSession, chromium, type Page } from 'playwright-core'
import { saysSync } from '../tests/helpers/board-page.ts'
import { browserFlags } from '../tests/helpers/browser.ts'
import { type CanvasPerson, withCanvas } from '../tests/helpers/canvas-server.ts'
import { findChromium } from '../tests/helpers/chromium.ts'
import { countFromEnvironment } from '../tests/helpers/random.ts'
import { boardOf, largeBoard } from './drawings.ts'

const runs = countFromEnvironment('RUNS', 5)
const steps = countFromEnvironment('STEPS', 120)
/** The name of a drawing, or `several`: 3,000 elements. */
const name = process.env.BOARD ?? 'several'
/** Whose profile is written: of the person who drags, or of the one who watches. */
const profiled = process.env.PROFILED === 'dragging' ? 'dragging' : 'watching'
const profilePath = process.env.CPU_PROFILE
const frameMs = 16

/** Runs in both pages before our own code: text, because this file knows no DOM. */
const probe = `(() => {
  const seen = globalThis.seen = { updates: 0, bytes: 0, longestUpdate: 0, longestTask: 0, longestGap: 0, frames: 0 }
  const Plain = WebSocket
  globalThis.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given)
      this.addEventListener('message', ({ data }) => {
        const [type, step] = new Uint8Array(data, 0, 2)
        if (type !== 0 || step !== 2) return
        seen.updates++
        seen.bytes += data.byteLength
        seen.longestUpdate = Math.max(seen.longestUpdate, data.byteLength)
      })
    }
  }
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.longestTask = Math.max(seen.longestTask, duration)
  }).observe({ type: 'longtask' })
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

type Seen = Record<'updates' | 'bytes' | 'longestUpdate' | 'longestTask' | 'longestGap' | 'frames', number>

const watch = async (page: Page) => {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  await page.evaluate('for (const key in seen) seen[key] = 0')
  return { cdp, busyBefore: await busyMs(cdp) }
}

const busyMs = async (cdp: CDPSession): Promise<number> => {
  const { metrics } = await cdp.send('Performance.getMetrics')
  return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0)
}

/** @returns the frames per second that its window drew meanwhile. */
const dragAll = async (page: Page, back: boolean): Promise<number> => {
  await page.keyboard.press('Control+a')
  await page.mouse.move(900, 600)
  await page.mouse.down()
  const startedAt = performance.now()
  const before = (await page.evaluate('seen.frames')) as number // the probe counts them
  for (let step = 1; step <= steps; step++) {
    await page.mouse.move(900 + (back ? -step : step), 600 + step / 2)
    await delay(Math.max(0, startedAt + step * frameMs - performance.now()))
  }
  const frames = ((await page.evaluate('seen.frames')) as number) - before
  const seconds = (performance.now() - startedAt) / 1000
  await page.mouse.up()
  await saysSync(page, 'Saved')
  return frames / seconds
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const executablePath = findChromium()
if (executablePath === null) throw new Error('no Chromium on this machine')
const load = () =>
  `load ${os
    .loadavg()
    .map((value) => value.toFixed(2))
    .join(' ')}`
console.log(`${os.cpus()[0]?.model}, ${os.cpus().length} cores, node ${process.versions.node}, ${load()}`)

let summary = {}
await withCanvas(async (server) => {
  const ada = await server.user('Ada')
  const grace = await server.user('Grace')
  const boardId = await ada.board()
  await ada.importScene(boardId, name === 'several' ? await largeBoard(3000) : await boardOf(name))
  await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
  const { elements } = await ada.scene(boardId)

  const browser = await chromium.launch({ executablePath, args: [...browserFlags] })
  const open = async (person: CanvasPerson): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 1200, height: 800 } })
    const [cookie = '', value = ''] = person.cookie.split(/=(.*)/s)
    await context.addCookies([{ name: cookie, value, url: server.origin }])
    const page = await context.newPage()
    await page.addInitScript(probe)
    await page.goto(`${server.origin}/b/${boardId}`)
    await saysSync(page, 'Saved')
    return page
  }
  try {
    const [dragging, watching] = [await open(ada), await open(grace)]
    const results: Record<string, number[]> = {}
    const note = (what: string, value: number) => {
      results[what] = [...(results[what] ?? []), value]
    }
    for (let run = 0; run < runs; run++) {
      const isProfiled = profilePath !== undefined && run === runs - 1
      for (const page of [dragging, watching]) await page.bringToFront()
      await dragging.locator('.excalidraw').first().focus()
      const watched = { dragging: await watch(dragging), watching: await watch(watching) }
      if (isProfiled) {
        await watched[profiled].cdp.send('Profiler.enable')
        await watched[profiled].cdp.send('Profiler.start')
      }
      const startedAt = performance.now()
      note('dragging: frames a second', await dragAll(dragging, run % 2 === 1))
      const watchedFrames = (await watching.evaluate('seen.frames')) as number // the probe counts them
      note('watching: frames a second', (watchedFrames * 1000) / (performance.now() - startedAt))
      await delay(500)
      if (isProfiled)
        await writeFile(
          profilePath,
          JSON.stringify((await watched[profiled].cdp.send('Profiler.stop')).profile),
        )
      for (const [who, page] of Object.entries({ dragging, watching })) {
        const { cdp, busyBefore } = watched[who as keyof typeof watched] // the keys of the object above
        const seen = (await page.evaluate('({ ...seen })')) as Seen // what the probe writes
        note(`${who}: main thread busy ms`, (await busyMs(cdp)) - busyBefore)
        note(`${who}: longest task ms`, seen.longestTask)
        note(`${who}: longest between frames ms`, seen.longestGap)
        if (who === 'watching') {
          note('updates', seen.updates)
          note('kB an update', seen.bytes / Math.max(1, seen.updates) / 1000)
          note('kB, largest update', seen.longestUpdate / 1000)
        }
        await cdp.detach()
      }
    }
    console.log(
      `\n${name}: all ${elements.length} elements dragged in ${steps} steps of ${frameMs} ms: median (least-most) of ${runs}`,
    )
    for (const [what, values] of Object.entries(results))
      console.log(
        `  ${what.padEnd(36)} ${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)}-${Math.max(...values).toFixed(1)})`,
      )
    const of = (what: string) => Number(median(results[what] ?? []).toFixed(1))
    summary = {
      framesPerSecond: of('dragging: frames a second'),
      longestTaskMs: of('dragging: longest task ms'),
    }
  } finally {
    await browser.close()
  }
})
console.log(`\n${load()}`)
console.log(JSON.stringify(summary))
