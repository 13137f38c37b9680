// Drawings as files, images as files of the board, and the same over a LAN address, where browsers offer fewer
// features.
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import type { Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readScene, type SceneElement } from '../../shared/scene.ts'
import { draw, elementsOn, focusCanvas, saysSync, sharedPart } from '../helpers/board-page.ts'
import { withBrowser } from '../helpers/browser.ts'
import { browserTests, withCanvas } from '../helpers/canvas-server.ts'
import { findChromium } from '../helpers/chromium.ts'
import { drawingPath } from '../helpers/drawings.ts'
import { eventually } from '../helpers/eventually.ts'

const files = suite('files at the canvas')
const tests = browserTests(findChromium(), files)

const onePixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGNwaDiABzGMSmNDAKZ8lgF/6s5/AAAAAElFTkSuQmCC',
  'base64',
)

const exported = async (page: Page, format: string): Promise<Buffer> => {
  await page.getByTestId('main-menu-trigger').click()
  const download = page.waitForEvent('download')
  await page.getByText(`Export ${format}`, { exact: true }).click()
  // Read as a stream: the browser may be the runner's, whose files we cannot access.
  return buffer(await (await download).createReadStream())
}

interface Dropped {
  name: string
  type: string
  bytes: Buffer
  /** This many zeros are added in front of the last twelve bytes. */
  size?: number
}

/** A DataTransfer with a file in it. Text, because it is compiled for Node here and knows no DOM. */
const transfer = ({ name, type, size = 0, bytes }: Dropped) => `(() => {
    const bytes = Uint8Array.from(atob(${JSON.stringify(bytes.toString('base64'))}), (char) => char.charCodeAt(0))
    const parts = ${size} === 0 ? [bytes] : [bytes.slice(0, -12), filler(${size}), bytes.slice(-12)]
    function filler(size) {
      const chunk = new Uint8Array(size + 12)
      new DataView(chunk.buffer).setUint32(0, size)
      chunk.set([0x66, 0x69, 0x4c, 0x6c], 4)
      return chunk
    }
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File(parts, ${JSON.stringify(name)}, { type: ${JSON.stringify(type)} }))
    return dataTransfer
  })()`

/** Drops a file onto the canvas. */
const dropFile = (page: Page, file: Dropped) =>
  page.evaluate(`document
    .querySelector('.excalidraw__canvas.interactive')
    .dispatchEvent(new DragEvent('drop', { bubbles: true, clientX: 500, clientY: 400, dataTransfer: ${transfer(file)} }))`)

const paste = (page: Page, clipboardData: string) =>
  page.evaluate(`document
    .querySelector('.excalidraw')
    .dispatchEvent(new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: ${clipboardData} }))`)
const pasteFile = (page: Page, file: Dropped) => paste(page, transfer(file))
const pasteText = (page: Page, text: string) =>
  paste(
    page,
    `(() => { const clip = new DataTransfer(); clip.setData('text/plain', ${JSON.stringify(text)}); return clip })()`,
  )

tests.add('a drawing comes in, goes out the same, and is a picture as PNG and SVG', (chromium) =>
  withCanvas((server) =>
    withBrowser(chromium, async (browser) => {
      const ada = await server.user('Ada')
      // Excalidraw gives the worker that subsets fonts one second; if that is not enough, they are embedded whole.
      const { page } = await browser.open(server.origin, { cookie: ada.cookie, expected: /subsetting/ })
      await page.getByRole('button', { name: 'Import' }).waitFor()
      await page.locator('input[type=file]').setInputFiles(drawingPath('customer-journey-map'))
      await page.waitForURL(/\/b\//)
      await saysSync(page, 'Saved')
      const original =
        readScene(JSON.parse(readFileSync(drawingPath('customer-journey-map'), 'utf8')))?.elements ?? []
      const file = JSON.parse((await exported(page, '.excalidraw')).toString())
      const live = (elements: readonly SceneElement[]) =>
        elements.filter(({ isDeleted }) => isDeleted !== true)
      assert.equal(
        live(file.elements).map(({ id }) => id),
        original.map(({ id }) => id),
      )
      assert.equal((await exported(page, 'PNG')).subarray(1, 4).toString(), 'PNG')
      assert.ok((await exported(page, 'SVG')).toString().startsWith('<svg'))

      await page.goto(server.origin)
      await page.locator('input[type=file]').setInputFiles({
        name: 'again.excalidraw',
        mimeType: 'application/json',
        buffer: Buffer.from(JSON.stringify(file)),
      })
      await page.waitForURL(/\/b\//)
      await saysSync(page, 'Saved')
      assert.equal(
        sharedPart(await elementsOn(page)),
        sharedPart((readScene(file) ?? { elements: [] }).elements),
      )
    }),
  ),
)

tests.add('a file that is no drawing is refused with a message', (chromium) =>
  withCanvas((server) =>
    withBrowser(chromium, async (browser) => {
      const ada = await server.user('Ada')
      const { page } = await browser.open(server.origin, { cookie: ada.cookie })
      const give = (name: string, text: string) =>
        page
          .locator('input[type=file]')
          .setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) })
      await page.getByRole('button', { name: 'Import' }).waitFor()
      await give('broken.excalidraw', '{"type":"excalidraw","elements":[')
      await page.getByText('broken.excalidraw was not imported: it is damaged').waitFor()
      await give('foreign.json', '{"name":"package"}')
      await page.getByText('foreign.json was not imported: it is a JSON file, but not').waitFor()
    }),
  ),
)

