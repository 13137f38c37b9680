// What a page costs: bytes until it is there, work while somebody else drags, and what hostile content may not do.
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { elementMaps } from '../../shared/scene.ts'
import { drag, draw, elementsOn, focusCanvas, saysSync, sharedPart } from '../helpers/board-page.ts'
import { withBrowser } from '../helpers/browser.ts'
import { browserTests, type CanvasServer, withCanvas } from '../helpers/canvas-server.ts'
import { findChromium } from '../helpers/chromium.ts'
import { eventually } from '../helpers/eventually.ts'
import { hostileElements } from '../helpers/hostile-elements.ts'

const speed = suite('what a page costs')
const tests = browserTests(findChromium(), speed)

/** Every script that the page has loaded so far, in bytes as they were sent. */
const scriptsOn = async (page: Page): Promise<{ name: string; bytes: number }[]> => {
  await page.waitForLoadState('networkidle')
  const entries: unknown = await page.evaluate(
    `performance.getEntriesByType('resource').filter(({ name }) => /\\.m?js$/.test(name)).map(({ name, encodedBodySize }) => ({ name, bytes: encodedBodySize }))`,
  )
  return entries as { name: string; bytes: number }[] // as the line above makes them
}

tests.add(
  'a board loads less than 500 kB of script, also where only gzip is taken, and the list a tenth of it',
  (chromium) =>
    withCanvas((server) =>
      withBrowser(chromium, async (browser) => {
        const ada = await server.user('Ada')
        const boardId = await ada.board()
        const total = (scripts: { bytes: number }[]) => scripts.reduce((sum, { bytes }) => sum + bytes, 0)
        const { page } = await browser.open(`${server.origin}/b/${boardId}`, { cookie: ada.cookie })
        await saysSync(page, 'Saved')
        const onBoard = await scriptsOn(page)
        assert.ok(total(onBoard) > 200_000 && total(onBoard) < 450_000, JSON.stringify(onBoard))
        for (const { name } of onBoard) {
          const { headers } = await fetch(name, { headers: { 'accept-encoding': 'gzip' } })
          if (!name.includes('/assets/')) continue
          assert.is(headers.get('cache-control'), 'public, max-age=31536000, immutable', name)
        }
        const zipped = await Promise.all(
          onBoard.map(async ({ name }) => {
            const answer = await fetch(name, { headers: { 'accept-encoding': 'gzip' } })
            await answer.arrayBuffer()
            return { bytes: Number(answer.headers.get('content-length')) }
          }),
        )
        assert.ok(total(zipped) > 200_000 && total(zipped) < 495_000, `${total(zipped)} bytes with gzip`)
        const list = await browser.open(`${server.origin}/`, { cookie: ada.cookie })
        await list.page.getByRole('button', { name: 'New board' }).first().waitFor()
        const onList = await scriptsOn(list.page)
        assert.ok(total(onList) < 100_000, JSON.stringify(onList))
      }),
    ),
)

