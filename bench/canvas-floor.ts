// What dragging a large selection costs in Excalidraw alone, without our code: the floor of canvas-drag.ts, whose
// drag it repeats. Frames per second in the window of the person who drags; the last line is JSON.
//   npm run build && node dist/bench/canvas-floor.js
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { build } from 'vite'
import { browserFlags } from '../tests/helpers/browser.ts'
import { findChromium } from '../tests/helpers/chromium.ts'
import { countFromEnvironment } from '../tests/helpers/random.ts'
import { largeBoard } from './drawings.ts'

const runs = countFromEnvironment('RUNS', 5)
const steps = countFromEnvironment('STEPS', 120)
const frameMs = 16
const origin = 'http://plain.test'
const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

const executablePath = findChromium()
if (executablePath === null) throw new Error('no Chromium on this machine')
const root = fileURLToPath(new URL('../../bench/plain-canvas', import.meta.url))
const outDir = await mkdtemp(path.join(tmpdir(), 'plain-canvas-'))
await build({ root, logLevel: 'error', build: { outDir, emptyOutDir: true, target: 'esnext' } })
const elements = JSON.stringify(await largeBoard(3000))
const browser = await chromium.launch({ executablePath, args: [...browserFlags] })
try {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } })
  await page.route('**', async (route) => {
    const { pathname } = new URL(route.request().url())
    if (pathname === '/elements.json')
      return route.fulfill({ body: elements, contentType: 'application/json' })
    const file = pathname === '/' ? '/index.html' : pathname
    const body = await readFile(path.join(outDir, file)).catch(() => null)
    if (body === null) return route.fulfill({ status: 404 })
    return route.fulfill({ body, contentType: types[path.extname(file)] ?? 'application/octet-stream' })
  })
  await page.addInitScript(`(() => {
    globalThis.frames_ = 0
    const frame = () => { frames_++; requestAnimationFrame(frame) }
    requestAnimationFrame(frame)
  })()`)
  await page.goto(`${origin}/`)
  await page.locator('canvas.static').waitFor()
  await delay(5000)
  const frames = async () => (await page.evaluate('frames_')) as number // the script counts them
  const rates: number[] = []
  for (let run = 0; run < runs; run++) {
    await page.locator('.excalidraw').first().focus()
    await page.keyboard.press('Control+a')
    await page.mouse.move(900, 600)
    await page.mouse.down()
    const startedAt = performance.now()
    const before = await frames()
    for (let step = 1; step <= steps; step++) {
      await page.mouse.move(900 + (run % 2 === 1 ? -step : step), 600 + step / 2)
      await delay(Math.max(0, startedAt + step * frameMs - performance.now()))
    }
    rates.push(((await frames()) - before) / ((performance.now() - startedAt) / 1000))
    await page.mouse.up()
    await delay(1000)
  }
  rates.sort((a, b) => a - b)
  console.log(JSON.stringify({ framesPerSecond: Number((rates[rates.length >> 1] ?? 0).toFixed(1)), rates }))
} finally {
  await browser.close()
  await rm(outDir, { recursive: true, force: true })
}
