// node dist/tests/screens.js FOLDER [--only PART]: every page and dialog as a picture, on a desktop and a phone, light
// and dark, to look at after a change to the client. Errors of the pages, and problems found by axe, are printed and
// make it fail.
// With --readme only docs/picture.png is made again: FOLDER is then `docs`.
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { readScene } from '../shared/scene.ts'
import { draw, focusCanvas, saysSync } from './helpers/board-page.ts'
import { withBrowser } from './helpers/browser.ts'
import { withCanvas } from './helpers/canvas-server.ts'
import { findChromium } from './helpers/chromium.ts'
import { faultsOf } from './helpers/looks.ts'
import { administering, owning } from './helpers/people-pictures.ts'
import { press, type Studio, settle } from './helpers/studio.ts'

const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const
const themes = ['light', 'dark'] as const
/** Browser messages about answers and sockets that these pages are about. */
const expected = /40[0-9]|451|503|WebSocket|ERR_CONNECTION|ERR_SOCKET_NOT_CONNECTED|ERR_FAILED/

const drawing = (name: string) =>
  readScene(JSON.parse(readFileSync(path.join('tests/fixtures/boards', `${name}.excalidraw`), 'utf8')))
    ?.elements ?? []

const entering = async ({ server, ada, open, shoot }: Studio) => {
  const setup = await open(`/setup#${'x'.repeat(43)}`)
  await setup.getByRole('heading').waitFor()
  await shoot('setup-used', setup)
  const incomplete = await open('/setup')
  await incomplete.getByRole('heading').waitFor()
  await shoot('setup-incomplete', incomplete)
  const signIn = await open('/sign-in')
  await signIn.getByLabel('Password').waitFor()
  await shoot('sign-in', signIn)
  await signIn.getByLabel('E-mail').fill('ada@example.org')
  await signIn.getByLabel('Password').fill('wrong password')
  await press(signIn, 'Sign in')
  await signIn.locator('.problem').waitFor()
  await shoot('sign-in-wrong', signIn)
  const boardId = await ada.board('Launch plan')
  const { url } = await ada.link(boardId, 'view', { password: 'open sesame' })
  const guest = await open(url)
  await guest.getByLabel('Your name').waitFor()
  await shoot('guest-name', guest)
  await guest.getByLabel('Your name').fill('Katherine Johnson')
  await press(guest, 'Open the board')
  await guest.getByLabel('Password of the link').fill('wrong one')
  await press(guest, 'Open the board')
  await guest.locator('.problem').waitFor()
  await shoot('guest-password', guest)
  const bad = await open(`/b/${boardId}#k=${'y'.repeat(43)}`)
  await bad.getByRole('alert').waitFor()
  await shoot('link-invalid', bad)
  const nowhere = await open('/nowhere')
  await nowhere.getByRole('heading').waitFor()
  await shoot('nothing-here', nowhere)
  const away = await open('/sign-in')
  await away.route('**/api/**', (route) => route.abort())
  await away.goto(`${server.origin}/`)
  await away.getByRole('alert').waitFor()
  await shoot('boards-unreachable', away)
}

const listing = async ({ server, ada, open, shoot }: Studio) => {
  const newcomer = await server.user(`New${Date.now()}`)
  const empty = await open('/', { cookie: newcomer.cookie })
  await empty.locator('.empty').waitFor()
  await shoot('boards-empty', empty)
  const page = await open('/', { cookie: ada.cookie })
  await page.locator('.board-card').first().waitFor()
  await settle(page)
  await shoot('boards', page)
  await page.locator('.board-card .menu button').first().click()
  await shoot('boards-menu', page)
  await press(page, 'Rename', 'menuitem')
  await shoot('boards-rename', page)
  await page.keyboard.press('Escape')
  await press(page, /: account/)
  await shoot('boards-account', page)
  await page.keyboard.press('Escape')
  await page.getByLabel('Search boards').fill('nothing like it')
  await page.locator('.empty').waitFor()
  await shoot('boards-search', page)
  await page.route('**/import', () => {})
  await page.locator('input[type=file]').setInputFiles('tests/fixtures/boards/data-viz.excalidraw')
  await page.getByText('Saving 1,241 elements').waitFor()
  await shoot('boards-importing', page)
  await empty.goto(`${server.origin}/trash`)
  await empty.locator('.empty').waitFor()
  await shoot('trash-empty', empty)
  const trash = await open('/trash', { cookie: ada.cookie })
  await trash.locator('.board-card').first().waitFor()
  await shoot('trash', trash)
  await trash.locator('.board-card .menu button').first().click()
  await press(trash, 'Delete for ever', 'menuitem')
  await shoot('trash-purge', trash)
}

