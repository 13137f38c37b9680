// People in the browser: an administrator invites somebody, who joins, sets up a second factor, and is removed again.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { canvasFile } from '../helpers/canvas-file.ts'
import { eventually } from '../helpers/eventually.ts'
import { oneTimeCode } from '../helpers/one-time-code.ts'

const people = canvasFile('people in the browser')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const password = 'correct horse battery staple'

/** The problems that axe finds on the page. */
const faults = async (page: Page): Promise<unknown> => {
  await page.evaluate(axe)
  return page.evaluate(
    `axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
  )
}

const shot = async (page: Page, name: string): Promise<void> => {
  const folder = process.env.TEST_SCREENSHOTS
  if (folder !== undefined) await page.screenshot({ path: `${folder}/people-${name}.png`, fullPage: true })
}

people.test(
  'are invited by a link, come in by it, set up a second factor, and sign in with its code',
  async ({ server, ada, open }) => {
    await server.db.updateTable('users').set({ role: 'sysadmin' }).where('id', '=', ada.id).execute()
    const admin = await open('/admin/invitations', { cookie: ada.cookie })
    await admin.getByText('Nobody is invited').waitFor()
    await admin.getByRole('button', { name: 'Invite' }).click()
    await admin.getByLabel(/E-mail/).fill('bob@example.org')
    await admin.getByRole('button', { name: 'Create link' }).click()
    const link = await admin.getByLabel('Link', { exact: true }).inputValue()
    assert.match(link, /\/invite#[\w-]{43}$/)
    assert.equal(await faults(admin), [])
    await shot(admin, 'invitation')
    await admin.getByRole('button', { name: 'Close' }).click()
    await admin.getByRole('cell', { name: 'bob@example.org' }).waitFor()

    const page = await open(link, { expected: /40[139]/ })
    await page.getByText('Ada invites you').waitFor()
    assert.is(await page.getByLabel('E-mail').inputValue(), 'bob@example.org')
    assert.equal(await faults(page), [])
    await shot(page, 'invite')
    await page.getByLabel('Name').fill('Bob')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.getByRole('heading', { name: 'Start with a board' }).waitFor()

    await page.goto(`${server.origin}/account`)
    const factor = page.getByRole('region', { name: 'Second factor' })
    await factor.getByLabel('Your password again').fill(password)
    await factor.getByRole('button', { name: 'Set up' }).click()
    const secret = (await factor.locator('.secret').textContent()) ?? ''
    assert.is(await factor.locator('.codes li').count(), 10)
    assert.equal(await faults(page), [])
    await shot(page, 'second-factor')
    await factor.getByLabel('The code that the app shows now').fill(oneTimeCode(secret))
    await factor.getByRole('button', { name: 'Switch on' }).click()
    await factor.getByText('On: signing in asks').waitFor()
    await shot(page, 'account')

    await page.getByRole('button', { name: /account$/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.getByLabel('E-mail').fill('bob@example.org')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'One more step' }).waitFor()
    assert.equal(await faults(page), [])
    await page.getByLabel('Code').fill(oneTimeCode(secret, 1))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Start with a board' }).waitFor()
  },
)

people.test(
  'are deactivated with word of what stops, and everything is shown to administrators',
  async ({ server, ada, grace, open }) => {
    await server.db.updateTable('users').set({ role: 'sysadmin' }).where('id', '=', ada.id).execute()
    const board = await grace.board('Roadmap')
    await grace.link(board, 'view', { label: 'team' })
    const drawing = await open(`/b/${board}`, { cookie: grace.cookie, expected: /40[13]|WebSocket/ })
    await drawing.locator('.excalidraw').first().waitFor()

    const admin = await open('/admin/connections', { cookie: ada.cookie })
    await admin.getByRole('cell', { name: 'Grace' }).waitFor()
    await shot(admin, 'connections')
    for (const [tab, says] of [
      ['Links', 'team'],
      ['Boards', 'Roadmap'],
      ['Server', 'Connections'],
    ] as const) {
      await admin.getByRole('link', { name: tab, exact: true }).click()
      await admin.getByText(says, { exact: true }).first().waitFor()
      assert.equal(await faults(admin), [], tab)
      await shot(admin, tab.toLowerCase())
    }
    await admin.getByRole('link', { name: 'People', exact: true }).click()
    // The people to hand things over to do not depend on the search.
    await admin.getByLabel('Search people').fill('Grace')
    await eventually(async () => (await admin.getByRole('button', { name: /^Actions for/ }).count()) === 1)
    await admin.getByRole('button', { name: 'Actions for Grace' }).click()
    await shot(admin, 'people')
    await admin.getByRole('menuitem', { name: 'Deactivate' }).click()
    await admin.getByText('1 share link, which would stop').waitFor()
    await admin.getByLabel('Hand boards and links to').selectOption({ label: 'Ada' })
    assert.equal(await faults(admin), [])
    await shot(admin, 'deactivate')
    await admin.getByRole('button', { name: 'Deactivate' }).click()
    await admin.getByText('deactivated').waitFor()
    const { owner_id } = await ada.ask<{ owner_id: number }>('GET', `/boards/${board}`)
    assert.is(owner_id, ada.id)
    await eventually(
      async () => (await ada.ask<{ items: unknown[] }>('GET', '/connections')).items.length === 0,
    )
    await admin.setViewportSize({ width: 390, height: 780 })
    await shot(admin, 'phone')
  },
)

people.run()
