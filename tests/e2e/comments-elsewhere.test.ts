// Another application on its own origin: its canvas in one HTML file, with its backend, as in the examples, and a
// page of its own with a whole board in a frame.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createKey } from '../../server/accounts/service-keys/service-keys.ts'
import { systemActor } from '../../server/principal.ts'
import { withBrowser } from '../helpers/browser.ts'
import { browserTests, withCanvas } from '../helpers/canvas-server.ts'
import { findChromium } from '../helpers/chromium.ts'
import { eventually } from '../helpers/eventually.ts'

const elsewhere = suite('an application on another origin')
const inBrowser = browserTests(findChromium(), elsewhere)

type CreateApp = (options: { boardroom: string; key: string }) => RequestListener

inBrowser.add(
  'draws by the stock provider and comments, both live, and shows a board in a frame, all without a cookie',
  async (chromium) => {
    const example = pathToFileURL('examples/canvas-server.mjs').href
    const { createApp } = (await import(example)) as { createApp: CreateApp }
    let app: RequestListener = () => undefined
    const http = createServer(async (request, response) => {
      if (request.url?.startsWith('/host') !== true) return app(request, response)
      response.writeHead(200, { 'content-type': 'text/html' }).end(await readFile('examples/host.html'))
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const { port } = http.address() as AddressInfo // a TCP port was requested
    const origin = `http://canvas.example:${port}`
    try {
      await withCanvas(
        async (server) => {
          const { comments, boards, shareLinks } = server.boardroom()
          const { key } = await createKey(server.db, systemActor, {
            name: 'Canvas',
            issuer: 'canvas',
            scopes: ['boards', 'permissions', 'tickets'],
          })
          app = createApp({ boardroom: server.origin, key: key ?? '' })
          const expected = /request elsewhere: http:\/\/127\.0\.0\.1/
          await withBrowser(chromium, async (browser) => {
            const { page: una } = await browser.open(`${origin}/?as=una`, { expected })
            const { page: ulf } = await browser.open(`${origin}/?as=ulf`, { expected })
            for (const page of [una, ulf]) await page.getByText('connected').waitFor()

            const box = (await una.locator('#canvas').boundingBox()) ?? { x: 0, y: 0 }
            await una.mouse.move(box.x + 50, box.y + 50)
            await una.mouse.down()
            await una.mouse.move(box.x + 150, box.y + 90, { steps: 4 })
            await una.mouse.up()
            await eventually(async () => (await ulf.locator('polyline[points*="150,90"]').count()) === 1)

            const [{ id: board } = { id: '' }] = await server.db.selectFrom('boards').select('id').execute()
            const author = { externalId: 'una', name: 'una', issuer: 'canvas' }
            const anchor = { x: 40, y: 60 }
            const made = await comments.create({ boardId: board, by: author, anchor, body: '<b>Look</b>' })
            const pin = ulf.getByRole('button', { name: 'una (1)' })
            await pin.waitFor()
            assert.is(await pin.getAttribute('title'), 'una: <b>Look</b>')
            ulf.once('dialog', (dialog) => void dialog.accept('From elsewhere'))
            await ulf.locator('#canvas').dblclick({ position: { x: 300, y: 200 } })
            await una.getByRole('button', { name: 'ulf (1)' }).waitFor()
            await comments.resolve({ boardId: board, threadId: made.id, resolved: true })
            await eventually(async () => (await pin.count()) === 0)

            const shown = await boards.create({ title: 'In a frame' })
            const link = await shareLinks.create({ boardId: shown, level: 'edit' })
            const k = new URL(link.url).hash.slice('#k='.length)
            const hash = `#server=${server.origin}&board=${shown}&k=${k}`
            const { page: host } = await browser.open(`${origin}/host${hash}`, { expected })
            const said = async () => (await host.locator('#log').textContent()) ?? ''
            await eventually(async () => (await said()).includes('"type":"ready","level":"edit"'))
            const frame = host.frameLocator('iframe')
            await frame.locator('.excalidraw').first().waitFor()
            assert.is(await frame.getByRole('link', { name: 'Sign in' }).count(), 0)
            assert.is(await frame.getByText('In a frame').count(), 1)
            await boards.update(shown, { title: 'Still in it' })
            await eventually(async () => (await said()).includes('"type":"title","title":"Still in it"'))
            // This browser's windows are private ones, which give frames no storage: a reload works, as another
            // guest.
            await host.reload()
            await eventually(async () => (await said()).includes('"type":"ready"'))
            const guests = await server.db.selectFrom('share_link_uses').select('name').execute()
            assert.equal(guests, [{ name: 'Visitor' }, { name: 'Visitor' }])
            assert.equal(await host.context().cookies(), [], 'no cookie was set')
            await shareLinks.revoke({ boardId: shown, linkId: link.id })
            await eventually(async () => (await said()).includes('"type":"ended","code":4403'))
          })
        },
        { allowedOrigins: [origin], frameAncestors: [origin] },
      )
    } finally {
      http.closeAllConnections()
      http.close()
    }
  },
)

elsewhere.run()
inBrowser.end()
