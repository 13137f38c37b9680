// A server that requires a second factor of everybody, in the browser: it is set up first, and then the requested
// page opens.
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withBrowser } from '../helpers/browser.ts'
import { browserTests } from '../helpers/canvas-server.ts'
import { findChromium } from '../helpers/chromium.ts'
import { faultsOf } from '../helpers/looks.ts'
import { oneTimeCode } from '../helpers/one-time-code.ts'
import { withServer } from '../helpers/server.ts'

const tests = suite('a second factor that is required, in the browser')
const browserOnly = browserTests(findChromium(), tests)
const clientFolder = fileURLToPath(new URL('../../canvas', import.meta.url))
const password = 'correct horse battery staple'

browserOnly.add('is set up before anything else, and then leads to where one wanted to go', (chromium) =>
  withServer(
    (server) =>
      withBrowser(chromium, async (browser) => {
        const bob = await server.user('Bob')
        const base = `http://localhost:${new URL(server.origin).port}`
        const { page } = await browser.open(`${base}/templates`, { expected: /40[13]/ })
        await page.getByLabel('E-mail').fill(bob.email)
        await page.getByLabel('Password').fill(password)
        await page.getByRole('button', { name: 'Sign in' }).click()
        await page.getByText('This server asks for a second factor').waitFor()
        const factor = page.getByRole('region', { name: 'Second factor' })
        await factor.getByLabel('Your password again').fill('wrong')
        await factor.getByRole('button', { name: 'Set up' }).click()
        await factor.getByRole('alert').getByText('the current password is wrong').waitFor()
        await factor.getByLabel('Your password again').fill(password)
        await factor.getByRole('button', { name: 'Set up' }).click()
        const secret = (await factor.locator('.secret').textContent()) ?? ''
        await factor.getByLabel('The code that the app shows now').fill(oneTimeCode(secret))
        await factor.getByRole('button', { name: 'Switch on' }).click()
        await factor.getByText('it stays on').waitFor()
        assert.is(await factor.getByRole('button', { name: 'Switch off' }).count(), 0)
        assert.equal(await faultsOf(page), [])
        await page.getByRole('link', { name: 'Continue to where you were going' }).click()
        await page.getByRole('heading', { name: 'Templates' }).waitFor()

        // People without one who open a page, even a board, are redirected to set it up.
        const cyd = await server.user('Cyd')
        const cookie = cyd.cookie
        const board = await bob.board().catch(() => '0b0e7b7e-0000-4000-8000-000000000000')
        const other = await browser.open(`${base}/b/${board}`, { cookie, expected: /40[13]|WebSocket/ })
        await other.page.getByText('This server asks for a second factor').waitFor()
        assert.is(new URL(other.page.url()).searchParams.get('next'), `/b/${board}`)
        for (const path of ['/', '/consent', '/records', '/agents']) {
          await other.page.goto(base + path)
          await other.page.getByText('This server asks for a second factor').waitFor()
        }
        await other.page.goto(`${base}/account?next=//evil.example/`)
        await other.page.getByText('This server asks for a second factor').waitFor()
        assert.is(await other.page.locator('a[href*="evil"]').count(), 0)
      }),
    { clientFolder, require2fa: 'all' },
  ),
)

tests.run()
browserOnly.end()
