// Agents, consent, templates, records and one's own data, on their pages in a browser.
import { readFile } from 'node:fs/promises'
import { text as read } from 'node:stream/consumers'
import type { Download, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { elementsOf, writeElements } from '../../shared/scene.ts'
import { saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import type { CanvasPerson, CanvasServer } from '../helpers/canvas-server.ts'
import { eventually } from '../helpers/eventually.ts'
import { validCpf } from '../helpers/factories.ts'
import { faultsOf, shoot } from '../helpers/looks.ts'
import { RawClient } from '../helpers/raw-client.ts'

const pages = canvasFile('pages for agents, consent, templates, records and own data')

const textElement = (id: string, text: string, y: number) => ({
  ...{ id, type: 'text', x: 10, y, width: 300, height: 25, text, originalText: text, fontSize: 20 },
  ...{ fontFamily: 5, lineHeight: 1.25, textAlign: 'left', verticalAlign: 'top', containerId: null },
})
const rectangle = (id: string) => ({ id, type: 'rectangle', x: 0, y: 0, width: 80, height: 60 })

/** A page without problems found by axe, and its pictures. */
const look = async (page: Page, name: string): Promise<void> => {
  assert.equal(await faultsOf(page), [], name)
  await shoot(page, name)
}

const text = async (download: Download): Promise<string> => read(await download.createReadStream())

const setRole = ({ db }: CanvasServer, { id }: CanvasPerson, role: 'user' | 'admin') =>
  db.updateTable('users').set({ role }).where('id', '=', id).execute()

pages.test('every page of the client is there for a browser, and others are not', async ({ server }) => {
  const statusOf = async (path: string) =>
    (await fetch(`${server.origin}${path}`, { headers: { accept: 'text/html' } })).status
  const app = await readFile('client/app.tsx', 'utf8')
  const names = [...app.matchAll(/first === '([\w-]+)'/g)].map(([, name]) => name ?? '')
  assert.ok(names.includes('agents') && names.length > 10, names.join())
  for (const name of new Set(names)) {
    const rest = { boards: '/1/record', folders: '/1', b: '/1', embed: '/1' }[name] ?? ''
    assert.is(await statusOf(`/${name}${rest}`), 200, name)
  }
  assert.is(await statusOf('/nowhere'), 404)
})

pages.test(
  'agents are made, let onto a board, watched, undone and stopped',
  async ({ server, ada, open }) => {
    const board = await ada.board('Roadmap')
    // 404: requests of the page may find an agent deleted.
    const page = await open('/agents', { cookie: ada.cookie, expected: /404/ })
    await page.getByText('You have no agents yet.').waitFor()
    await look(page, 'agents-none')
    await page.getByLabel('Name of the new agent').fill('Drawer')
    await page.getByLabel(/What it is for/).fill('Draws what was said')
    await page.getByRole('button', { name: 'Create agent' }).click()
    const token = await page.getByLabel('Token', { exact: true }).inputValue()
    assert.match(token, /^bra_[\w-]{43}$/)
    await look(page, 'agents-token')
    await page.getByRole('button', { name: 'I have it' }).click()

    const agent = page.getByRole('region', { name: /Drawer/ })
    await agent.getByText('No permissions yet').waitFor()
    await agent.getByRole('combobox').selectOption({ label: 'Roadmap' })
    await agent.getByLabel('add').check()
    await agent.getByRole('button', { name: 'Allow' }).click()
    await agent.getByText('read, add · Roadmap · for Ada').waitFor()

    const client = new RawClient(`${server.origin.replace('http', 'ws')}/ws/${board}`, { ticket: token })
    await client.opened
    await client.message(64)
    const count = client.edit((doc) =>
      writeElements(doc, [rectangle('one'), textElement('two', 'What was said', 90)] as never),
    )
    await eventually(() => client.saved >= count)
    await agent.getByText('added text “What was said”').waitFor()
    await look(page, 'agents-at-work')

    await agent.getByRole('button', { name: 'Undo since here, on Roadmap' }).last().click()
    await page.getByText('2 elements are as before.').waitFor()
    await eventually(() => elementsOf(client.doc).every(({ isDeleted }) => isDeleted === true))
    await agent.getByText('undone').first().waitFor()

    await agent.getByRole('button', { name: 'Stop Drawer' }).click()
    await agent.getByText('stopped').waitFor()
    assert.is((await client.closed).code, 4401)
    await agent.getByRole('button', { name: 'Start Drawer' }).click()
    await agent.getByRole('button', { name: 'Revoke' }).click()
    await agent.getByText('No permissions yet').waitFor()
    await agent.getByRole('button', { name: 'Delete Drawer' }).click()
    await look(page, 'agents-delete')
    const beside = await open('/agents', { cookie: ada.cookie, expected: /404/ })
    await beside.getByRole('heading', { name: 'Drawer' }).waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('You have no agents yet.').waitFor()
    await beside.getByText('You have no agents yet.').waitFor()
  },
)

pages.test(
  'consent is asked before a member’s and a guest’s first join, again for a new version, and ends access when taken back',
  async ({ ada, grace, open }) => {
    const board = await ada.board('Interviews')
    await ada.ask('POST', `/boards/${board}/permissions`, { user_id: grace.id, level: 'edit' })
    const ask = (version: string) =>
      ada.ask('PUT', `/boards/${board}/consent-text`, {
        text: `What is said here stays here.\n\nVersion ${version}.`,
        consent_version: version,
        privacy_policy_version: 'p1',
        required_categories: ['recording'],
        optional_categories: ['research_quotes'],
      })
    await ask('v1')
    const expected = /4451|451|WebSocket/

    const member = await open(`/b/${board}`, { cookie: grace.cookie, expected })
    await member.getByText('Please accept first').waitFor()
    await look(member, 'consent-needed')
    await member.getByRole('link', { name: 'Read and accept' }).click()
    await member.getByText('What is said here stays here.').waitFor()
    await look(member, 'consent-asked')
    await member.getByRole('button', { name: 'Accept' }).click()
    assert.is(
      await member.evaluate(`document.querySelector('input[value=recording]').matches(':invalid')`),
      true,
      'a required category must be agreed to',
    )
    await member.getByLabel(/recording/).check()
    await member.getByRole('button', { name: 'Accept' }).click()
    await member.getByText('You have accepted this.').waitFor()
    await look(member, 'consent-given')
    await member.getByRole('link', { name: 'Continue' }).click()
    await saysSync(member, 'Saved')

    const accept = (version: string) =>
      ada.ask('POST', '/consent', {
        ...{ board_id: board, consent_version: version, privacy_policy_version: 'p1' },
        consent_categories: ['recording'],
      })
    await accept('v1')
    const { url } = await ada.link(board, 'view')
    const guest = await open(url, { expected })
    await guest.getByLabel('Your name').fill('Gus')
    await guest.getByRole('button', { name: 'Open the board' }).click()
    await guest.getByRole('link', { name: 'Read and accept' }).click()
    await guest.getByLabel(/recording/).check()
    await guest.getByLabel(/research quotes/).check()
    await guest.getByRole('button', { name: 'Accept' }).click()
    await guest.getByRole('link', { name: 'Continue' }).click()
    await saysSync(guest, 'Read-only')

    await ask('v2')
    for (const page of [member, guest]) {
      await page.getByText('Please accept first').or(page.getByText('Your consent was withdrawn')).waitFor()
      await page.getByRole('link', { name: 'Read and accept' }).click()
      await page.getByText('Version v2, privacy policy p1').waitFor()
      await page.getByLabel(/recording/).check()
      await page.getByRole('button', { name: 'Accept' }).click()
      await page.getByRole('link', { name: 'Continue' }).click()
    }
    await saysSync(member, 'Saved')
    await saysSync(guest, 'Read-only')

    const apart = await open(`/consent?board=${board}`, { cookie: grace.cookie, expected })
    await apart.getByRole('row', { name: /v2/ }).getByText('in force').waitFor()
    await look(apart, 'consent-history')
    await apart.getByRole('button', { name: 'Withdraw' }).click()
    await look(apart, 'consent-withdraw')
    await apart.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click()
    await member.getByText('Your consent was withdrawn').waitFor()
    await look(member, 'consent-withdrawn')
    await saysSync(guest, 'Read-only')
    await accept('v2')
    const { items } = await ada.ask<{ items: { user_id: number | null; consent_categories: string[] }[] }>(
      'GET',
      `/boards/${board}/audit?action=consent`,
    )
    assert.is(items.length, 8, 'six times given, two records withdrawn')
  },
)

pages.test(
  'a board is saved as a template, approved, filled in with what is wrong said at its field, and compared',
  async ({ server, ada, grace, open }) => {
    await setRole(server, ada, 'admin')
    const source = await grace.board('Client intake')
    await grace.importScene(source, [
      textElement('t1', 'Name: {{name}}', 0),
      textElement('t2', 'CPF: {{cpf}}', 40),
      textElement('t3', 'Born {{birth_date}}, {{status}}', 80),
    ])
    const author = await open('/', { cookie: grace.cookie })
    const save = async () => {
      await author.getByRole('button', { name: 'Client intake: actions' }).click()
      await author.getByRole('menuitem', { name: 'Save as template' }).click()
    }
    await save()
    const dialog = author.getByRole('dialog')
    await dialog.getByLabel('Kind of CPF').selectOption('CPF')
    await dialog.getByLabel('Kind of Birth date').selectOption('date')
    await dialog.getByLabel('Kind of Status').selectOption('choice')
    await dialog.getByLabel(/Choices for Status/).fill('new, known')
    assert.is(await dialog.getByLabel('Code').inputValue(), 'CLIENT_INTAKE')
    await dialog.getByLabel('Category').fill('clients')
    await look(author, 'template-save')
    await dialog.getByRole('button', { name: 'Send for approval' }).click()
    await author.getByText('it waits for an administrator’s approval').waitFor()

    const admin = await open('/templates', { cookie: ada.cookie })
    await admin.getByText('There are no templates yet.').waitFor()
    await look(admin, 'templates-none')
    await admin.getByRole('button', { name: 'Waiting' }).click()
    await look(admin, 'templates-waiting')
    await admin.getByRole('button', { name: 'Approve' }).click()
    await admin.getByLabel(/Notes on the approval/).fill('Looks right.')
    await look(admin, 'template-approve')
    await admin.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
    await admin.getByText('Approved: new boards').waitFor()

    const page = await open('/templates', { cookie: grace.cookie, expected: /40[09]/ })
    await page.getByRole('button', { name: 'Use' }).click()
    await look(page, 'template-use')
    await page.getByLabel('Name', { exact: true }).fill('Ana Lima')
    await page.getByLabel('CPF').fill('111.111.111-11')
    await page.getByLabel('Birth date').fill('1990-05-17')
    await page.getByLabel('Status').selectOption('known')
    await page.getByRole('button', { name: 'Create board' }).click()
    const field = page.locator('.field', { has: page.getByLabel('CPF') })
    await field.getByRole('alert').waitFor()
    assert.is(await page.getByLabel('CPF').getAttribute('aria-invalid'), 'true')
    assert.is(await page.getByRole('alert').count(), 1, 'at its field and nowhere else')
    await look(page, 'template-wrong')
    const cpf = validCpf()
    await page.getByLabel('CPF').fill(cpf)
    await page.getByRole('button', { name: 'Create board' }).click()
    await saysSync(page, 'Saved')
    const board = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    const texts = (await grace.scene(board)).elements.map(({ text }) => text)
    assert.ok(texts.includes('Name: Ana Lima'), texts.join())
    assert.ok(!texts.join().includes(cpf), 'masked on the board')

    await page.goto(`${server.origin}/templates`)
    await page.getByRole('button', { name: 'Use' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Another one')
    await page.getByLabel('CPF').fill(cpf)
    await page.getByLabel('Birth date').fill('1990-05-17')
    await page.getByLabel('Status').selectOption('new')
    await page.getByRole('button', { name: 'Create board' }).click()
    await field.getByText('Another record has this already.').waitFor()

    await grace.importScene(source, [textElement('t4', 'Visits: {{visits}}', 120)])
    await author.reload()
    await save()
    await dialog.getByLabel('Save as').selectOption({ label: 'a new version of Client intake' })
    await dialog.getByLabel('Kind of Visits').selectOption('number')
    await dialog.getByLabel('Visits is required').uncheck()
    await look(author, 'template-version')
    await dialog.getByRole('button', { name: 'Send for approval' }).click()
    await author.getByText('it waits for an administrator’s approval').waitFor()
    await admin.reload()
    await admin.getByRole('button', { name: 'Waiting' }).click()
    await admin.getByRole('button', { name: 'Compare' }).click()
    await admin.getByText('Variable visits: added').waitFor()
    await admin.getByText('Elements: 1 added, 0 removed, 0 changed').waitFor()
    await look(admin, 'template-compare')
  },
)

pages.test(
  'records are listed, searched, changed and exported, with numbers masked for who may not change them',
  async ({ server, ada, grace, open }) => {
    await setRole(server, ada, 'user')
    const { items } = await grace.ask<{ items: { id: string }[] }>('GET', '/templates')
    const cpf = validCpf()
    const made = await grace.ask<{ id: string }>('POST', '/boards', {
      title: 'Bruno’s intake',
      template_id: items[0]?.id,
      variables: { name: 'Bruno Costa', cpf, birth_date: '1985-02-03', status: 'new' },
    })
    await grace.ask('POST', `/boards/${made.id}/permissions`, { user_id: ada.id, level: 'view' })

    const page = await open('/records?template=CLIENT_INTAKE', { cookie: grace.cookie, expected: /40[09]/ })
    await page.getByRole('cell', { name: 'Bruno Costa' }).waitFor()
    await page.getByRole('cell', { name: 'Ana Lima' }).waitFor()
    const formatted = cpf.replace(/^(...)(...)(...)/, '$1.$2.$3-')
    await page.getByRole('cell', { name: formatted }).waitFor()
    await look(page, 'records')
    await page.getByLabel('Search records').fill('bruno')
    await eventually(async () => (await page.getByRole('cell', { name: 'Ana Lima' }).count()) === 0)
    await page.getByRole('cell', { name: 'Bruno Costa' }).waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download CSV' }).click(),
    ])
    const csv = await text(download)
    assert.match(csv, 'Bruno Costa')
    assert.not.match(csv, 'Ana Lima')
    await page.getByRole('link', { name: 'Bruno’s intake' }).click()
    await page.getByLabel('Birth date').fill('2999-01-01')
    await page.getByLabel('Name', { exact: true }).fill('Bruno {{x}}')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Must be plain text').waitFor()
    await look(page, 'record-wrong')
    await page.getByLabel('Birth date').fill('1985-02-04')
    await page.getByLabel('Name', { exact: true }).fill('Bruno Costa Silva')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved. The texts on the board follow.').waitFor()
    await look(page, 'record')
    await eventually(async () =>
      (await grace.scene(made.id)).elements.some(({ text }) => text === 'Name: Bruno Costa Silva'),
    )

    const reader = await open('/records?template=CLIENT_INTAKE', { cookie: ada.cookie })
    await reader.getByRole('cell', { name: 'Bruno Costa Silva' }).waitFor()
    const shown = (await reader.locator('main').textContent()) ?? ''
    assert.ok(!shown.replace(/\D/g, '').includes(cpf), 'the number is masked')
    await reader.getByRole('cell', { name: `***.***.***-${cpf.slice(-2)}` }).waitFor()
    await look(reader, 'records-masked')
    await reader.getByRole('link', { name: 'Bruno’s intake' }).click()
    await reader.getByText('Some values are partly hidden').waitFor()
    assert.is(await reader.getByRole('button', { name: 'Save' }).count(), 0)
    await look(reader, 'record-masked')
  },
)

pages.test(
  'own data is gathered with progress, downloaded as JSON and as a page, and erased',
  async ({ server, open }) => {
    const eve = await server.user('Eve')
    const board = await eve.board('Diary')
    await eve.ask('POST', `/boards/${board}/threads`, { anchor: { x: 1, y: 1 }, body: 'My own words' })
    const page = await open('/consent', { cookie: eve.cookie, expected: /401/ })
    await page.getByRole('heading', { name: 'Your data' }).waitFor()
    // Slow enough that the progress can be seen.
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/api/me/export?*', async (route) => {
      await held
      await route.continue()
    })
    await page.route('**/api/me/export/progress', (route) =>
      route.fulfill({ json: { section: 'Comments', done: 120, total: 480 } }),
    )
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download as JSON' }).click()
    await page.getByText('Comments: 120 of 480 rows').waitFor()
    await look(page, 'own-data')
    release()
    const json = JSON.parse(await text(await download))
    assert.is(json.person.email, eve.email)
    assert.match(JSON.stringify(json), 'My own words')
    await page.getByRole('status').filter({ hasText: 'Downloaded' }).waitFor()

    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download as a page' }).click(),
    ])
    assert.match(file.suggestedFilename(), /\.html$/)
    const html = await text(file)
    assert.match(html, 'My own words')
    const downloaded = await open('/sign-in', { expected: /favicon/ })
    await downloaded.setContent(html)
    await look(downloaded, 'own-data-page')

    await page.getByRole('button', { name: 'Erase my account' }).click()
    await look(page, 'own-data-erase')
    await page.getByRole('dialog').getByRole('textbox').fill(eve.email)
    await page.getByRole('dialog').getByRole('button', { name: 'Erase' }).click()
    await page.getByRole('heading', { name: /Sign in/ }).waitFor()
    const row = await server.db
      .selectFrom('users')
      .select(['name', 'email'])
      .where('id', '=', eve.id)
      .execute()
    assert.ok(row.every(({ name, email }) => name !== 'Eve' && email !== eve.email))
  },
)

pages.run()