tests.add(
  'an image is a file of the board, seen by others, and not part of the document; a huge one is refused',
  (chromium) =>
    withCanvas((server) =>
      withBrowser(chromium, async (browser) => {
        const ada = await server.user('Ada')
        const boardId = await ada.board()
        const { url } = await ada.link(boardId, 'view')
        const { page } = await browser.open(`${server.origin}/b/${boardId}`, { cookie: ada.cookie })
        await saysSync(page, 'Saved')
        await dropFile(page, { name: 'dot.png', type: 'image/png', bytes: onePixel })
        const image = await eventually(
          async () => (await ada.scene(boardId)).elements.find(({ type }) => type === 'image') ?? null,
        )
        assert.match(String(image.fileId), /^[0-9a-f]{64}$/)
        const stored = await fetch(`${server.origin}/api/boards/${boardId}/document`, {
          headers: { cookie: ada.cookie, accept: 'application/json' },
        })
        assert.not.match(await stored.text(), /base64/)

        const guest = await browser.open(url)
        const got = guest.page.waitForResponse((response) =>
          response.url().endsWith(`/files/${image.fileId}`),
        )
        await guest.page.getByLabel('Your name').fill('Katherine')
        await guest.page.getByRole('button', { name: 'Open the board' }).click()
        assert.is((await got).status(), 200)

        const huge = { bytes: onePixel, size: 100 * 1024 * 1024 }
        await dropFile(page, { name: 'huge.png', type: 'image/png', ...huge })
        await page.getByText('huge.png is too large').waitFor()
        const stranger = await fetch(`${server.origin}/api/boards/${boardId}/files/${image.fileId}`)
        assert.ok(stranger.status === 401 || stranger.status === 404, `${stranger.status}`)
      }),
    ),
)

tests.add(
  'a drawing that is dropped is added for everybody and hides nothing; viewers drop nothing',
  (chromium) =>
    withCanvas((server) =>
      withBrowser(chromium, async (browser) => {
        const ada = await server.user('Ada')
        const boardId = await ada.board()
        const { url } = await ada.link(boardId, 'view')
        const { page } = await browser.open(`${server.origin}/b/${boardId}`, { cookie: ada.cookie })
        await saysSync(page, 'Saved')
        await focusCanvas(page)
        await draw(page, 'r', [300, 200], [420, 280])
        const bytes = readFileSync('tests/fixtures/drawings/newbinding.excalidraw')
        const dropped = { name: 'arrows.excalidraw', type: '', bytes }
        await dropFile(page, dropped)
        await eventually(async () => (await ada.scene(boardId)).elements.length === 4)
        const shown = async () => (await elementsOn(page)).filter(({ isDeleted }) => isDeleted !== true)
        assert.is((await shown()).length, 4)
        await dropFile(page, dropped)
        await eventually(async () => (await ada.scene(boardId)).elements.length === 7)

        const guest = await browser.open(url)
        await guest.page.getByLabel('Your name').fill('Katherine')
        await guest.page.getByRole('button', { name: 'Open the board' }).click()
        await eventually(async () => (await elementsOn(guest.page)).length === 7)
        await dropFile(guest.page, dropped)
        await guest.page.getByText('You can only view this board').waitFor()
        assert.is((await elementsOn(guest.page)).length, 7)
        assert.is((await ada.scene(boardId)).elements.length, 7)
      }),
    ),
)