/** One of Ada's boards with a drawing, opened by her. */
const drawn = async ({ ada, open }: Studio, name: string) => {
  const boardId = await ada.board(name)
  await ada.importScene(boardId, drawing('customer-journey-map'))
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
  await saysSync(page, 'Saved')
  return { boardId, page }
}

const drawingTogether = async (studio: Studio) => {
  const { ada, grace, open, shoot } = studio
  const { boardId, page } = await drawn(studio, 'Customer journey')
  const graceful = { user_id: grace.id, level: 'comment' }
  const { id } = await ada.ask<{ id: number }>('POST', `/boards/${boardId}/permissions`, graceful)
  const { url } = await ada.link(boardId, 'view', { label: 'Design review' })
  await shoot('board-edit', page)
  const commenter = await open(`/b/${boardId}`, { cookie: grace.cookie })
  await saysSync(commenter, 'Read-only')
  const guest = await open(url)
  await guest.getByLabel('Your name').fill('Katherine Johnson')
  await press(guest, 'Open the board')
  await saysSync(guest, 'Read-only')
  await page.mouse.move(200, 300)
  await guest.mouse.move(250, 400)
  // On a phone, Excalidraw lists them in its menu.
  if ((page.viewportSize()?.width ?? 0) > 800) await page.locator('.UserList .Avatar').first().waitFor()
  await shoot('board-together', page)
  await shoot('board-comment', commenter)
  await shoot('board-view', guest)
  await guest.getByTestId('main-menu-trigger').click()
  await shoot('board-view-menu', guest)
  await page.getByTestId('main-menu-trigger').click()
  await shoot('board-menu', page)
  await press(page, 'Versions')
  await page.getByLabel('Name of the version').fill('Before the workshop')
  await press(page, 'Keep version')
  await page.locator('.version').first().click()
  await page.locator('.preview img').waitFor()
  await shoot('versions', page)
  await press(page, 'Close')
  await press(page, 'Share')
  await page.locator('.people li').first().waitFor()
  await shoot('share-people', page)
  await press(page, 'Links', 'tab')
  await page.getByText('Expiry, password').click()
  await page.getByLabel('Label').fill('Customers')
  await press(page, 'Create link')
  await page.getByLabel('New link').waitFor()
  await shoot('share-links', page)
  await press(page, 'Here now', 'tab')
  await page.locator('.people li').first().waitFor()
  await shoot('share-here', page)
  await press(page, 'Close')
  await page.locator('.board-title').click()
  await shoot('board-rename', page)
  await page.keyboard.press('Escape')
  await focusCanvas(page)
  await page.keyboard.press('Control+a')
  await shoot('board-selection', page)
  await page.keyboard.press('?')
  await shoot('board-help', page)
  await page.keyboard.press('Escape')
  await ada.ask('DELETE', `/boards/${boardId}/permissions/${id}`)
  await commenter.getByRole('alert').waitFor()
  await shoot('ended-no-access', commenter)
  const trail = await open(`/boards/${boardId}/audit`, { cookie: ada.cookie })
  await trail.locator('.trail').waitFor()
  await shoot('audit', trail)
  await press(page, 'All boards', 'link')
  await page.locator('.picture img').first().waitFor()
  await settle(page)
  await shoot('boards-pictures', page)
  await page.goBack()
  await saysSync(page, 'Saved')
  await ada.ask('DELETE', `/boards/${boardId}`)
  await page.getByRole('alert').waitFor()
  await shoot('ended-deleted', page)
  const stranger = await open(`/b/${boardId}`, { cookie: grace.cookie })
  await stranger.getByRole('alert').waitFor()
  await shoot('no-access', stranger)
  const nobody = await open(`/b/${boardId}`)
  await nobody.getByRole('alert').waitFor()
  await shoot('ended-not-signed-in', nobody)
}

