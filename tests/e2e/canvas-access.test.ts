// Access as a person at the canvas meets it: links, levels, revocation, what is done with edits nobody may save.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { draw, elementsOn, focusCanvas, saysSync } from '../helpers/board-page.ts'
import { withBrowser } from '../helpers/browser.ts'
import { browserTests, gone, withCanvas } from '../helpers/canvas-server.ts'
import { findChromium } from '../helpers/chromium.ts'
import { eventually } from '../helpers/eventually.ts'

const access = suite('access at the canvas')
const tests = browserTests(findChromium(), access)

tests.add('the set-up link makes the first account, whose owner draws a saved board', (chromium) =>
  withCanvas((server) =>
    withBrowser(chromium, async (browser) => {
      const link = await server.boardroom().setupLink()
      assert.ok(link)
      const { page } = await browser.open(`${server.origin}/setup${new URL(link).hash}`)
      await page.getByLabel('Name').fill('Ada Lovelace')
      await page.getByLabel('E-mail').fill('ada@example.org')
      await page.getByLabel('Password', { exact: false }).first().fill('correct horse battery')
      await page.getByLabel('Password again').fill('correct horse battery')
      await page.getByRole('button', { name: 'Make account' }).click()
      await page.getByRole('button', { name: 'New board' }).first().click()
      await saysSync(page, 'Saved')
      await focusCanvas(page)
      await draw(page, 'r', [300, 200], [420, 280])
      await eventually(async () => {
        const { rows } = await server.pool.query('select 1 from boardroom.board_updates')
        return rows.length > 0
      })
      await saysSync(page, 'Saved')
      await page.reload()
      await saysSync(page, 'Saved')
      await eventually(async () => (await elementsOn(page)).length === 1)
    }),
  ),
)

tests.add(
  'a guest with a view link is asked for a name, sees and cannot change, and leaves when it is revoked',
  (chromium) =>
    withCanvas((server) =>
      withBrowser(chromium, async (browser) => {
        const ada = await server.user('Ada')
        const boardId = await ada.board()
        const owner = await browser.open(`${server.origin}/b/${boardId}`, { cookie: ada.cookie })
        await saysSync(owner.page, 'Saved')
        await focusCanvas(owner.page)
        await draw(owner.page, 'r', [300, 200], [420, 280])
        await saysSync(owner.page, 'Saved')

        await owner.page.getByRole('button', { name: 'Share' }).click()
        await owner.page.getByRole('tab', { name: 'Links' }).click()
        await owner.page.getByLabel('Label').fill('Design review')
        await owner.page.getByRole('button', { name: 'Make link' }).click()
        const url = await owner.page.getByLabel('New link').inputValue()

        const guest = await browser.open(url)
        await guest.page.getByLabel('Your name').fill('Katherine')
        await guest.page.getByRole('button', { name: 'Open the board' }).click()
        await saysSync(guest.page, 'Read-only')
        assert.is(new URL(guest.page.url()).hash, '')
        await eventually(async () => (await elementsOn(guest.page)).length === 1)
        await focusCanvas(guest.page)
        await draw(guest.page, 'r', [500, 400], [600, 500])
        assert.is((await elementsOn(guest.page)).length, 1)
        assert.is(await guest.page.locator('.App-toolbar').count(), 0)

        await owner.page.getByRole('tab', { name: 'Here now' }).click()
        await owner.page.getByText('Katherine').waitFor()
        await owner.page.getByText('guest', { exact: true }).first().waitFor()
        await owner.page.getByRole('tab', { name: 'Links' }).click()
        await owner.page.getByRole('button', { name: 'Revoke Design review' }).click()
        await guest.page.getByRole('alert').getByRole('heading').waitFor()
        assert.is(await guest.page.locator('.excalidraw').count(), 0)
        const actions = await eventually(async () => {
          const { items } = await ada.ask<{ items: { action: string }[] }>('GET', `/boards/${boardId}/audit`)
          const all = items.map(({ action }) => action)
          return all.includes('link_revoke') && all.includes('leave') ? all : null
        })
        assert.ok(actions.includes('link_use'))
      }),
    ),
)

