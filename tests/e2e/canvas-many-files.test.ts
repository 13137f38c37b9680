// Many files at once: what is whole comes in, and what went wrong stays to be read.
import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { elementsOn, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { eventually } from '../helpers/eventually.ts'

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

run()
