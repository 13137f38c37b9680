// Habits from other drawing tools: none of them loses a drawing or leaves the page.
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { draw, elementsOn, focusCanvas, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { eventually } from '../helpers/eventually.ts'

const habits = canvasFile('habits of people who draw')

const visible = async (page: Page): Promise<number> =>
  (await elementsOn(page)).filter(({ isDeleted }) => isDeleted !== true).length

/** A key of the canvas, and what was drawn with it. */
const drawsByKey = async (page: Page, after: string): Promise<void> => {
  await eventually(async () => (await page.getByRole('dialog').count()) === 0)
  const before = await visible(page)
  await page.keyboard.press('r')
  await page.mouse.move(300, 420)
  await page.mouse.down()
  await page.mouse.move(380, 470, { steps: 4 })
  await page.mouse.up()
  await eventually(async () => {
    assert.is(await visible(page), before + 1, `after ${after} the canvas hears keys`)
    return true
  })
  // If something is selected, Ctrl-K adds a link to it.
  await page.mouse.click(700, 600)
}

habits.test(
  'resetting the canvas empties it for everybody, and one undo brings all of it back',
  async ({ ada, grace, open }) => {
    const boardId = await ada.board()
    await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
    await ada.ask('PATCH', `/boards/${boardId}`, { background: '#fdf8f6' })
    const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
    const other = await open(`/b/${boardId}`, { cookie: grace.cookie })
    await saysSync(page, 'Saved')
    await saysSync(other, 'Saved')
    await focusCanvas(page)
    await draw(page, 'r', [300, 250], [380, 320])
    await draw(page, 'r', [480, 250], [560, 320])
    await eventually(async () => (await visible(other)) === 2)
    await page.getByTestId('main-menu-trigger').click()
    await page.getByText('Reset the canvas').click()
    await page.getByRole('button', { name: 'Confirm' }).click()
    await eventually(async () => (await visible(other)) === 0)
    const { background } = await ada.ask<{ background: string | null }>('GET', `/boards/${boardId}`)
    assert.is(background, '#fdf8f6', 'the colour behind the drawing stays')
    await focusCanvas(page)
    await page.keyboard.press('Control+z')
    await eventually(async () => (await visible(page)) === 2 && (await visible(other)) === 2)
  },
)

habits.test(
  'a library from a file or an address changes nothing of the board, and asks no other site',
  async ({ ada, open }) => {
    const boardId = await ada.board()
    const elsewhere = encodeURIComponent('https://libraries.example/shapes.excalidrawlib')
    const page = await open(`/b/${boardId}#addLibrary=${elsewhere}&token=x`, { cookie: ada.cookie })
    await saysSync(page, 'Saved')
    await focusCanvas(page)
    await draw(page, 'r', [300, 250], [380, 320])
    const { elements } = JSON.parse(readFileSync('tests/fixtures/drawings/newbinding.excalidraw', 'utf8'))
    const library = {
      type: 'excalidrawlib',
      version: 2,
      libraryItems: [{ id: 'arrows', status: 'published', elements }],
    }
    const chooser = page.waitForEvent('filechooser')
    await page.getByTestId('main-menu-trigger').click()
    await page.getByText('Import into this board').click()
    await (await chooser).setFiles({
      name: 'arrows.excalidrawlib',
      mimeType: '',
      buffer: Buffer.from(JSON.stringify(library)),
    })
    await page.locator('.library-unit__active').first().waitFor()
    assert.is(await visible(page), 1)
    assert.not(await page.getByText('Browse libraries').isVisible())
    await eventually(async () => (await ada.scene(boardId)).elements.length === 1)
  },
)

habits.test('after every dialog, menu and rename the canvas hears the next key', async ({ ada, open }) => {
  const boardId = await ada.board()
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
  await saysSync(page, 'Saved')
  await focusCanvas(page)
  await drawsByKey(page, 'a click')
  await page.getByRole('button', { name: 'Share' }).click()
  await page.getByRole('dialog', { name: 'Share' }).waitFor()
  await page.keyboard.press('Escape')
  await drawsByKey(page, 'Share')
  await page.locator('.board-title').click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Harbour')
  await page.keyboard.press('Enter')
  await page.locator('.board-title').filter({ hasText: 'Harbour' }).waitFor()
  await drawsByKey(page, 'a rename')
  await page.getByTestId('main-menu-trigger').click()
  await page.getByText('Versions', { exact: true }).click()
  await page.getByRole('dialog', { name: 'Versions' }).waitFor()
  await page.getByRole('button', { name: 'Close' }).click()
  await drawsByKey(page, 'Versions')
  await page.keyboard.press('?')
  await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor()
  await page.keyboard.press('Escape')
  await drawsByKey(page, 'the help')
  await page.keyboard.press('Control+k')
  await page.getByRole('dialog', { name: 'Search and actions' }).waitFor()
  await page.keyboard.press('Escape')
  await drawsByKey(page, 'the palette')
  await page.getByTestId('main-menu-trigger').click()
  await page.getByText('Find on canvas').waitFor()
  await page.keyboard.press('Escape')
  await drawsByKey(page, 'the menu')
})

habits.test('the context menu never moves the canvas, at any edge of the window', async ({ ada, open }) => {
  const boardId = await ada.board()
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie, viewport: { width: 1100, height: 700 } })
  await saysSync(page, 'Saved')
  await focusCanvas(page)
  await draw(page, 'r', [300, 250], [380, 320])
  const place = () =>
    page.evaluate(`(() => {
      const { top, left } = document.querySelector('.excalidraw').getBoundingClientRect()
      const scrolled = [...document.querySelectorAll('*')].filter((one) => !one.closest('.context-menu') && (one.scrollTop > 0 || one.scrollLeft > 0)).map((one) => one.className)
      return JSON.stringify([top, left, scrollX, scrollY, scrolled])
    })()`)
  const before = await place()
  for (const [x, y] of [
    [340, 285],
    [1080, 600],
    [700, 690],
    [1080, 140],
  ] as const) {
    await page.mouse.click(x, y, { button: 'right' })
    await page.locator('.context-menu').waitFor()
    assert.is(await place(), before, `at ${x}, ${y}`)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Escape')
    await page.mouse.click(640, 300)
    assert.is(await place(), before, `after the menu at ${x}, ${y}`)
  }
})