const badTimes = async (studio: Studio) => {
  const { server, ada, grace, open, shoot } = studio
  const { boardId, page } = await drawn(studio, 'Launch plan for the second half of a very long year')
  await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
  const other = await open(`/b/${boardId}`, { cookie: grace.cookie })
  await saysSync(other, 'Saved')
  const link = await ada.link(boardId, 'view')
  const guest = await open(link.url)
  await guest.getByLabel('Your name').fill('Katherine')
  await press(guest, 'Open the board')
  await saysSync(guest, 'Read-only')
  await ada.ask('DELETE', `/boards/${boardId}/share-links/${link.id}`)
  await guest.getByRole('alert').waitFor()
  await shoot('ended-link-revoked', guest)
  await server.stop()
  for (const window of [page, other]) {
    await saysSync(window, 'Offline')
    await focusCanvas(window)
    const middle = (window.viewportSize()?.width ?? 0) / 2
    await draw(window, 'r', [middle - 50, 300], [middle + 50, 400])
    await saysSync(window, 'Offline, 1 change kept')
  }
  await shoot('board-offline', page)
  await server.db
    .updateTable('board_permissions')
    .set({ level: 'view' })
    .where('user_id', '=', grace.id)
    .execute()
  await server.start()
  await other.getByText('not saved').waitFor()
  await shoot('board-kept', other)
  const late = await open('/sign-in', { cookie: ada.cookie })
  await late.routeWebSocket(/\/ws\//, () => {})
  await late.goto(`${server.origin}/b/${boardId}`)
  await late.getByText('does not answer').waitFor()
  await shoot('board-server-away', late)
}

/** Agents, consent, templates and records; each round creates its own, and leaves them. */
const underScrutiny = async ({ server, ada, open, shoot }: Studio) => {
  await server.db.updateTable('users').set({ role: 'admin' }).where('id', '=', ada.id).execute()
  const round = Date.now().toString(36)
  const cookie = ada.cookie
  const board = await ada.board('Interviews')
  const agent = await ada.ask<{ id: string }>('POST', '/agents', {
    name: `Drawer ${round}`,
    description: 'Draws what was said',
  })
  await ada.ask('POST', `/agents/${agent.id}/grants`, { board_id: board, can_read: true, can_create: true })
  const agents = await open('/agents', { cookie })
  await agents.getByText('read, add · Interviews').first().waitFor()
  await shoot('agents', agents)

  const text = { id: 'name', type: 'text', x: 0, y: 0, width: 300, height: 25, text: 'Name: {{name}}' }
  const template = await ada.ask<{ id: string }>('POST', '/templates', {
    ...{ code: `INTAKE_${round}`, name: 'Client intake', category: 'clients' },
    content: { type: 'excalidraw', elements: [{ ...text, originalText: text.text, fontSize: 20 }] },
    variables_schema: {
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 2, maxLength: 100 },
        cpf: { type: 'string', format: 'cpf', description: 'With or without punctuation' },
        birth_date: { type: 'string', format: 'date' },
      },
      required: ['name', 'cpf'],
    },
  })
  const templates = await open('/templates', { cookie })
  await press(templates, 'Waiting')
  await templates.getByRole('button', { name: 'Approve' }).first().waitFor()
  await shoot('templates', templates)
  await ada.ask('POST', `/templates/${template.id}/approve`, {})
  await templates.reload()
  const own = templates.getByRole('listitem').filter({ hasText: `INTAKE_${round}` })
  await own.getByRole('button', { name: 'Use' }).click()
  await templates.getByLabel('Name', { exact: true }).fill('Ana Lima')
  await templates.getByLabel('CPF').fill('111.111.111-11')
  await press(templates, 'Create board')
  await templates.getByRole('alert').waitFor()
  await shoot('template-wrong', templates)
  const variables = { name: 'Ana Lima', cpf: '529.982.247-25', birth_date: '1984-05-17' }
  const made = { title: 'Ana’s intake', template_id: template.id, variables }
  const { id } = await ada.ask<{ id: string }>('POST', '/boards', made)
  const records = await open(`/records?template=INTAKE_${round}`, { cookie })
  await records.getByText('Ana Lima').first().waitFor()
  await shoot('records', records)
  await records.goto(`${server.origin}/boards/${id}/record`)
  await records.getByLabel('CPF').waitFor()
  await shoot('record', records)
  await records.goto(server.origin)
  await records.getByRole('button', { name: 'Ana’s intake: actions' }).first().click()
  await press(records, 'Save as template', 'menuitem')
  await records.getByLabel('Code').waitFor()
  await shoot('template-save', records)

  await ada.ask('PUT', `/boards/${board}/consent-text`, {
    ...{ text: 'What is said here stays here.', consent_version: 'v1', privacy_policy_version: 'p1' },
    ...{ required_categories: ['recording'], optional_categories: ['research_quotes'] },
  })
  const needed = await open(`/b/${board}`, { cookie })
  await needed.getByText('Please accept first').waitFor()
  await shoot('consent-needed', needed)
  const consent = await open(`/consent?board=${board}`, { cookie })
  await consent.getByLabel(/recording/).check()
  await press(consent, 'Accept')
  await consent.getByText('You have accepted this.').waitFor()
  await shoot('consent', consent, { fullPage: true })
}

