// Every page and dialog for people who use it with a screen reader or by keys, as far as axe can tell: on a desktop and a
// phone, light and dark. Pages follow each other in one window, because loading them costs more than looking at them.
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { setupLink } from '../../server/accounts/setup.ts'
import { saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { faultsOf } from '../helpers/looks.ts'

const { test, run } = canvasFile('pages for everybody')

const desktop = { width: 1200, height: 800 }
const phone = { width: 390, height: 844 }
/** Each size and each theme once; `tests/screens.ts` looks at all four pairs. */
const looks = [
  { viewport: desktop, theme: 'light' },
  { viewport: phone, theme: 'dark' },
] as const

const isFit = async (page: Page, where: string): Promise<void> => {
  await page.emulateMedia({ reducedMotion: 'reduce' }) // a colour on its way to another is none of ours
  for (const { viewport, theme } of looks) {
    await page.setViewportSize(viewport)
    await page.evaluate(`document.documentElement.dataset.theme = '${theme}'`)
    assert.equal(await faultsOf(page), [], `${where}, ${viewport.width} pixels, ${theme}`)
  }
  await page.setViewportSize(desktop)
}

/** To another page of the same client, without loading it anew. */
const go = (page: Page, address: string) =>
  page.evaluate(`history.pushState(null, '', '${address}'); dispatchEvent(new PopStateEvent('popstate'))`)

const press = (page: Page, name: string, role: 'button' | 'tab' = 'button') =>
  page.getByRole(role, { name, exact: true }).first().click()

test('pages for people without access', async ({ server, ada, grace, open }) => {
  const boardId = await ada.board('Secret lenses')
  const { url } = await ada.link(boardId, 'view', { password: 'open sesame' })
  const expected = /40[134]/
  const page = await open('/sign-in', { expected })
  await page.getByLabel('Password').waitFor()
  await isFit(page, 'sign-in')
  await go(page, '/reset')
  await page.getByRole('heading', { level: 1 }).waitFor()
  await isFit(page, 'reset')
  await page.goto((await setupLink(server.db, server.origin)) ?? '')
  await page.getByLabel('Password again').waitFor()
  await isFit(page, 'set-up')
  await page.goto(url)
  await page.getByLabel('Your name').waitFor()
  await isFit(page, 'a guest’s name')
  await page.goto('about:blank')
  await page.goto(`${server.origin}/b/${boardId}#k=${'y'.repeat(43)}`)
  await page.getByRole('alert').waitFor()
  await isFit(page, 'a link that is over')
  const member = await open(`/b/${boardId}`, { cookie: grace.cookie, expected })
  await member.getByRole('button', { name: /Request/ }).waitFor()
  await isFit(member, 'no access')
})

test('pages of an account, and those of an administrator', async ({ server, ada, open }) => {
  await server.db.updateTable('users').set({ role: 'sysadmin' }).where('id', '=', ada.id).execute()
  const folder = await ada.ask<{ id: string }>('POST', '/folders', { name: 'Lighthouse' })
  const boardId = await ada.board('Lenses')
  await ada.ask('DELETE', `/boards/${await ada.board('Old lenses')}`)
  const page = await open('/', { cookie: ada.cookie })
  await page.getByRole('link', { name: 'Lighthouse' }).waitFor()
  await isFit(page, 'boards')
  await page.keyboard.press('Control+k')
  await page.getByPlaceholder('Find a board').waitFor()
  await isFit(page, 'palette')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Lenses: actions', exact: true }).click()
  await isFit(page, 'menu of a board')
  await page.keyboard.press('Escape')
  const pages: [address: string, shows: string | RegExp][] = [
    [`/folders/${folder.id}`, 'Lighthouse'],
    ['/trash', 'Trash'],
    ['/account', 'Account'],
    ['/agents', 'Agents'],
    ['/templates', 'Templates'],
    ['/records', 'Records'],
    ['/audit', /trail/i],
    [`/boards/${boardId}/audit`, /trail/i],
    ['/consent', /./],
    ['/nowhere', /./],
    ...['people', 'invitations', 'connections', 'boards', 'links', 'keys', 'webhooks', 'server'].map(
      (tab): [string, string] => [`/admin/${tab}`, 'Administration'],
    ),
  ]
  for (const [address, name] of pages) {
    await go(page, address)
    await page.getByRole('heading', { name, level: 1 }).waitFor()
    await page.waitForLoadState('networkidle')
    await isFit(page, address)
    await page.setViewportSize(phone)
    assert.is(
      await page.evaluate('document.documentElement.scrollWidth'),
      phone.width,
      `${address} is no wider than a phone`,
    )
    await page.setViewportSize(desktop)
  }
})

test('a board and its dialogs', async ({ ada, grace, open }) => {
  const boardId = await ada.board('Lenses')
  await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'view' })
  await ada.link(boardId, 'view', { label: 'Visitors' })
  await ada.ask('POST', `/boards/${boardId}/threads`, { anchor: { x: 0, y: 0 }, body: 'Which glass?' })
  await ada.ask('POST', `/boards/${boardId}/versions`, { name: 'Before grinding' })
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
  await saysSync(page, 'Saved')
  await isFit(page, 'board')
  await press(page, 'Share')
  for (const tab of ['People', 'Links', 'Here now']) {
    await press(page, tab, 'tab')
    await page.waitForLoadState('networkidle')
    await isFit(page, `sharing: ${tab}`)
  }
  await page.keyboard.press('Escape')
  await page.getByTestId('main-menu-trigger').click()
  await page.getByRole('button', { name: 'Versions' }).click()
  await page.locator('.version').first().click()
  await isFit(page, 'versions')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: /^Comments/ }).click()
  await page.getByText('Which glass?').first().waitFor()
  await isFit(page, 'comments')
  await page.keyboard.press('Escape')
  await page.getByTestId('main-menu-trigger').click()
  await page.getByText('Team library', { exact: true }).click()
  await isFit(page, 'library')
})

run()
