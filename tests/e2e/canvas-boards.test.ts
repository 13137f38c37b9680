// The list of boards and actions on whole boards: creating, deleting, finding, and restoring them unchanged.
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import type { SceneElement } from '../../shared/scene.ts'
import { draw, elementsOn, focusCanvas, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { drawingElements, drawingPath } from '../helpers/drawings.ts'
import { eventually } from '../helpers/eventually.ts'

const boards = canvasFile('boards as people keep them')

/** The actions of a board, from its own menu in the list. */
const choose = async (page: Page, board: string, what: string): Promise<void> => {
  await page.getByRole('button', { name: `${board}: actions` }).click()
  await page.getByRole('menuitem', { name: what }).click()
}
const titles = (page: Page): Promise<string[]> => page.locator('.board-card h2').allTextContents()

boards.test('have a menu that is seen whole, also at the lower edge of the window', async (about) => {
  const noor = await about.server.user('Noor')
  await noor.board('Low')
  const page = await about.open('/', { cookie: noor.cookie, viewport: { width: 1000, height: 520 } })
  await page.getByRole('button', { name: 'Low: actions' }).click()
  const last = page.getByRole('menuitem', { name: 'Move to trash' })
  const { y = 0, height = 0 } = (await last.boundingBox()) ?? {}
  assert.ok(y > 0 && y + height <= 520, `${y} and ${height} of 520`)
  await page.getByRole('menuitem', { name: 'Rename' }).click({ timeout: 5000 })
})

boards.test('are renamed, duplicated, found, sorted, thrown away and brought back', async (about) => {
  const linus = await about.server.user('Linus')
  const page = await about.open('/', { cookie: linus.cookie })
  await page.getByRole('heading', { name: 'Start with a board' }).waitFor()
  await linus.importScene(await linus.board('Roadmap'), drawingElements('customer-journey-map').slice(0, 3))
  await linus.board('Agenda')
  await page.reload()
  await eventually(async () => (await titles(page)).join() === 'Agenda,Roadmap')
  await page.getByLabel('Sort by').selectOption('created')
  await choose(page, 'Roadmap', 'Rename')
  await page.keyboard.type('Zebra crossing')
  await page.keyboard.press('Enter')
  await eventually(async () => (await titles(page)).includes('Zebra crossing'))
  await choose(page, 'Zebra crossing', 'Duplicate')
  const copy = await eventually(async () =>
    (await titles(page)).find((title) => /Zebra crossing.+/.test(title)),
  )
  await page.getByLabel('Sort by').selectOption('title')
  await eventually(async () => (await titles(page)).join() === ['Agenda', 'Zebra crossing', copy].join())
  await page.getByLabel('Search boards').fill('agen')
  await eventually(async () => (await titles(page)).join() === 'Agenda')
  await page.getByLabel('Search boards').fill('')
  await eventually(async () => (await titles(page)).length === 3)

  await choose(page, 'Agenda', 'Move to trash')
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Taken out of the trash').waitFor()
  await eventually(async () => (await titles(page)).includes('Agenda'))
  await choose(page, 'Agenda', 'Move to trash')
  await eventually(async () => !(await titles(page)).includes('Agenda'))
  await page.getByRole('link', { name: 'Trash' }).click()
  await eventually(async () => (await titles(page)).join() === 'Agenda')
  await choose(page, 'Agenda', 'Restore')
  await page.getByText('The trash is empty.').waitFor()
  await page.getByRole('link', { name: 'Boards', exact: true }).click()
  await page.getByRole('link', { name: copy }).click()
  await saysSync(page, 'Saved')
  await eventually(async () => (await elementsOn(page)).length === 3)
})

boards.test('show on their card what was just drawn on them', async ({ ada, open }) => {
  const boardId = await ada.board('Sketch of the day')
  const page = await open('/', { cookie: ada.cookie })
  await page.getByRole('link', { name: 'Sketch of the day' }).click()
  await saysSync(page, 'Saved')
  await focusCanvas(page)
  await draw(page, 'r', [300, 200], [400, 300])
  await eventually(async () => (await ada.scene(boardId)).elements.length === 1)
  await page.getByRole('link', { name: 'All boards' }).click()
  await page.locator(`a[href="/b/${boardId}"] img`).waitFor()
})

boards.test(
  'come in as a file dropped on the list, say how far they are, and stay the same drawing',
  async ({ ada, open }) => {
    const page = await open('/', { cookie: ada.cookie })
    await page.getByRole('button', { name: 'New board' }).first().waitFor()
    let carryOn = () => {}
    const held = new Promise<void>((resolve) => {
      carryOn = resolve
    })
    await page.route('**/import', async (route) => {
      await held
      await route.continue()
    })
    const name = 'presentation-bundle'
    await dropOnPage(page, `${name}.excalidraw`, readFileSync(drawingPath(name), 'utf8'))
    await page.getByText('Saving 558 elements').waitFor()
    carryOn()
    await page.waitForURL(/\/b\//)
    await saysSync(page, 'Saved')
    await eventually(async () => {
      assert.equal((await elementsOn(page)).map(placeOf), drawingElements(name).map(placeOf))
      return true
    })
  },
)

/**
 * The properties that Excalidraw leaves unchanged when it reads a file; it rounds, and begins lines at their first
 * point.
 */
const placeOf = ({ id, type, frameId, groupIds, text }: SceneElement) => ({
  id,
  type,
  frameId,
  groupIds,
  text,
})

/** Text, because it is compiled for Node here and knows no DOM. */
const dropOnPage = (page: Page, name: string, text: string) =>
  page.evaluate(`(() => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File([${JSON.stringify(text)}], ${JSON.stringify(name)}))
    document.querySelector('.page').dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }))
  })()`)

boards.run()
