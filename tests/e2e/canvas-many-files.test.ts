// Many files at once: what is whole comes in, and what went wrong stays to be read.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { elementsOn, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { eventually } from '../helpers/eventually.ts'
import { withFolder } from '../helpers/folder.ts'

const { test, run } = canvasFile('many files')

const fixture = (name: string) => readFileSync(`tests/fixtures/drawings/${name}.excalidraw`)
const whole = [
  'background',
  'dark-background',
  'draw-type',
  'dup-ids',
  'newbinding',
  'no-size',
  'images-round-trip',
]
const ten = [
  ...whole.map((name) => ({ name: `${name}.excalidraw`, buffer: fixture(name) })),
  { name: 'cut.excalidraw', buffer: fixture('newbinding').subarray(0, 200) },
  { name: 'empty.excalidraw', buffer: Buffer.alloc(0) },
  { name: 'a photo.excalidraw', buffer: Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]) },
].map((file) => ({ ...file, mimeType: 'application/json' }))

test('ten at once, of which three are damaged: seven boards with pictures, three reasons that stay', async ({
  ada,
  open,
}) => {
  const page = await open('/', { cookie: ada.cookie })
  await page.getByRole('button', { name: 'Import' }).waitFor()
  await page.locator('input[type=file]').setInputFiles(ten)
  const report = page.getByRole('dialog', { name: '7 of 10 files were imported' })
  await report.waitFor({ timeout: 60_000 })
  for (const name of ['cut', 'empty', 'a photo']) await report.getByText(`${name}.excalidraw`).waitFor()
  for (const name of whole) await page.getByRole('heading', { name, exact: true }).waitFor()
  assert.is(await page.getByRole('article').count(), 7)
  await report.getByRole('button', { name: 'Close' }).last().click()
  const pictures = 'document.querySelectorAll(".board-card .picture img").length'
  await eventually(async () => (await page.evaluate(pictures)) === 7, { withinMs: 60_000 })
})

test('dropped on a board, the whole ones are added and the others are named', async ({ ada, open }) => {
  const boardId = await ada.board()
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
  await saysSync(page, 'Saved')
  const chooser = page.waitForEvent('filechooser')
  await page.getByTestId('main-menu-trigger').click()
  await page.getByText('Import into this board').click()
  await (await chooser).setFiles(ten.filter(({ name }) => !/images|photo/.test(name)))
  const report = page.getByRole('dialog', { name: '6 of 8 files were imported' })
  await report.waitFor({ timeout: 60_000 })
  for (const name of ['cut', 'empty']) await report.getByText(`${name}.excalidraw`).waitFor()
  assert.ok((await elementsOn(page)).length > 6)
})

/** The longest time for which the page did nothing else, from now on. Text, because it is compiled for Node here. */
const watch = `(() => {
  let last = performance.now()
  window.longestHoldUpMs = 0
  setInterval(() => {
    const now = performance.now()
    window.longestHoldUpMs = Math.max(window.longestHoldUpMs, now - last)
    last = now
  }, 20)
})()`

test('a file of 100 MB holds up nobody: the page goes on, and says why it is not taken', ({ ada, open }) =>
  withFolder(async (folder) => {
    const file = async (name: string, content: string, bytes: number) => {
      const place = path.join(folder, name)
      // Blanks after a drawing are none of its business.
      await writeFile(place, content.padEnd(bytes, ' '))
      return place
    }
    const MB = 1024 * 1024
    const boxes = Array.from({ length: 200_000 }, (_, at) => ({
      ...{ id: `box ${at}`, type: 'rectangle', x: (at % 500) * 20, y: Math.floor(at / 500) * 20 },
      ...{ width: 10, height: 10, strokeColor: '#1e1e1e', backgroundColor: '#ffffff', seed: at, version: 1 },
      link: `https://example.org/${'x'.repeat(300)}`,
    }))
    const cut = await file('cut.excalidraw', '{"type":"excalidraw","elements":[{"id":"a"', 100 * MB)
    const many = await file(
      'many.excalidraw',
      JSON.stringify({ type: 'excalidraw', elements: boxes }),
      100 * MB,
    )
    const larger = await file('larger.excalidraw', '{"type":"excalidraw","elements":[]}', 129 * MB)

    const page = await open('/', { cookie: ada.cookie, expected: /413/ })
    await page.getByRole('button', { name: 'Import' }).waitFor()
    await page.evaluate(watch)
    const refusals: [string, RegExp][] = [
      [cut, /cut.excalidraw was not imported: it is damaged/],
      [
        many,
        /many.excalidraw was not imported: the drawing is too large for one board, which may have 64 MB/,
      ],
      [larger, /larger.excalidraw was not imported: it is larger than 128 MB/],
    ]
    for (const [place, reason] of refusals) {
      await page.locator('input[type=file]').setInputFiles(place)
      await page.getByText(reason).waitFor({ timeout: 120_000 })
    }
    const longest = Number(await page.evaluate('window.longestHoldUpMs'))
    assert.ok(longest < 1500, `${longest} ms`)
  }))

run()
