// What a board's page says is so: of the network, of links, of rights, and of who is here.
import * as assert from 'uvu/assert'
import { draw, elementsOn, focusCanvas, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { gone } from '../helpers/canvas-server.ts'
import { eventually } from '../helpers/eventually.ts'

const { test, run } = canvasFile('a page that says what is so')

test('a server that does not answer is offline at once, and what is drawn meanwhile arrives', async ({
  server,
  ada,
  open,
}) => {
  const boardId = await ada.board()
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie, expected: gone })
  await saysSync(page, 'Saved')
  await focusCanvas(page)
  server.deafen(true)
  await page.getByTestId('sync').filter({ hasText: 'Offline' }).waitFor({ timeout: 5000 })
  await draw(page, 'r', [300, 200], [420, 280])
  await saysSync(page, 'Offline, 1 change kept')
  server.deafen(false)
  await saysSync(page, 'Saved')
  assert.is((await ada.scene(boardId)).elements.length, 1)

  await page.context().setOffline(true)
  await page.getByTestId('sync').filter({ hasText: 'Offline' }).waitFor({ timeout: 5000 })
  await draw(page, 'o', [300, 400], [420, 480])
  await saysSync(page, 'Offline, 1 change kept')
  await page.context().setOffline(false)
  await saysSync(page, 'Saved')
  assert.is((await ada.scene(boardId)).elements.length, 2)
})

test('whoever goes to another page is gone for the others, and is there again on the way back', async ({
  ada,
  open,
}) => {
  const boardId = await ada.board()
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
  await saysSync(page, 'Saved')
  const here = async () =>
    (await ada.ask<{ items: unknown[] }>('GET', `/boards/${boardId}/connections`)).items.length
  await eventually(async () => (await here()) === 1)
  await page.goto(new URL('/api/docs', page.url()).href)
  await eventually(async () => (await here()) === 0, { withinMs: 3000 })
  await page.goBack()
  await saysSync(page, 'Saved')
  await eventually(async () => (await here()) === 1)
  await focusCanvas(page)
  await draw(page, 'r', [300, 200], [420, 280])
  await eventually(async () => (await ada.scene(boardId)).elements.length === 1)
})

test('a tab goes on when another one forgets what the device keeps', async ({ server, ada, open }) => {
  const boardId = await ada.board()
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie, expected: gone })
  await saysSync(page, 'Saved')
  const other = await page.context().newPage()
  await other.goto(new URL('/', page.url()).href)
  // The answer never comes: this tab has forgotten everything, and is still signed in.
  await other.route('**/api/auth/sign-out', (route) => route.abort())
  await other.getByRole('button', { name: /account/ }).click()
  await other.getByRole('menuitem', { name: 'Sign out' }).click()
  await other.getByText('cannot be reached').waitFor()
  await focusCanvas(page)
  await draw(page, 'r', [300, 200], [420, 280])
  await eventually(async () => (await ada.scene(boardId)).elements.length === 1)
  await saysSync(page, 'Saved')
  await server.stop()
  await saysSync(page, 'Offline')
  await draw(page, 'o', [300, 400], [420, 480])
  await saysSync(page, 'Offline, 1 change kept')
  await page.goto('about:blank')
  await server.start()
  await page.goto(`${server.origin}/b/${boardId}`)
  await eventually(async () => (await elementsOn(page)).length === 2)
  await eventually(async () => (await ada.scene(boardId)).elements.length === 2)
})

run()
