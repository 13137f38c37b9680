// Several windows of one browser profile: each has its own presence, and external links open a new one.
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { elementsOn } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { eventually } from '../helpers/eventually.ts'

const windows = canvasFile('windows of one browser')

/** The cursors of others that a canvas shows, from the editor's own memory; text, because it is compiled for Node. */
const cursors = `(() => {
  const root = document.querySelector('.excalidraw')
  const key = root && Object.keys(root).find((name) => name.startsWith('__reactFiber$'))
  let fiber = key ? root[key] : null
  while (fiber && !fiber.stateNode?.scene) fiber = fiber.return
  const others = fiber ? [...fiber.stateNode.state.collaborators.values()] : []
  return others.filter(({ pointer }) => pointer).map(({ pointer }) => Math.round(pointer.x))
})()`
const cursorsOn = (page: Page): Promise<number[]> => page.evaluate(cursors)

windows.test(
  'two tabs of one person each have a cursor, which moves on when the other is closed',
  async ({ ada, grace, open }) => {
    const boardId = await ada.board()
    await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
    const [first, watcher] = [
      await open(`/b/${boardId}`, { cookie: ada.cookie }),
      await open(`/b/${boardId}`, { cookie: grace.cookie }),
    ]
    let moved = 0
    const shows = (tab: Page, count: number) =>
      eventually(async () => {
        await tab.mouse.move(300 + (moved++ % 100), 300) // the page may not have joined yet
        return (await cursorsOn(watcher)).length === count
      })
    await shows(first, 1)
    // The same profile: tabs share storage and every BroadcastChannel.
    const second = await first.context().newPage()
    await second.goto(first.url())
    await second.locator('canvas').first().waitFor()
    await shows(second, 2)
    // Their distance proves that each is where its own tab moved it.
    for (const [tab, at, distance] of [
      [first, 640, null],
      [second, 720, 80],
      [first, 700, 20],
      [second, 500, 200],
    ] as const) {
      await tab.mouse.move(at, 350)
      if (distance !== null)
        await eventually(async () => {
          const [left = 0, right = 0, ...more] = (await cursorsOn(watcher)).sort((a, b) => a - b)
          return more.length === 0 && right - left === distance
        })
    }
    await second.close()
    await eventually(async () => (await cursorsOn(watcher)).length === 1, { withinMs: 5000 })
    const [before] = await cursorsOn(watcher)
    await first.mouse.move(400, 350)
    await eventually(async () => (await cursorsOn(watcher))[0] !== before)
    assert.is((await cursorsOn(watcher)).length, 1)
  },
)

windows.test(
  'links on elements open a tab of their own that knows nothing of the board’s',
  async ({ ada, open, server }) => {
    for (const link of [
      `${server.origin}/`,
      server.origin.replace('http:', ''),
      `${server.origin}/b/none?x=${server.origin}`,
    ]) {
      const boardId = await ada.board()
      const [x, y, width, height] = [0, 0, 300, 200]
      await ada.importScene(boardId, [
        {
          id: 'linked',
          type: 'rectangle',
          x,
          y,
          width,
          height,
          link,
          backgroundColor: '#ffc9c9',
          fillStyle: 'solid',
        },
      ])
      const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
      const address = page.url()
      await eventually(async () => (await elementsOn(page)).length === 1)
      // A small board opens in the middle of the window.
      const { width: wide = 0, height: high = 0 } = page.viewportSize() ?? {}
      await page.mouse.click(wide / 2, high / 2)
      const shown = page.locator('.excalidraw-hyperlinkContainer a').first()
      const [tab] = await Promise.all([page.context().waitForEvent('page'), shown.click()])
      await tab.waitForLoadState('domcontentloaded')
      assert.is(await tab.evaluate('window.opener'), null)
      assert.is(new URL(tab.url()).origin, server.origin)
      assert.is(page.url(), address)
      await tab.close()
    }
  },
)

windows.run()
