// How long a large board takes to open in a real browser: from the start of the navigation until every element is in
// the editor's scene and some of them are painted. The server is this process, the browser Chromium.
//   npm run build && node dist/bench/canvas-open.js
//   RUNS=9 ELEMENTS=3000 CPU_PROFILE=/tmp/open.cpuprofile node dist/bench/canvas-open.js
import { writeFile } from 'node:fs/promises'
import os from 'node:os'
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core'
import { browserFlags } from '../tests/helpers/browser.ts'
import { withCanvas } from '../tests/helpers/canvas-server.ts'
import { findChromium } from '../tests/helpers/chromium.ts'
import { countFromEnvironment } from '../tests/helpers/random.ts'
import { boardOf, largeBoard } from './drawings.ts'

const boards = (process.env.BOARDS ?? 'icons,several').split(',')
const runs = countFromEnvironment('RUNS', 7)
const leastElements = countFromEnvironment('ELEMENTS', 3000)
const profilePath = process.env.CPU_PROFILE
const limitMs = 60_000

/** Milliseconds since the navigation started, and what the page cost until then. */
interface Opening {
  phases: Record<string, number>
  cpuMs: number
  scriptMs: number
  longestTaskMs: number
  requests: number
  kilobytes: number
}

/** Runs in the page before our own code, as text: this file knows no DOM. */
const probe = (wanted: number) => `(() => {
  const phases = {}
  const note = (name, at = performance.now()) => { phases[name] ??= at }
  const Plain = WebSocket
  globalThis.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given)
      note('socket asked for')
      this.addEventListener('open', () => note('socket open'))
      this.addEventListener('message', ({ data }) => {
        const [type, step] = new Uint8Array(data, 0, 2)
        if (type === 64) note('hello')
        if (type === 0 && step === 1) note('document')
      })
    }
  }
  let longest = 0
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration)
  }).observe({ type: 'longtask', buffered: true })
  let editor = null
  const findEditor = () => {
    const root = document.querySelector('.excalidraw')
    const key = root && Object.keys(root).find((name) => name.startsWith('__reactFiber$'))
    let fiber = key ? root[key] : null
    while (fiber && !fiber.stateNode?.scene) fiber = fiber.return
    return fiber?.stateNode ?? null
  }
  const isPainted = () => {
    const canvas = document.querySelector('canvas.static')
    if (!canvas) return false
    const small = new OffscreenCanvas(100, 100).getContext('2d')
    small.drawImage(canvas, 0, 0, 100, 100)
    const pixels = new Uint32Array(small.getImageData(0, 0, 100, 100).data.buffer)
    return pixels.some((pixel) => pixel !== pixels[0])
  }
  globalThis.opened = new Promise((resolve) => {
    const look = () => {
      if (document.querySelector('#root > *')) note('page drawn')
      if (document.querySelector('.excalidraw')) note('editor there')
      editor ??= findEditor()
      if (editor && editor.scene.getNonDeletedElements().length >= ${wanted}) {
        note('all in the scene')
        if (isPainted()) {
          note('painted')
          for (const { name, responseEnd } of performance.getEntriesByType('resource'))
            if (/assets\\/.*\\.js$/.test(name)) phases['scripts fetched'] = Math.max(phases['scripts fetched'] ?? 0, responseEnd)
          const [page] = performance.getEntriesByType('navigation')
          note('page fetched', page.responseEnd)
          return setTimeout(() => resolve({
            phases,
            longestTaskMs: longest,
            requests: performance.getEntriesByType('resource').length + 1,
            kilobytes: performance.getEntriesByType('resource').reduce((sum, entry) => sum + entry.encodedBodySize, 0) / 1000,
          }), 0)
        }
      }
      requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
})()`

const open = async (
  context: BrowserContext,
  url: string,
  count: number,
  isProfiled = false,
): Promise<Opening> => {
  const page = await context.newPage()
  const cdp = await context.newCDPSession(page)
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  await page.addInitScript(probe(count))
  if (isProfiled) {
    await cdp.send('Profiler.enable')
    await cdp.send('Profiler.setSamplingInterval', { interval: 200 })
    await cdp.send('Profiler.start')
  }
  await page.goto(url, { waitUntil: 'commit' })
  const seen = await openedOn(page)
  if (isProfiled && profilePath !== undefined)
    await writeFile(profilePath, JSON.stringify((await cdp.send('Profiler.stop')).profile))
  const cost = await metricsOf(cdp)
  await page.close()
  return { ...seen, ...cost }
}

