// The network is lost, the server restarts: nothing that was drawn is lost.
import type { Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { draw, elementsOn, focusCanvas, saysSync, sharedPart } from '../helpers/board-page.ts'
import { withBrowser } from '../helpers/browser.ts'
import { browserTests, gone, withCanvas } from '../helpers/canvas-server.ts'
import { findChromium } from '../helpers/chromium.ts'
import { eventually } from '../helpers/eventually.ts'
import { rebuild } from '../helpers/session.ts'

const away = suite('a board during outages')
const tests = browserTests(findChromium(), away)

/** Browser messages about a lost network. */
const noNetwork = /WebSocket|ERR_INTERNET_DISCONNECTED/

/**
 * Records everything that the page says about saving, from now on. Text, because Node compiles it and knows no DOM.
 */
const noteSync = `(() => {
  const sync = document.querySelector('[data-testid=sync]')
  globalThis.notedSync = []
  new MutationObserver(() => notedSync.push(sync.textContent)).observe(sync, { subtree: true, childList: true, characterData: true })
})()`

tests.add('keeps what is drawn while the server restarts, and brings it back', (chromium) =>
  withCanvas((server) =>
    withBrowser(chromium, async (browser) => {
      const ada = await server.user('Ada')
      const grace = await server.user('Grace')
      const boardId = await ada.board()
      await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
      const url = `${server.origin}/b/${boardId}`
      const first = await browser.open(url, { cookie: ada.cookie, expected: gone })
      const second = await browser.open(url, { cookie: grace.cookie, expected: gone })
      for (const { page } of [first, second]) {
        await saysSync(page, 'Saved')
        await focusCanvas(page)
      }
      await draw(first.page, 'r', [300, 200], [420, 280])
      await eventually(async () => (await ada.scene(boardId)).elements.length === 1)
      await saysSync(first.page, 'Saved')
      await server.stop()
      await saysSync(first.page, 'Offline')
      await draw(first.page, 'o', [300, 400], [420, 480])
      await saysSync(first.page, 'Offline, 1 change kept')
      await draw(second.page, 'd', [600, 400], [720, 480])
      await server.start()
      for (const { page } of [first, second]) await saysSync(page, 'Saved')
      await eventually(async () => {
        const [a, b, scene] = await Promise.all([
          elementsOn(first.page),
          elementsOn(second.page),
          ada.scene(boardId),
        ])
        assert.is(scene.elements.length, 3)
        assert.equal(sharedPart(a), sharedPart(scene.elements))
        assert.equal(sharedPart(b), sharedPart(scene.elements))
        return true
      })
    }),
  ),
)

tests.add('brings back what was drawn while away also after a reload', (chromium) =>
  withCanvas((server) =>
    withBrowser(chromium, async (browser) => {
      const ada = await server.user('Ada')
      const boardId = await ada.board()
      const { page } = await browser.open(`${server.origin}/b/${boardId}`, {
        cookie: ada.cookie,
        expected: gone,
      })
      await saysSync(page, 'Saved')
      await focusCanvas(page)
      await server.stop()
      await saysSync(page, 'Offline')
      await draw(page, 'r', [300, 200], [420, 280])
      await saysSync(page, 'Offline, 1 change kept')
      await page.goto('about:blank')
      await server.start()
      assert.is((await ada.scene(boardId)).elements.length, 0)
      await page.goto(`${server.origin}/b/${boardId}`)
      await eventually(async () => (await ada.scene(boardId)).elements.length === 1, { withinMs: 60_000 })
      await eventually(async () => (await elementsOn(page)).length === 1)
    }),
  ),
)

for (const way of ['on the open page', 'after a reload'] as const)
  tests.add(`keeps the words typed while away into a text that somebody else deleted, ${way}`, (chromium) =>
    withCanvas((server) =>
      withBrowser(chromium, async (browser) => {
        const [ada, grace] = [await server.user('Ada'), await server.user('Grace')]
        const boardId = await ada.board()
        await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
        const url = `${server.origin}/b/${boardId}`
        const { page } = await browser.open(`${server.origin}/healthz`, {
          cookie: ada.cookie,
          expected: noNetwork,
        })
        // What the browser calls offline sometimes does not affect WebSockets.
        let isAway = false
        await page.routeWebSocket(/./, (socket) => {
          if (isAway) void socket.close()
          else socket.connectToServer()
        })
        const setAway = (away: boolean) => {
          isAway = away
          return page.context().setOffline(away)
        }
        await page.goto(url)
        const other = (await browser.open(url, { cookie: grace.cookie })).page
        const texts = async (of: Page) => (await elementsOn(of)).map(({ text }) => text).join()
        await saysSync(page, 'Saved')
        await saysSync(other, 'Saved')
        await focusCanvas(page)
        await page.keyboard.press('t')
        await page.mouse.click(500, 400)
        await page.keyboard.type('Zebra')
        await page.keyboard.press('Escape')
        await eventually(async () => (await texts(other)) === 'Zebra')
        await saysSync(page, 'Saved')

        await setAway(true)
        await saysSync(page, 'Offline')
        await page.mouse.dblclick(510, 400)
        await page.keyboard.press('End')
        await page.keyboard.type(' crossing')
        await page.keyboard.press('Escape')
        await saysSync(page, 'Offline, 1 change kept')
        // All of them: "kept" may refer to the first half of the words.
        await eventually(async () => (await texts(page)) === 'Zebra crossing')
        if (way === 'after a reload') await page.goto('about:blank')
        assert.equal(
          (await ada.scene(boardId)).elements.map(({ text }) => text),
          ['Zebra'],
        )
        await focusCanvas(other)
        await other.keyboard.press('Control+a')
        await other.keyboard.press('Delete')
        await eventually(async () => (await ada.scene(boardId)).elements.length === 0)
        await setAway(false)
        if (way === 'after a reload') await page.goto(url)
        await eventually(async () => (await texts(other)) === 'Zebra crossing', { withinMs: 60_000 })
        await eventually(async () => (await texts(page)) === 'Zebra crossing')
      }),
    ),
  )

tests.add(
  'has in the document what was shown as saved, also when the page goes in the middle of typing',
  (chromium) =>
    withCanvas((server) =>
      withBrowser(chromium, async (browser) => {
        const ada = await server.user('Ada')
        const boardId = await ada.board()
        const { page } = await browser.open(`${server.origin}/b/${boardId}`, { cookie: ada.cookie })
        await saysSync(page, 'Saved')
        await focusCanvas(page)
        await page.keyboard.press('t')
        await page.mouse.click(500, 400)
        await page.evaluate(noteSync)
        await page.keyboard.type('half a sent')
        const typed = async () => (await elementsOn(page)).find(({ type }) => type === 'text')?.text
        await eventually(async () => (await typed()) === 'half a sent')
        // The current message may still be about the letters before.
        const said = await eventually(async () => {
          const notes = (await page.evaluate('globalThis.notedSync')) as string[]
          return notes.includes('Saving') && notes.at(-1) === 'Saved' && notes
        })
        await page.goto('about:blank')
        const kept = (await ada.scene(boardId)).elements.find(({ type }) => type === 'text')?.text
        assert.is(kept, 'half a sent', said.join())
      }),
    ),
)

tests.add('offers what was drawn while away on a board that was rebuilt since', (chromium) =>
  withCanvas((server) =>
    withBrowser(chromium, async (browser) => {
      const ada = await server.user('Ada')
      const boardId = await ada.board()
      const { page } = await browser.open(`${server.origin}/b/${boardId}`, {
        cookie: ada.cookie,
        expected: gone,
      })
      await saysSync(page, 'Saved')
      await focusCanvas(page)
      await draw(page, 'r', [300, 200], [420, 280])
      await eventually(async () => (await ada.scene(boardId)).elements.length === 1)
      await saysSync(page, 'Saved')
      await server.stop()
      await saysSync(page, 'Offline')
      await draw(page, 'o', [500, 200], [620, 280])
      await saysSync(page, 'Offline, 1 change kept')
      await page.goto('about:blank')
      await rebuild(server, boardId)
      await server.start()
      await page.goto(`${server.origin}/b/${boardId}`)
      await page.getByText('One change of yours was not saved').waitFor()
      assert.equal(
        (await elementsOn(page)).map(({ type }) => type),
        ['rectangle'],
      )
      await page.getByRole('button', { name: 'Keep as a new board' }).click()
      await page.waitForURL((url) => /\/b\//.test(url.pathname) && !url.pathname.includes(boardId))
      await eventually(async () => (await elementsOn(page)).length === 2)
      assert.is((await ada.scene(boardId)).elements.length, 1)
    }),
  ),
)

away.run()
tests.end()
