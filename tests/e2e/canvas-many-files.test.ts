// Many files at once: valid ones are imported, and the errors remain listed.
import { readFileSync } from 'node:fs'
import { truncate, writeFile } from 'node:fs/promises'
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

test('ten at once, three of them corrupt: seven boards with pictures, and three reasons that remain listed', async ({
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

test('dropped on a board, the valid ones are added and the others are named', async ({ ada, open }) => {
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

test('a file is read in a worker, so that the page stays responsive, and not at all if it exceeds the limit', ({
  ada,
  open,
}) =>
  withFolder(async (folder) => {
    const MB = 1024 * 1024
    const cut = path.join(folder, 'cut.excalidraw')
    // Whitespace after a drawing is ignored.
    await writeFile(cut, '{"type":"excalidraw","elements":[{"id":"a"'.padEnd(2 * MB, ' '))
    const larger = path.join(folder, 'larger.excalidraw')
    await writeFile(larger, '{"type":"excalidraw","elements":[]}')
    await truncate(larger, 129 * MB)

    const page = await open('/', { cookie: ada.cookie })
    const readers: string[] = []
    page.on('worker', (worker) => readers.push(worker.url()))
    const importing = async (file: string, reason: RegExp) => {
      await page.locator('input[type=file]').setInputFiles(file)
      await page.getByText(reason).waitFor({ timeout: 60_000 })
    }
    await page.getByRole('button', { name: 'Import' }).waitFor()
    await importing(larger, /larger.excalidraw was not imported: it is larger than 128 MB/)
    assert.equal(readers, [])
    await importing(cut, /cut.excalidraw was not imported: it is damaged/)
    assert.is(readers.length, 1)
    assert.match(readers[0] ?? '', /drawing-worker/)
  }))

run()