tests.add(
  'one drags five hundred elements, and the other window goes on: nothing is drawn anew',
  (chromium) =>
    withCanvas((server) =>
      withBrowser(chromium, async (browser) => {
        const ada = await server.user('Ada')
        const grace = await server.user('Grace')
        const boardId = await ada.board()
        await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
        const file = new URL(
          '../../../tests/fixtures/boards/hexagonal-architecture.excalidraw',
          import.meta.url,
        )
        const drawing = JSON.parse(await readFile(file, 'utf8')) as { elements: unknown[] }
        await ada.importScene(boardId, drawing.elements)
        const url = `${server.origin}/b/${boardId}`
        const { page: dragging } = await browser.open(url, { cookie: ada.cookie })
        const { page: watching } = await browser.open(url, { cookie: grace.cookie })
        for (const page of [dragging, watching]) await saysSync(page, 'Saved')
        const before = await elementsOn(watching)
        assert.ok(before.length > 500)
        await dragging.locator('.excalidraw').first().focus()
        await dragging.keyboard.press('Control+a')
        // Each picture of an element is a canvas of its own: making them is what takes seconds.
        await watching.evaluate(`{
        globalThis.pictures = 0
        globalThis.longest = 0
        const make = HTMLCanvasElement.prototype.getContext
        HTMLCanvasElement.prototype.getContext = function (...given) { pictures++; return make.apply(this, given) }
        let last = performance.now()
        const frame = () => { longest = Math.max(longest, performance.now() - last); last = performance.now(); requestAnimationFrame(frame) }
        requestAnimationFrame(frame)
      }`)
        await drag(dragging, [600, 400], [700, 450])
        const agree = () =>
          eventually(
            async () => {
              const [one, other, scene] = await Promise.all([
                elementsOn(dragging),
                elementsOn(watching),
                ada.scene(boardId),
              ])
              assert.equal(sharedPart(one), sharedPart(scene.elements))
              assert.equal(sharedPart(other), sharedPart(scene.elements))
              assert.is.not(scene.elements[0]?.x, before[0]?.x)
              return true
            },
            { withinMs: 30_000, everyMs: 100 },
          )
        await agree()
        const pictures = Number(await watching.evaluate('pictures'))
        assert.ok(pictures < 250, `${pictures} pictures made anew`)
        const longest = Number(await watching.evaluate('longest'))
        assert.ok(longest < 10_000, `no frame for ${longest} ms`)
        // What others move is nobody's own step: there is nothing to undo.
        await watching.locator('.excalidraw').first().focus()
        await watching.keyboard.press('Control+z')
        await draw(watching, 'r', [20, 700], [60, 740])
        await eventually(async () => (await ada.scene(boardId)).elements.length === before.length + 1)
        await agree()
        assert.is((await elementsOn(watching)).length, before.length + 1)
      }),
    ),
)

/** Somebody's own client, which writes what it likes. */
const withForeignClient = async (
  server: CanvasServer,
  boardId: string,
  ticket: string,
  work: (
    put: (id: string, properties: Record<string, unknown>) => void,
    isSynced: () => boolean,
  ) => Promise<void>,
): Promise<void> => {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(`ws://127.0.0.1:${server.port}/ws`, boardId, doc, {
    disableBc: true,
    protocols: ['boardroom.yjs', `boardroom.ticket.${ticket}`],
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket, // ws speaks the browser's interface
  })
  try {
    await eventually(() => provider.synced)
    const put = (id: string, properties: Record<string, unknown>) =>
      doc.transact(() => {
        const map = new Y.Map()
        elementMaps(doc).set(id, map)
        for (const [key, value] of Object.entries(properties)) map.set(key, value)
      })
    await work(put, () => provider.synced)
  } finally {
    provider.destroy()
    doc.destroy()
  }
}

tests.add(
  'a board full of what no canvas can draw opens, is drawn on, and asks nobody else for anything',
  (chromium) =>
    withCanvas((server) =>
      withBrowser(chromium, async (browser) => {
        const ada = await server.user('Ada')
        const boardId = await ada.board()
        const url = `${server.origin}/b/${boardId}`
        const { ticket } = await ada.ask<{ ticket: string }>('POST', `/boards/${boardId}/tickets`, {})
        const { page: open } = await browser.open(url, { cookie: ada.cookie })
        await saysSync(open, 'Saved')
        await withForeignClient(server, boardId, ticket, async (put) => {
          for (const [id, properties] of Object.entries(hostileElements())) put(id, properties)
          put('good', { type: 'ellipse', geo: { x: 0, y: 0, width: 50, height: 50 }, index: 'a5' })
          // Both the page that was there already and one that comes now.
          const { page: late } = await browser.open(url, { cookie: ada.cookie })
          for (const page of [open, late]) {
            await eventually(async () => (await elementsOn(page)).some(({ id }) => id === 'good'), {
              withinMs: 15_000,
            })
            await saysSync(page, 'Saved')
            assert.is(await page.locator('iframe').count(), 0)
            await focusCanvas(page)
            await draw(page, 'd', [300, 500], [400, 600])
          }
          await eventually(
            async () =>
              (await ada.scene(boardId)).elements.filter(({ type }) => type === 'diamond').length === 2,
            { withinMs: 15_000 },
          )
        })
      }),
    ),
)

speed.run()
tests.end()