tests.add(
  'what is dropped or pasted is told by its content: it is added for everybody, or refused with a reason',
  (chromium) =>
    withCanvas((server) =>
      withBrowser(chromium, async (browser) => {
        const ada = await server.user('Ada')
        const boardId = await ada.board()
        const { url } = await ada.link(boardId, 'view')
        const { page } = await browser.open(`${server.origin}/b/${boardId}`, { cookie: ada.cookie })
        const guest = await browser.open(url)
        await guest.page.getByLabel('Your name').fill('Katherine')
        await guest.page.getByRole('button', { name: 'Open the board' }).click()
        await saysSync(page, 'Saved')
        await page.mouse.move(500, 400)
        const fixture = (name: string) => readFileSync(`tests/fixtures/drawings/${name}.excalidraw`)
        const cut = fixture('newbinding').subarray(0, 1000)
        const doors = { dropped: dropFile, pasted: pasteFile }
        for (const [how, give] of Object.entries(doors)) {
          const refused = async (name: string, bytes: Buffer, why: string, type = '') => {
            await give(page, { name: `${how}-${name}`, type, bytes })
            await page.getByText(`${how}-${name} was not imported: ${why}`).waitFor()
          }
          await refused('cut.excalidraw', cut, 'it is damaged')
          await refused('empty.excalidraw', Buffer.alloc(0), 'it is empty')
          await refused('notes.png', Buffer.from('Buy milk'), 'it is neither', 'image/png')
          await refused('dot.png', onePixel.subarray(0, 50), 'it is damaged: it ends too early', 'image/png')
        }
        await pasteText(page, cut.toString())
        await page.getByText('What you pasted was not imported: it is damaged').waitFor()
        assert.is((await ada.scene(boardId)).elements.length, 0)

        const shown = async (window: Page, count: number) => {
          await eventually(async () => (await ada.scene(boardId)).elements.length === count)
          await eventually(async () => (await elementsOn(window)).length === count)
        }
        await dropFile(page, { name: 'arrows.png', type: 'image/png', bytes: fixture('newbinding') })
        await shown(guest.page, 3)
        await pasteFile(page, { name: 'lines.txt', type: 'text/plain', bytes: fixture('draw-type') })
        await shown(guest.page, 5)
        await pasteText(page, fixture('dup-ids').toString())
        await shown(guest.page, 9)
        // One of its six images is in no file: an empty frame, for everybody.
        await dropFile(page, { name: 'images.excalidraw', type: '', bytes: fixture('images-round-trip') })
        await shown(guest.page, 15)
        assert.is((await elementsOn(page)).length, 15)
        // As other programs fill Excalidraw's clipboard: without sizes, with which nobody would see the text.
        const { elements } = JSON.parse(fixture('no-size').toString())
        await pasteText(page, JSON.stringify({ type: 'excalidraw/clipboard', elements }))
        await shown(guest.page, 19)
        assert.is((await elementsOn(page)).length, 19)
        // An image is one step like everything else.
        await dropFile(page, { name: 'dot.png', type: 'image/png', bytes: onePixel })
        await shown(guest.page, 20)
        await page.locator('.excalidraw').first().focus()
        await page.keyboard.press('Control+z')
        await shown(guest.page, 19)
        await page.keyboard.press('Control+Shift+z')
        await shown(guest.page, 20)
        await page.keyboard.press('Control+z')
        await shown(guest.page, 19)
        // Two, the second while the first is still being read.
        for (const name of ['one.png', 'two.png'])
          await dropFile(page, { name, type: 'image/png', bytes: onePixel })
        await shown(guest.page, 21)
        await page.locator('.excalidraw').first().focus()
        await page.keyboard.press('Control+z')
        await shown(guest.page, 20)
        await page.keyboard.press('Control+z')
        await shown(guest.page, 19)

        await pasteText(guest.page, fixture('background').toString())
        await guest.page.getByText('You can only view this board').waitFor()
        assert.is((await elementsOn(guest.page)).length, 19)
      }),
    ),
)

const lanAddress = '192.0.2.7'

tests.add('works over a plain-http address of the LAN: drawing, images, copying a link', (chromium) =>
  withCanvas((server) =>
    withBrowser(chromium, async (browser) => {
      const ada = await server.user('Ada')
      const boardId = await ada.board()
      const { page } = await browser.open(`http://${lanAddress}:${server.port}/b/${boardId}`, {
        cookie: ada.cookie,
      })
      await saysSync(page, 'Saved')
      assert.is(await page.evaluate('crypto.subtle === undefined'), true)
      await focusCanvas(page)
      await draw(page, 'r', [300, 200], [420, 280])
      await dropFile(page, { name: 'dot.png', type: 'image/png', bytes: onePixel })
      await eventually(async () => (await ada.scene(boardId)).elements.length === 2)
      await saysSync(page, 'Saved')
      await page.getByRole('button', { name: 'Share' }).click()
      await page.getByRole('tab', { name: 'Links' }).click()
      await page.getByRole('button', { name: 'Create link' }).click()
      await page.getByText('Link copied').waitFor()
      assert.ok((await page.getByLabel('New link').inputValue()).startsWith(`http://${lanAddress}`))
    }),
  ),
)

files.run()
tests.end()