/** The README's picture: two people on one board, and the dialog in which one of them shares it. */
const together = async (studio: Studio) => {
  const { ada, grace, open, shoot } = studio
  const { boardId, page } = await drawn(studio, 'Customer journey')
  await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
  await ada.link(boardId, 'view', { label: 'Design review' })
  const other = await open(`/b/${boardId}`, { cookie: grace.cookie })
  await saysSync(other, 'Saved')
  await page.locator('.UserList .Avatar').first().waitFor()
  await press(page, 'Share')
  await page.locator('.people li').nth(1).waitFor()
  await other.mouse.move(260, 430)
  await other.mouse.move(230, 400, { steps: 5 })
  await page.waitForTimeout(500) // other people's cursors are drawn into a canvas, which cannot be queried
  await shoot('picture', page)
}

const parts = { entering, listing, drawingTogether, badTimes, administering, owning, underScrutiny }

type Part = (studio: Studio) => Promise<void>
interface Round {
  chosen: readonly Part[]
  viewport: { width: number; height: number }
  colorScheme: (typeof themes)[number]
  hasTouch: boolean
  fileOf(name: string): string
}

const main = async (folder: string, only: string | undefined, forReadme: boolean): Promise<string[]> => {
  const faults: string[] = []
  const chromium = findChromium()
  if (chromium === null) throw new Error('no Chromium on this machine, and none could be fetched')
  await mkdir(folder, { recursive: true })
  // Each round has a new server, on which nobody has done anything yet.
  const shootAll = ({ chosen, viewport, colorScheme, hasTouch, fileOf }: Round) =>
    withCanvas(async (server) => {
      const ada = await server.user('Ada')
      const grace = await server.user('Grace')
      for (const name of ['customer-journey-map', 'hexagonal-architecture', 'presentation-bundle'])
        await ada.importScene(await ada.board(name.replaceAll('-', ' ')), drawing(name))
      await ada.ask('DELETE', `/boards/${await ada.board('An old idea')}`)
      await withBrowser(chromium, async (browser) => {
        const studio: Studio = {
          server,
          ada,
          grace,
          open: async (address, options = {}) => {
            const url = new URL(address, server.origin).href
            return (await browser.open(url, { viewport, colorScheme, hasTouch, expected, ...options })).page
          },
          shoot: async (name, page, how = {}) => {
            await page.evaluate('document.fonts.ready')
            if (how.fullPage === true) await page.evaluate('scrollTo(0, 0)') // its head stays at the top
            await page.screenshot({ path: path.join(folder, fileOf(name)), ...how })
            for (const fault of await faultsOf(page)) {
              faults.push(fault)
              console.log(`${fileOf(name)}: ${fault}`)
            }
          },
        }
        for (const part of chosen) await part(studio)
      })
    })
  if (forReadme) {
    const viewport = { width: 1200, height: 750 }
    const fileOf = (name: string) => `${name}.png`
    await shootAll({ chosen: [together], viewport, colorScheme: 'light', hasTouch: false, fileOf })
    return faults
  }
  const chosen = Object.entries(parts).filter(([name]) => only === undefined || only === name)
  for (const [size, viewport] of Object.entries(sizes)) {
    for (const colorScheme of themes) {
      const fileOf = (name: string) => `${name}-${size}-${colorScheme}.png`
      const hasTouch = size === 'phone'
      await shootAll({ chosen: chosen.map(([, part]) => part), viewport, colorScheme, hasTouch, fileOf })
      console.log(`${size}, ${colorScheme}: done`)
    }
  }
  return faults
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, readme: { type: 'boolean', default: false } },
})
if (positionals[0] === undefined) throw new Error('say where to: node dist/tests/screens.js FOLDER')
const faults = await main(positionals[0], values.only, values.readme)
process.exit(faults.length === 0 ? 0 : 1)