habits.test(
  'a board in the trash has its picture, and its owner who opens it gets Restore',
  async ({ server, open }) => {
    const mary = await server.user('Mary')
    const boardId = await mary.board('Harbour')
    const page = await open(`/b/${boardId}`, { cookie: mary.cookie, expected: /410/ })
    await saysSync(page, 'Saved')
    await focusCanvas(page)
    await draw(page, 'r', [300, 250], [380, 320])
    await saysSync(page, 'Saved')
    await page.getByRole('link', { name: 'All boards' }).click()
    await page.locator('.board-card .picture img').waitFor()
    await page.locator('.board-card .menu button').first().click()
    await page.getByRole('menuitem', { name: /trash/i }).click()
    const confirm = page.getByRole('dialog').getByRole('button', { name: /trash/i })
    if (await confirm.isVisible()) await confirm.click()
    await page
      .getByText('Harbour')
      .first()
      .waitFor({ state: 'hidden' })
      .catch(() => {})
    await page.goto(new URL('/trash', page.url()).href)
    const picture = page.locator('.board-card .picture img')
    await picture.waitFor()
    await eventually(async () => (await picture.evaluate('(image) => image.naturalWidth')) !== 0)
    await page.goto(new URL(`/b/${boardId}`, page.url()).href)
    await page.getByRole('button', { name: 'Restore' }).waitFor()
  },
)

habits.run()
