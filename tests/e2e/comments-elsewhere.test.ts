// The example of a canvas on another origin: it shows pins, follows them live, and writes, by a ticket alone.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withBrowser } from '../helpers/browser.ts'
import { browserTests, withCanvas } from '../helpers/canvas-server.ts'
import { findChromium } from '../helpers/chromium.ts'
import { eventually } from '../helpers/eventually.ts'

const elsewhere = suite('comments on a canvas of another origin')
const inBrowser = browserTests(findChromium(), elsewhere)

inBrowser.add(
  'are shown, followed live and written by a ticket, and come from code as well',
  async (chromium) => {
    const app = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end(readFileSync('examples/comments.html'))
    })
    app.listen(0, '127.0.0.1')
    await once(app, 'listening')
    const { port } = app.address() as AddressInfo // a TCP port was asked for
    const origin = `http://canvas.example:${port}`
    try {
      await withCanvas(
        async (server) => {
          const ada = await server.user('Ada')
          const grace = await server.user('Grace')
          const board = await ada.board()
          const { comments, permissions, tickets } = server.boardroom()
          await permissions.grant({ boardId: board, user: grace.id, level: 'comment', by: ada.id })
          const made = await comments.create({
            boardId: board,
            by: ada.id,
            anchor: { x: 40, y: 60 },
            body: '<b>Look</b>',
            mentions: [`user:${grace.id}`],
          })
          const { ticket } = await tickets.create({ boardId: board, user: grace.id })
          await withBrowser(chromium, async (browser) => {
            const address = `${origin}/#server=${server.origin}&board=${board}&ticket=${ticket}`
            const { page } = await browser.open(address, {
              expected: /request elsewhere: http:\/\/127\.0\.0\.1/,
            })
            const pin = page.getByRole('button', { name: 'Ada (1)' })
            await pin.waitFor()
            assert.is(await pin.getAttribute('title'), 'Ada: <b>Look</b>')
            await comments.reply({ boardId: board, threadId: made.id, by: ada.id, body: 'Again' })
            await page.getByRole('button', { name: 'Ada (2)' }).waitFor()
            page.once('dialog', (dialog) => void dialog.accept('From elsewhere'))
            await page.locator('#canvas').dblclick({ position: { x: 300, y: 200 } })
            await page.getByRole('button', { name: 'Grace (1)' }).waitFor()
            const mine = await eventually(async () => {
              const { items } = await comments.list(board, { mine: 'true', for: grace.id })
              return items.length === 2 && items
            })
            assert.equal(
              [mine[0]?.comments[0]?.body, mine[0]?.created_by],
              ['From elsewhere', `user:${grace.id}`],
            )
            await comments.resolve({ boardId: board, threadId: made.id, resolved: true, by: ada.id })
            await eventually(async () => (await page.getByRole('button', { name: 'Ada (2)' }).count()) === 0)
          })
        },
        { allowedOrigins: [origin] },
      )
    } finally {
      app.closeAllConnections()
      app.close()
    }
  },
)

elsewhere.run()
inBrowser.end()
