// Pictures of the pages about people, applications, templates, records and the trail, with the data of `boardroom
// seed`.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { saysSync } from './board-page.ts'
import type { CanvasServer } from './canvas-server.ts'
import { run } from './command-line.ts'
import { databaseSettings } from './database.ts'
import { oneTimeCode } from './one-time-code.ts'
import { press, type Studio, settle } from './studio.ts'

interface Story {
  /** Session cookies, by the first part of the address: `mara` is the sysadmin. */
  cookies: Map<string, string>
  /** Ids, by title. */
  boards: Map<string, string>
  password: string
}

const told = new WeakMap<CanvasServer, Promise<Story>>()

const tell = async (server: CanvasServer): Promise<Story> => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'boardroom-screens-'))
  const env = { ...databaseSettings(server), BOARDROOM_SECRET: 'a secret for the pictures of pages, long' }
  const { stdout, stderr, code } = await run(folder, ['seed', '--json'], { env })
  await rm(folder, { recursive: true, force: true })
  if (code !== 0) throw new Error(`the seed failed: ${stderr}`)
  const rows = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): Record<string, string> => JSON.parse(line)) // the output of the seed
  const cookies = new Map<string, string>()
  let password = ''
  for (const row of rows) {
    if (row.email === undefined || row.password === undefined || row.password === 'deactivated') continue
    const answer = await fetch(`${server.origin}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: server.origin },
      body: JSON.stringify({ email: row.email, password: row.password }),
    })
    if (!answer.ok) throw new Error(`${row.email}: ${answer.status}`)
    const name = row.email.split('@')[0] ?? ''
    cookies.set(name, answer.headers.getSetCookie()[0]?.split(';')[0] ?? '')
    if (name === 'sam') password = row.password
  }
  const boards = new Map(rows.flatMap(({ board, id }) => (board && id ? [[board, id] as const] : [])))
  return { cookies, boards, password }
}

const storyOf = (server: CanvasServer): Promise<Story> => {
  const known = told.get(server) ?? tell(server)
  told.set(server, known)
  return known
}

/** The whole page, however long it is. */
const whole = { fullPage: true }

const ready = async (page: Page) => {
  await page.getByRole('heading').first().waitFor()
  await settle(page)
}

export const administering = async ({ server, open, shoot }: Studio): Promise<void> => {
  const { cookies, boards } = await storyOf(server)
  const cookie = cookies.get('mara') ?? ''
  const drawing = await open(`/b/${boards.values().next().value}`, { cookie: cookies.get('tom') ?? '' })
  await saysSync(drawing, 'Saved')
  const page = await open('/admin/people', { cookie })
  await ready(page)
  await shoot('admin-people', page, whole)
  await press(page, 'Actions for Sam Rivera')
  await shoot('admin-people-menu', page)
  await press(page, 'Deactivate', 'menuitem')
  await page.getByRole('dialog').waitFor()
  await settle(page)
  await shoot('admin-deactivate', page)
  await page.keyboard.press('Escape')
  await page.getByLabel('Search people').fill('nobody of this name')
  await page.getByText('Nobody here has').first().waitFor()
  await shoot('admin-people-none', page)
  await page.goto(`${server.origin}/admin/invitations`)
  await ready(page)
  await shoot('admin-invitations', page, whole)
  await press(page, 'Invite')
  await page.getByLabel('E-mail').fill(`new${Date.now()}@harbour.example`)
  await shoot('admin-invite', page)
  await press(page, 'Create link')
  await page.getByLabel('Link', { exact: true }).waitFor()
  await shoot('admin-invite-link', page)
  const link = await page.getByLabel('Link', { exact: true }).inputValue()
  const invited = await open(link)
  await ready(invited)
  await shoot('invite', invited)
  await page.keyboard.press('Escape')
  await shoot('admin-invitations-one', page, whole)
  for (const tab of ['connections', 'boards', 'links', 'keys', 'webhooks', 'server']) {
    await page.goto(`${server.origin}/admin/${tab}`)
    await ready(page)
    await shoot(`admin-${tab}`, page, whole)
  }
  await page.goto(`${server.origin}/admin/keys`)
  await press(page, 'Create a key')
  await shoot('admin-key-make', page)
  await page.getByRole('textbox', { name: 'Name' }).fill('Plans of the shop')
  await page.getByRole('textbox', { name: 'Issuer' }).fill('https://shop.example')
  await page.getByLabel('Boards and their content').selectOption('all')
  await page.getByRole('dialog').getByRole('button', { name: 'Create a key' }).click()
  await page.getByRole('dialog').getByRole('textbox').first().waitFor()
  await shoot('admin-key-fresh', page)
  await page.keyboard.press('Escape')
  await ready(page)
  await shoot('admin-keys-one', page, whole)
  await page.goto(`${server.origin}/admin/webhooks`)
  await press(page, 'Add a webhook')
  await shoot('admin-webhook-make', page)
  await page
    .getByRole('textbox', { name: 'Address' })
    .fill('https://hooks.harbour.example/boardroom/with/a/rather/long/address')
  await page.getByRole('dialog').getByRole('button', { name: 'Add a webhook' }).click()
  await page.getByRole('dialog').getByRole('textbox').first().waitFor()
  await page.keyboard.press('Escape')
  await ready(page)
  await shoot('admin-webhooks-one', page, whole)
  await page.goto(`${server.origin}/audit`)
  await page.locator('.trail').waitFor()
  await settle(page)
  await shoot('audit-instance', page)
  const user = await open('/admin/people', { cookie: cookies.get('sam') ?? '' })
  await ready(user)
  await shoot('admin-refused', user)
}

export const owning = async ({ server, open, shoot }: Studio): Promise<void> => {
  const { cookies, boards, password } = await storyOf(server)
  const cookie = cookies.get('sam') ?? ''
  const page = await open('/account', { cookie })
  await ready(page)
  await shoot('account', page, whole)
  const factor = page.getByRole('region', { name: 'Second factor' })
  await factor.getByLabel('Your password again').fill(password)
  await press(page, 'Set up')
  await factor.locator('.secret').waitFor()
  await shoot('account-factor', page, whole)
  const secret = (await factor.locator('.secret').textContent()) ?? ''
  await factor.getByLabel('The code that the app shows now').fill(oneTimeCode(secret))
  await press(page, 'Switch on')
  await factor.getByText('On:').waitFor()
  await shoot('account-factor-on', page, whole)
  const again = await open('/sign-in?next=/records')
  await again.getByLabel('E-mail').fill('sam@harbour.example')
  await again.getByLabel('Password').fill(password)
  await press(again, 'Sign in')
  await again.getByLabel('Code').waitFor()
  await shoot('sign-in-code', again)
  await press(again, 'I lost the app')
  await shoot('sign-in-recovery', again)
  await factor.getByLabel('Your password again').last().fill(password)
  await press(page, 'Switch off')
  await factor.getByText('Your password alone').waitFor()
  // Both gave the session another token.
  const session = (await page.context().cookies()).find(({ name }) => name === 'boardroom.session')
  if (session !== undefined) cookies.set('sam', `${session.name}=${session.value}`)
  const reset = await open('/reset')
  await ready(reset)
  await shoot('reset-ask', reset)
  await reset.goto(`${server.origin}/reset#${'x'.repeat(43)}`)
  await reset.reload()
  await ready(reset)
  await shoot('reset-over', reset)
  const { id } = await server.db
    .selectFrom('users')
    .select('id')
    .where('email', '=', 'sam@harbour.example')
    .executeTakeFirstOrThrow()
  const link = await fetch(`${server.origin}/api/users/${id}/password-reset`, {
    method: 'POST',
    headers: { cookie: cookies.get('mara') ?? '', origin: server.origin },
  })
  const { url }: { url: string } = JSON.parse(await link.text()) // as the API says
  const fresh = await open(url.replace(/^http:\/\/[^/]*/, server.origin))
  await ready(fresh)
  await shoot('reset', fresh)
  const consent = await open('/consent', { cookie: cookies.get('lena') ?? '' })
  await ready(consent)
  await shoot('consent', consent, whole)
  const nobody = await open('/consent')
  await ready(nobody)
  await shoot('consent-nobody', nobody)
  const asking = await server.db
    .selectFrom('consent_texts')
    .innerJoin('boards', 'boards.id', 'consent_texts.board_id')
    .innerJoin('users', 'users.id', 'boards.owner_id')
    .select(['board_id', 'users.email'])
    .executeTakeFirst()
  if (asking !== undefined) {
    const owner = cookies.get(asking.email?.split('@')[0] ?? '') ?? ''
    const asked = await open(`/consent?board=${asking.board_id}`, { cookie: owner })
    await ready(asked)
    await shoot('consent-asked', asked, whole)
  }
  for (const person of ['mara', 'sam']) {
    for (const address of ['/templates', '/records', '/agents']) {
      const window = await open(address, { cookie: cookies.get(person) ?? '' })
      await ready(window)
      await shoot(`${address.slice(1)}-${person}`, window, whole)
    }
  }
  const agents = await open('/agents', { cookie: cookies.get('aiko') ?? '' })
  await ready(agents)
  await shoot('agents-aiko', agents, whole)
  const records = await open('/records', { cookie: cookies.get('mara') ?? '' })
  await ready(records)
  const record = records.locator('a[href$="/record"]').first()
  if ((await record.count()) > 0) {
    await record.click()
    await records.locator('form').first().waitFor()
    await settle(records)
    await shoot('record', records, whole)
  }
  const templates = await open('/templates', { cookie: cookies.get('mara') ?? '' })
  await ready(templates)
  const menu = templates.locator('main .menu button').first()
  if ((await menu.count()) > 0) {
    await menu.click()
    await shoot('templates-menu', templates)
  }
  const trail = await open(`/boards/${boards.values().next().value}/audit`, {
    cookie: cookies.get('tom') ?? '',
  })
  await trail.locator('.trail').waitFor()
  await shoot('audit-board', trail)
}
