// Without a mouse: everything around the canvas can be reached with a visible focus, left again, and returns the
// focus.
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { elementsOn, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { eventually } from '../helpers/eventually.ts'

const keyboard = canvasFile('the keyboard alone')

const mostSteps = 40

/** The focused element: its role or tag, and its name. */
const focused = async (page: Page): Promise<string> =>
  String(
    await page.evaluate(`(() => {
      const element = document.activeElement
      const name = element.getAttribute('aria-label') ?? element.closest('label')?.textContent ?? element.textContent
      return (element.getAttribute('role') ?? element.tagName.toLowerCase()) + ' ' + name.trim()
    })()`),
  )

/** Presses Tab until `wanted` has the focus, which must then be visible. */
const tabTo = async (page: Page, wanted: string): Promise<void> => {
  const seen: string[] = []
  for (let step = 0; step < mostSteps; step++) {
    await page.keyboard.press('Tab')
    const now = await focused(page)
    if (now.startsWith(wanted)) {
      const isVisible = await page.evaluate(`(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
        return outlineStyle !== 'none' && outlineWidth !== '0px'
      })()`)
      assert.ok(isVisible, `${wanted} has the focus and does not show it`)
      return
    }
    seen.push(now)
  }
  throw new Error(`Tab does not lead to ${wanted}, but to ${seen.join(', ')}`)
}

const hasFocus = (page: Page, wanted: string): Promise<unknown> =>
  eventually(async () => {
    assert.ok((await focused(page)).startsWith(wanted), `${wanted}, and not ${await focused(page)}`)
    return true
  })

keyboard.test('makes, finds and renames a board in the list', async ({ server, open }) => {
  const linus = await server.user('Linus')
  await linus.board('Roadmap')
  const page = await open('/', { cookie: linus.cookie })
  await page.getByRole('link', { name: 'Roadmap' }).waitFor()
  await tabTo(page, 'button Roadmap: actions')
  await page.keyboard.press('Enter')
  await hasFocus(page, 'menuitem Rename')
  await page.keyboard.press('ArrowDown')
  await hasFocus(page, 'menuitem Share')
  await page.keyboard.press('Escape')
  await hasFocus(page, 'button Roadmap: actions')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Enter')
  await hasFocus(page, 'input Name')
  await page.keyboard.press('Escape')
  await hasFocus(page, 'button Roadmap: actions')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Enter')
  await hasFocus(page, 'input Name')
  await page.keyboard.type('Plans')
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'Plans' }).waitFor()
  await page.reload()
  await page.getByRole('link', { name: 'Plans' }).waitFor()
  await tabTo(page, 'button New board')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/b\//)
})

keyboard.test('shares a board, and gives the focus back to where it was', async ({ ada, open }) => {
  const boardId = await ada.board()
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
  await saysSync(page, 'Saved')
  await page.getByRole('button', { name: 'Share' }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Share' }).waitFor()
  await tabTo(page, 'tab People')
  await page.keyboard.press('ArrowRight')
  await hasFocus(page, 'tab Links')
  await tabTo(page, 'button Create link')
  await page.keyboard.press('Enter')
  await page.getByLabel('New link').waitFor()
  // Round and round, and never out of the dialog.
  for (let step = 0; step < mostSteps; step++) {
    await page.keyboard.press('Tab')
    assert.ok(
      await page.evaluate(
        "document.activeElement === document.body || document.activeElement.closest('dialog') !== null",
      ),
    )
  }
  await page.keyboard.press('Escape')
  await hasFocus(page, 'button Share')
})

keyboard.test('the help, the menu and the tools tell no other site where one is', async ({ ada, open }) => {
  const boardId = await ada.board()
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
  await saysSync(page, 'Saved')
  const { host } = new URL(page.url())
  /** External links that send a referrer. */
  const telling = () =>
    page.evaluate(
      `[...document.querySelectorAll('a[href]')].filter((link) => link.host !== '${host}' && !(/noreferrer|noopener/.test(link.rel) && document.querySelector('meta[name=referrer]').content === 'no-referrer') || (link.host !== '${host}' && link.href.includes('${boardId}'))).map(({ href }) => href)`,
    )
  await page.locator('.excalidraw').first().focus()
  await page.keyboard.press('?')
  await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor()
  assert.equal(await telling(), [])
  await page.keyboard.press('Escape')
  await page.getByTestId('main-menu-trigger').click()
  await page.getByText('Find on canvas').waitFor()
  assert.equal(await telling(), [])
  await page.keyboard.press('Escape')
  await page.getByTitle('More tools').click()
  await page.getByText('Frame tool').waitFor()
  assert.not(await page.getByText('Web Embed').isVisible())
})

keyboard.test('lets a guest in, who then draws', async ({ ada, open }) => {
  const boardId = await ada.board()
  const { url } = await ada.link(boardId, 'edit')
  const page = await open(url)
  await hasFocus(page, 'input Your name')
  await page.keyboard.type('Katherine')
  await page.keyboard.press('Enter')
  await saysSync(page, 'Saved')
  // The canvas listens from the first key press on.
  await page.keyboard.press('r')
  await page.mouse.move(300, 300)
  await page.mouse.down()
  await page.mouse.move(400, 400, { steps: 4 })
  await page.mouse.up()
  await eventually(async () => (await elementsOn(page)).length === 1)
  await page.keyboard.press('Delete')
  await eventually(async () => (await elementsOn(page)).length === 0)
})

keyboard.run()