tests.add('a link with a password asks for it, and tells a wrong one from a right one', (chromium) =>
  withCanvas((server) =>
    withBrowser(chromium, async (browser) => {
      const ada = await server.user('Ada')
      const boardId = await ada.board()
      const { url } = await ada.link(boardId, 'edit', { password: 'open sesame' })
      const { page } = await browser.open(url, { expected: /40[13]/ })
      await page.getByLabel('Your name').fill('Katherine')
      await page.getByRole('button', { name: 'Open the board' }).click()
      await page.getByLabel('Password of the link').fill('wrong one')
      await page.getByRole('button', { name: 'Open the board' }).click()
      await page.locator('.problem').waitFor()
      await page.getByLabel('Password of the link').fill('open sesame')
      await page.getByRole('button', { name: 'Open the board' }).click()
      await saysSync(page, 'Saved')
    }),
  ),
)

tests.add('an editor becomes a viewer on the open page, and an editor again', (chromium) =>
  withCanvas((server) =>
    withBrowser(chromium, async (browser) => {
      const ada = await server.user('Ada')
      const grace = await server.user('Grace')
      const boardId = await ada.board()
      const grant = (level: string) =>
        ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level })
      await grant('edit')
      const { page } = await browser.open(`${server.origin}/b/${boardId}`, { cookie: grace.cookie })
      await saysSync(page, 'Saved')
      await focusCanvas(page)
      await draw(page, 'r', [300, 200], [420, 280])
      await eventually(async () => (await ada.scene(boardId)).elements.length === 1)
      await grant('view')
      await saysSync(page, 'Read-only')
      await draw(page, 'r', [500, 200], [620, 280])
      assert.is((await elementsOn(page)).length, 1)
      await grant('edit')
      await saysSync(page, 'Saved')
      await focusCanvas(page)
      await draw(page, 'r', [500, 200], [620, 280])
      await eventually(async () => (await ada.scene(boardId)).elements.length === 2)
    }),
  ),
)

tests.add('edits made while away by somebody who may no longer write are offered as a copy', (chromium) =>
  withCanvas((server) =>
    withBrowser(chromium, async (browser) => {
      const ada = await server.user('Ada')
      const grace = await server.user('Grace')
      const boardId = await ada.board()
      await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
      const { page } = await browser.open(`${server.origin}/b/${boardId}`, {
        cookie: grace.cookie,
        expected: gone,
      })
      await saysSync(page, 'Saved')
      await focusCanvas(page)
      await server.stop()
      await saysSync(page, 'Offline')
      await draw(page, 'r', [300, 200], [420, 280])
      await saysSync(page, '1 change kept')
      await server.db
        .updateTable('board_permissions')
        .set({ level: 'view' })
        .where('user_id', '=', grace.id)
        .execute()
      await server.start()
      await saysSync(page, 'Read-only')
      const banner = page.getByRole('alert')
      await banner.getByText('One change of yours was not saved').waitFor()
      const download = page.waitForEvent('download')
      await banner.getByRole('button', { name: 'Download a copy' }).click()
      assert.ok((await download).suggestedFilename().endsWith('.excalidraw'))
      await eventually(async () => (await elementsOn(page)).length === 0)
    }),
  ),
)

tests.add('somebody without access and somebody signed out are told so', (chromium) =>
  withCanvas((server) =>
    withBrowser(chromium, async (browser) => {
      const ada = await server.user('Ada')
      const grace = await server.user('Grace')
      const boardId = await ada.board()
      const url = `${server.origin}/b/${boardId}`
      const stranger = await browser.open(url, { cookie: grace.cookie, expected: /40[134]/ })
      await stranger.page.getByRole('heading', { name: 'You have no access to this board' }).waitFor()
      const nobody = await browser.open(url, { expected: /40[134]/ })
      await nobody.page.getByRole('heading', { name: 'Sign in to open this board' }).waitFor()
      await nobody.page.getByRole('link', { name: 'Sign in' }).click()
      await nobody.page.getByLabel('E-mail').fill(ada.email)
      await nobody.page.getByLabel('Password').fill(ada.password)
      await nobody.page.getByRole('button', { name: 'Sign in' }).click()
      await saysSync(nobody.page, 'Saved')
      await ada.ask('DELETE', `/boards/${boardId}`)
      await nobody.page.getByRole('heading', { name: 'This board was deleted' }).waitFor()
    }),
  ),
)

access.run()
tests.end()