const openedOn = async (page: Page): Promise<Omit<Opening, 'cpuMs' | 'scriptMs'>> => {
  const late = setTimeout(() => void page.close(), limitMs)
  try {
    return (await page.evaluate('opened')) as Omit<Opening, 'cpuMs' | 'scriptMs'> // what the probe resolves with
  } finally {
    clearTimeout(late)
  }
}

const metricsOf = async (cdp: CDPSession): Promise<Pick<Opening, 'cpuMs' | 'scriptMs'>> => {
  const { metrics } = await cdp.send('Performance.getMetrics')
  const of = (name: string) => 1000 * (metrics.find((metric) => metric.name === name)?.value ?? 0)
  return { cpuMs: of('TaskDuration'), scriptMs: of('ScriptDuration') }
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const print = (title: string, openings: Opening[]): void => {
  const of = (read: (opening: Opening) => number) => {
    const values = openings.map(read)
    return `${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)}-${Math.max(...values).toFixed(0)})`
  }
  console.log(`\n${title}, ms since the navigation started: median (least-most) of ${openings.length}`)
  const names = Object.entries(openings[0]?.phases ?? {})
    .sort(([, a], [, b]) => a - b)
    .map(([name]) => name)
  for (const name of names)
    console.log(`  ${name.padEnd(20)} ${of(({ phases }) => phases[name] ?? Number.NaN)}`)
  console.log(`  main thread busy     ${of(({ cpuMs }) => cpuMs)}, script ${of(({ scriptMs }) => scriptMs)}`)
  console.log(`  longest task         ${of(({ longestTaskMs }) => longestTaskMs)}`)
  console.log(`  requests ${of(({ requests }) => requests)}, ${of(({ kilobytes }) => kilobytes)} kB as sent`)
}

const load = () =>
  `load ${os
    .loadavg()
    .map((value) => value.toFixed(2))
    .join(' ')}`

const executablePath = findChromium()
if (executablePath === null) throw new Error('no Chromium on this machine')
console.log(`${os.cpus()[0]?.model}, ${os.cpus().length} cores, node ${process.versions.node}, ${load()}`)
/** For the last board, third visits. */
let last = {}
await withCanvas(async (server) => {
  const ada = await server.user('Ada')
  for (const [title, elements] of [
    ['aws-architecture-icons', await boardOf('aws-architecture-icons')],
    ['several drawings', await largeBoard(leastElements)],
  ] as const) {
    if (!boards.some((name) => title.includes(name))) continue
    const boardId = await ada.board(title)
    await ada.importScene(boardId, elements)
    const count = (await ada.scene(boardId)).elements.length
    const url = `${server.origin}/b/${boardId}`
    const cold: Opening[] = []
    const warm: Opening[] = []
    for (let run = 0; run < runs; run++) {
      const browser = await chromium.launch({ executablePath, args: [...browserFlags] })
      try {
        const context = await browser.newContext({ viewport: { width: 1200, height: 800 } })
        const [name = '', value = ''] = ada.cookie.split(/=(.*)/s)
        await context.addCookies([{ name, value, url: server.origin }])
        const isProfiled = profilePath !== undefined && run === runs - 1
        cold.push(await open(context, url, count, isProfiled))
        // The first visit fills the file cache, the second the cache of compiled code.
        await open(context, url, count)
        warm.push(await open(context, url, count))
      } finally {
        await browser.close()
      }
    }
    print(`${title}, ${count} elements, first visit`, cold)
    print(`${title}, ${count} elements, third visit`, warm)
    last = {
      paintedMs: median(warm.map(({ phases }) => phases.painted ?? Number.NaN)),
      longestTaskMs: median(warm.map(({ longestTaskMs }) => longestTaskMs)),
    }
  }
})
console.log(`\n${load()}`)
console.log(JSON.stringify(last))
