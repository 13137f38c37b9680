// Other applications in the browser: an administrator creates keys and webhooks, and watches them.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { canvasFile } from '../helpers/canvas-file.ts'

const applications = canvasFile('applications in the browser', { webhookPrivateNetworks: ['127.0.0.0/8'] })
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The problems that axe finds on the page. */
const faults = async (page: Page): Promise<unknown> => {
  await page.evaluate(axe)
  return page.evaluate(
    `axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
  )
}

const shot = async (page: Page, name: string): Promise<void> => {
  const folder = process.env.TEST_SCREENSHOTS
  if (folder === undefined) return
  await page.screenshot({ path: `${folder}/applications-${name}.png` })
  const before = page.viewportSize()
  await page.setViewportSize({ width: 390, height: 844 })
  await page.screenshot({ path: `${folder}/applications-${name}-phone.png` })
  if (before !== null) await page.setViewportSize(before)
}

applications.test(
  'service keys are made with scopes and an end, shown once, rotated and revoked',
  async ({ server, ada, open }) => {
    await server.db.updateTable('users').set({ role: 'admin' }).where('id', '=', ada.id).execute()
    const page = await open('/admin/keys', { cookie: ada.cookie, expected: /401/ })
    await page.getByRole('button', { name: 'Create a key' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('CRM server')
    await dialog.getByLabel('Issuer').fill('crm')
    await dialog.getByRole('button', { name: 'Create a key' }).click()
    await dialog.getByText('Choose at least one thing').waitFor()
    await dialog.getByLabel('Boards and their content').selectOption('look only')
    await dialog.getByLabel('Tickets for its people').selectOption('everything')
    await dialog.getByLabel('Ends').selectOption('in 30 days')
    assert.equal(await faults(page), [])
    await shot(page, 'make-key')
    await dialog.getByRole('button', { name: 'Create a key' }).click()
    const shown = page.getByLabel('Key', { exact: true })
    const first = await shown.inputValue()
    assert.match(first, /^brk_/)
    assert.equal(await faults(page), [])
    await shot(page, 'key')
    await page.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('cell', { name: 'boards:read, tickets' }).waitFor()
    assert.not.ok((await page.content()).includes(first))
    assert.equal(await faults(page), [])
    await shot(page, 'keys')

    const may = (key: string) =>
      fetch(`${server.origin}/api/boards`, { headers: { authorization: `Bearer ${key}` } })
    assert.is((await may(first)).status, 200)
    const act = async (name: string) => {
      await page.getByRole('button', { name: 'Actions for CRM server' }).click()
      await page.getByRole('menuitem', { name }).click()
      await page.getByRole('dialog').getByRole('button', { name, exact: true }).click()
    }
    await act('Rotate')
    const second = await shown.inputValue()
    assert.is.not(second, first)
    await page.getByRole('button', { name: 'Close' }).click()
    await page.getByText('former secret until').waitFor()
    assert.is((await may(first)).status, 200)
    await act('Revoke')
    await page.getByRole('cell', { name: 'revoked' }).waitFor()
    assert.is((await may(first)).status, 401)
    assert.is((await may(second)).status, 401)
  },
)

applications.test(
  'webhooks are made, tried, stopped, started and deleted, and the bell tells of one that the server disabled',
  async ({ server, ada, open }) => {
    await server.db.updateTable('users').set({ role: 'admin' }).where('id', '=', ada.id).execute()
    const receiver = createServer((_request, response) => response.writeHead(410).end('no longer here'))
    receiver.listen(0, '127.0.0.1')
    await new Promise((resolve) => receiver.once('listening', resolve))
    const { port } = receiver.address() as AddressInfo // it listens on TCP
    try {
      const page = await open('/admin/webhooks', { cookie: ada.cookie })
      const url = `http://127.0.0.1:${port}/boardroom`
      await page.getByRole('button', { name: 'Add a webhook' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('Address').fill(url)
      await dialog.getByLabel('Everything').uncheck()
      await dialog.getByRole('button', { name: 'Add a webhook' }).click()
      await dialog.getByText('Choose at least one event.').waitFor()
      await dialog.getByLabel(/board\.created/).check()
      assert.equal(await faults(page), [])
      await shot(page, 'make-webhook')
      await dialog.getByRole('button', { name: 'Add a webhook' }).click()
      assert.match(await page.getByLabel('Secret', { exact: true }).inputValue(), /^whsec_/)
      await page.getByRole('button', { name: 'Close' }).click()
      await page.getByRole('cell', { name: 'board.*' }).waitFor()
      const act = async (name: string) => {
        await page.getByRole('button', { name: `Actions for ${url}` }).click()
        await page.getByRole('menuitem', { name, exact: true }).click()
      }
      await act('Disable')
      await page.getByText('stopped by hand').waitFor()
      await page.reload()
      await page.getByRole('button', { name: 'Notifications', exact: true }).waitFor()
      await act('Enable')
      await page.getByRole('cell', { name: 'active' }).waitFor()

      await act('Send a test')
      await act('Last deliveries')
      await dialog.getByText(/410/).first().waitFor()
      assert.equal(await faults(page), [])
      await shot(page, 'deliveries')
      await page.getByRole('button', { name: 'Close' }).click()
      await page.reload()
      await page.getByRole('button', { name: 'Notifications, 1 unread' }).click()
      await page.getByText(`The webhook to 127.0.0.1:${port} was disabled`).waitFor()
      assert.equal(await faults(page), [])
      await shot(page, 'bell')
      await page.getByRole('button', { name: 'Close' }).click()
      await shot(page, 'webhooks')
      await act('Delete')
      await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
      await page.getByText('There are no').waitFor()
    } finally {
      receiver.close()
      receiver.closeAllConnections()
    }
  },
)

applications.run()
