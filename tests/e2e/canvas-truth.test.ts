// What a board's page says is true: about the network, links, permissions, and who is here.
import * as assert from 'uvu/assert'
import { draw, elementsOn, focusCanvas, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { gone } from '../helpers/canvas-server.ts'
import { eventually } from '../helpers/eventually.ts'

const { test, run } = canvasFile('a page that tells the truth')

test('if the server does not answer, the page says so at once, and what is drawn meanwhile arrives later', async ({
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

test('a person who opens another page disappears for the others, and reappears on returning', async ({
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

test('a tab continues when another one deletes what the device stores', async ({ server, ada, open }) => {
  const boardId = await ada.board()
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie, expected: gone })
  await saysSync(page, 'Saved')
  const other = await page.context().newPage()
  await other.goto(new URL('/', page.url()).href)
  // The answer never arrives: this tab has deleted everything, and is still signed in.
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

test('an invalid link says so before it asks for a name, and one with a name asks for nothing', async ({
  ada,
  open,
}) => {
  const boardId = await ada.board()
  const link = await ada.link(boardId, 'edit', { max_uses: 1 })
  const guest = await open(link.url.replace('#', '?as=Curious+Heron#'))
  await saysSync(guest, 'Saved')
  assert.is(new URL(guest.url()).search + new URL(guest.url()).hash, '')
  await guest.getByText('Curious Heron (guest)').waitFor()
  // An invented name can be changed on the spot, and the others see it.
  const isHere = async (name: string) =>
    JSON.stringify(await ada.ask('GET', `/boards/${boardId}/connections`)).includes(name)
  await eventually(() => isHere('Curious Heron'))
  await guest.getByRole('button', { name: 'Curious Heron: account' }).click()
  await guest.getByRole('menuitem', { name: 'Change name' }).click()
  await guest.getByLabel('Your name').fill('Katherine')
  await guest.getByRole('button', { name: 'Save', exact: true }).click()
  await guest.getByRole('button', { name: 'Katherine: account' }).waitFor()
  await eventually(async () => (await isHere('Katherine')) && !(await isHere('Curious Heron')))
  const late = await open(link.url, { expected: /40[14]/ })
  await late.getByText('This link does not open the board').waitFor()
  assert.is(await late.getByLabel('Your name').count(), 0)
  const setup = await open('/setup#used-long-ago', { expected: /404/ })
  await setup.getByText('This link no longer works').waitFor()
  assert.is(await setup.getByLabel('Password').count(), 0)
})

test('a disconnected person is told whether the access is gone too, and is let in again after asking', async ({
  ada,
  grace,
  open,
}) => {
  const boardId = await ada.board()
  await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
  // A person who loses access may be gone before they are disconnected.
  const owner = await open(`/b/${boardId}`, { cookie: ada.cookie, expected: /404/ })
  const member = await open(`/b/${boardId}`, { cookie: grace.cookie, expected: /40[134]/ })
  await saysSync(member, 'Saved')
  await member.getByRole('button', { name: 'Copy link' }).waitFor()
  const sendAway = async (button: string) => {
    await owner.getByRole('button', { name: 'Share', exact: true }).click()
    await owner.getByRole('tab', { name: 'Here now' }).click()
    await owner.getByRole('button', { name: 'Send away Grace' }).click()
    await owner.getByRole('button', { name: button }).click()
    await owner.getByRole('button', { name: 'Send away Grace' }).waitFor({ state: 'detached' })
    await owner.keyboard.press('Escape')
  }
  await sendAway('Only disconnect')
  await member.getByText('You were disconnected').waitFor()
  await member.getByRole('button', { name: 'Open it again' }).click()
  await saysSync(member, 'Saved')
  await sendAway('Take the access away')
  await member.getByText('You no longer have access').waitFor()

  await member.getByRole('button', { name: 'Request access' }).click()
  await member.getByLabel('Message').fill('I was drawing the harbour')
  await member.getByRole('button', { name: 'Send request' }).click()
  await owner.getByText('Grace asks to view this board').waitFor()
  await owner.getByRole('button', { name: 'Answer' }).click()
  await owner.getByText('I was drawing the harbour').waitFor()
  await owner.getByRole('button', { name: 'Allow' }).click()
  await owner.getByText('Nobody is waiting').waitFor()
  // By polling: there is no socket that could tell.
  await saysSync(member, 'Read-only')
  await member.getByRole('button', { name: 'Ask to edit' }).waitFor()
})

test('a share link is edited in its list, and guests who have left are collapsed', async ({
  ada,
  open,
  server,
}) => {
  const boardId = await ada.board()
  const link = await ada.link(boardId, 'view', { label: 'Class' })
  const token = new URL(link.url).hash.slice('#k='.length)
  for (const name of ['Gus', 'Gil']) {
    const headers = { 'content-type': 'application/json', origin: server.origin }
    const body = JSON.stringify({ token, name })
    assert.ok(
      (await fetch(`${server.origin}/api/share-links/exchange`, { method: 'POST', headers, body })).ok,
    )
  }
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
  await page.getByRole('button', { name: 'Share', exact: true }).click()
  await page.getByText('2 guests who are not here').click()
  await page.getByRole('button', { name: 'Remove Gus' }).click()
  await page.getByText('1 guest who is not here').waitFor()
  await page.getByRole('tab', { name: 'People' }).press('ArrowRight')
  await page.getByRole('button', { name: 'Edit Class' }).click()
  const form = page.getByRole('form', { name: 'Edit link' })
  await form.getByLabel('Level').selectOption('comment')
  await form.getByLabel('Expires').selectOption('week')
  await form.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Link changed').waitFor()
  const { items } = await ada.ask<{
    items: { permission_level: string; expires_at: string; label: string }[]
  }>('GET', `/boards/${boardId}/share-links`)
  assert.equal([items[0]?.permission_level, items[0]?.label], ['comment', 'Class'])
  assert.ok(Date.parse(items[0]?.expires_at ?? '') > Date.now() + 6 * 86_400_000)
})

test('boards have folders and stars, and are found from everywhere with Ctrl-K', async ({ ada, open }) => {
  await ada.board('Harbour plan')
  const page = await open('/', { cookie: ada.cookie })
  const choose = async (menu: string, item: string) => {
    await page.getByRole('button', { name: menu }).click()
    await page.getByRole('menuitem', { name: item, exact: true }).click()
  }
  const makeFolder = async (name: string) => {
    await page.getByRole('button', { name: 'New folder' }).click()
    await page.getByLabel('Name', { exact: true }).fill(name)
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('link', { name, exact: true }).waitFor()
  }
  await makeFolder('Harbour')
  await makeFolder('Quay')
  await choose('Quay: actions', 'Move')
  await page.getByRole('radio', { name: 'Harbour' }).check()
  await page.getByRole('button', { name: 'Move here' }).click()
  await page.getByRole('link', { name: 'Quay', exact: true }).waitFor({ state: 'detached' })
  await choose('Harbour plan: actions', 'Move to folder')
  await page.getByRole('radio', { name: 'Quay' }).check()
  await page.getByRole('button', { name: 'Move here' }).click()
  await page.getByRole('link', { name: 'Harbour plan' }).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Harbour', exact: true }).click()
  await page.getByRole('link', { name: 'Quay', exact: true }).click()
  await page.getByRole('button', { name: 'Star Harbour plan' }).click()
  await page.getByRole('button', { name: 'Remove the star of Harbour plan' }).waitFor()
  await choose('Quay: actions', 'Share')
  await page.getByText('People added here').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('link', { name: 'Boards', exact: true }).click()
  await page.getByRole('button', { name: 'Starred' }).click()
  await page.getByRole('link', { name: 'Harbour plan' }).waitFor()
  await page.keyboard.press('Control+k')
  await page.getByPlaceholder('Find a board').fill('harbour pl')
  await page.getByRole('option', { name: /Harbour plan/ }).click()
  await saysSync(page, 'Saved')
})

test('one click sets everybody to view only, hands over the pen, or brings everybody to one view', async ({
  ada,
  grace,
  open,
}) => {
  const boardId = await ada.board()
  await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
  const owner = await open(`/b/${boardId}`, { cookie: ada.cookie })
  const member = await open(`/b/${boardId}`, { cookie: grace.cookie })
  await saysSync(member, 'Saved')
  const moderate = async (item: string) => {
    await owner.getByRole('button', { name: 'Moderate' }).click()
    await owner.getByRole('menuitem', { name: item }).click()
  }
  await moderate('View only for everybody')
  await saysSync(member, 'Read-only')
  await member.getByRole('button', { name: 'Raise hand' }).click()
  await owner.getByText('Grace raised their hand').waitFor()
  await owner.getByRole('button', { name: 'Hand the pen' }).click()
  await saysSync(member, 'Saved')
  await moderate('Bring everyone to my view')
  await member.getByText('Ada brought you here').waitFor()
  await owner.getByRole('button', { name: 'End' }).click()
  await owner.getByRole('button', { name: 'End' }).waitFor({ state: 'detached' })
  await ada.ask('PATCH', `/boards/${boardId}`, { background: '#fdf8f6' })
  const background = (page: typeof member) =>
    page.evaluate(`(() => {
      const root = document.querySelector('.excalidraw')
      const key = Object.keys(root).find((name) => name.startsWith('__reactFiber$'))
      let fiber = root[key]
      while (fiber && !fiber.stateNode?.scene) fiber = fiber.return
      return fiber.stateNode.state.viewBackgroundColor
    })()`)
  for (const page of [owner, member]) await eventually(async () => (await background(page)) === '#fdf8f6')
  const { appState } = await ada.scene(boardId)
  assert.equal(appState, { viewBackgroundColor: '#fdf8f6' })
})

test('a board is handed over when the new owner accepts, and at once by an administrator', async ({
  server,
  ada,
  grace,
  open,
}) => {
  const offered = async () => {
    const boardId = await ada.board('Handed over')
    await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
    const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
    await saysSync(page, 'Saved')
    await page.getByRole('button', { name: 'Share', exact: true }).click()
    await page.getByRole('button', { name: 'Make owner' }).click()
    const owner = async () => (await grace.ask<{ owner_id: number }>('GET', `/boards/${boardId}`)).owner_id
    return { dialog: page.getByRole('dialog', { name: 'Hand the board over to Grace?' }), page, owner }
  }
  const asked = await offered()
  await asked.dialog.getByText('Grace is asked first').waitFor()
  await asked.dialog.getByRole('button', { name: 'Offer the board' }).click()
  await asked.page.getByRole('button', { name: 'Take back' }).waitFor()
  assert.is(await asked.owner(), ada.id)
  const member = await open('/', { cookie: grace.cookie })
  await member.getByRole('button', { name: 'Accept' }).click()
  await eventually(async () => (await asked.owner()) === grace.id)

  await server.db.updateTable('users').set({ role: 'admin' }).where('id', '=', ada.id).execute()
  const given = await offered()
  await given.dialog.getByText('Grace becomes the owner at once').waitFor()
  await given.dialog.getByRole('button', { name: 'Make owner' }).click()
  await given.page.getByText('Grace owns the board now').waitFor()
  assert.is(await given.owner(), grace.id)
})

run()
