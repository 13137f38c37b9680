// Access as experienced by people at the canvas: links, levels, revocation, and what happens to edits that cannot be
// saved.
import * as assert from 'uvu/assert'
import { draw, elementsOn, focusCanvas, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { gone } from '../helpers/canvas-server.ts'
import { eventually } from '../helpers/eventually.ts'

const access = canvasFile('access at the canvas')

access.test(
  'the set-up link makes the first account, whose owner draws a saved board',
  async ({ server, open }) => {
    const link = await server.boardroom().setupLink()
    assert.ok(link)
    const page = await open(`/setup${new URL(link).hash}`)
    await page.getByLabel('Name').fill('Hedy Lamarr')
    await page.getByLabel('E-mail').fill('hedy@example.org')
    await page.getByLabel('Password', { exact: false }).first().fill('correct horse battery')
    await page.getByLabel('Password again').fill('correct horse battery')
    await page.getByRole('button', { name: 'Create account' }).click()
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
  },
)

access.test(
  'a guest with a view link is asked for a name, sees and cannot change, and leaves when it is revoked',
  async ({ ada, open }) => {
    const boardId = await ada.board()
    const owner = await open(`/b/${boardId}`, { cookie: ada.cookie })
    await saysSync(owner, 'Saved')
    await focusCanvas(owner)
    await draw(owner, 'r', [300, 200], [420, 280])
    await saysSync(owner, 'Saved')

    await owner.getByRole('button', { name: 'Share' }).click()
    await owner.getByRole('tab', { name: 'Links' }).click()
    await owner.getByLabel('Label').fill('Design review')
    await owner.getByRole('button', { name: 'Create link' }).click()
    const url = await owner.getByLabel('New link').inputValue()

    const guest = await open(url)
    await guest.getByLabel('Your name').fill('Katherine')
    await guest.getByRole('button', { name: 'Open the board' }).click()
    await saysSync(guest, 'Read-only')
    assert.is(new URL(guest.url()).hash, '')
    await eventually(async () => (await elementsOn(guest)).length === 1)
    await focusCanvas(guest)
    await draw(guest, 'r', [500, 400], [600, 500])
    assert.is((await elementsOn(guest)).length, 1)
    assert.is(await guest.locator('.App-toolbar').count(), 0)

    await owner.getByRole('tab', { name: 'Here now' }).click()
    await owner.getByText('Katherine').waitFor()
    await owner.getByText('guest', { exact: true }).first().waitFor()
    await owner.getByRole('tab', { name: 'Links' }).click()
    await owner.getByRole('button', { name: 'Revoke Design review' }).click()
    await guest.getByRole('alert').getByRole('heading').waitFor()
    assert.is(await guest.locator('.excalidraw').count(), 0)
    const actions = await eventually(async () => {
      const { items } = await ada.ask<{ items: { action: string }[] }>('GET', `/boards/${boardId}/audit`)
      const all = items.map(({ action }) => action)
      return all.includes('link_revoke') && all.includes('leave') ? all : null
    })
    assert.ok(actions.includes('link_use'))
  },
)

access.test(
  'a link with a password asks for it, and tells a wrong one from a right one',
  async ({ ada, open }) => {
    const boardId = await ada.board()
    const { url } = await ada.link(boardId, 'edit', { password: 'open sesame' })
    const page = await open(url, { expected: /40[13]/ })
    await page.getByLabel('Your name').fill('Katherine')
    await page.getByRole('button', { name: 'Open the board' }).click()
    await page.getByLabel('Password of the link').fill('wrong one')
    await page.getByRole('button', { name: 'Open the board' }).click()
    await page.locator('.problem').waitFor()
    await page.getByLabel('Password of the link').fill('open sesame')
    await page.getByRole('button', { name: 'Open the board' }).click()
    await saysSync(page, 'Saved')
  },
)

access.test(
  'an editor becomes a viewer on the open page, and an editor again',
  async ({ ada, grace, open }) => {
    const boardId = await ada.board()
    const grant = (level: string) =>
      ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level })
    await grant('edit')
    const page = await open(`/b/${boardId}`, { cookie: grace.cookie })
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
  },
)

access.test(
  'edits made while away by somebody who may no longer write are offered as a copy',
  async ({ server, ada, grace, open }) => {
    const boardId = await ada.board()
    await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
    const page = await open(`/b/${boardId}`, {
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
  },
)

access.test('somebody without access and somebody signed out are told so', async ({ ada, grace, open }) => {
  const boardId = await ada.board()
  const url = `/b/${boardId}`
  const stranger = await open(url, { cookie: grace.cookie, expected: /40[134]/ })
  await stranger.getByRole('heading', { name: 'You have no access to this board' }).waitFor()
  const nobody = await open(url, { expected: /40[134]|410/ }) // 410: pending requests of the page may find the board deleted
  await nobody.getByRole('heading', { name: 'Sign in to open this board' }).waitFor()
  await nobody.getByRole('link', { name: 'Sign in' }).click()
  await nobody.getByLabel('E-mail').fill(ada.email)
  await nobody.getByLabel('Password').fill(ada.password)
  await nobody.getByRole('button', { name: 'Sign in' }).click()
  await saysSync(nobody, 'Saved')
  await ada.ask('DELETE', `/boards/${boardId}`)
  await nobody.getByRole('heading', { name: 'This board was deleted' }).waitFor()
})

access.run()
