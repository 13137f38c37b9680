// Single sign-on in the browser: the button, a refusal with its message, and signing out.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withBrowser } from '../helpers/browser.ts'
import { browserTests } from '../helpers/canvas-server.ts'
import { findChromium } from '../helpers/chromium.ts'
import { freePort } from '../helpers/free-port.ts'
import { withProvider } from '../helpers/oidc.ts'
import { withServer } from '../helpers/server.ts'

const tests = suite('single sign-on in the browser')
const browserOnly = browserTests(findChromium(), tests)
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const clientFolder = fileURLToPath(new URL('../../canvas', import.meta.url))

for (const passwords of ['on', 'off'] as const) {
  browserOnly.add(
    `a button leads in, with passwords ${passwords}, and a refusal is said on the page`,
    async (chromium) => {
      const port = await freePort()
      const base = `http://localhost:${port}`
      await withProvider(base, (provider) =>
        withServer(
          () =>
            withBrowser(chromium, async (browser) => {
              provider.person = { sub: 'a-1', email: 'ada@example.org', email_verified: false, name: 'Ada' }
              const { page } = await browser.open(`${base}/templates`, { expected: /127\.0\.0\.1|40[13]/ })
              const button = page.getByRole('link', { name: 'Sign in with Acme' })
              await button.click()
              await page.getByRole('alert').getByText('not verified').waitFor()
              await button.waitFor()
              await page.evaluate(axe)
              const faults = await page.evaluate(
                'axe.run(document).then(({ violations }) => violations.map(({ id }) => id))',
              )
              assert.equal(faults, [])
              const folder = process.env.TEST_SCREENSHOTS
              if (folder !== undefined) {
                await page.screenshot({ path: `${folder}/sso-${passwords}.png` })
                await page.setViewportSize({ width: 390, height: 844 })
                await page.screenshot({ path: `${folder}/sso-${passwords}-phone.png` })
                await page.setViewportSize({ width: 1200, height: 800 })
              }
              if (passwords === 'off') {
                assert.is(await page.getByLabel('Password').count(), 0)
                await page.getByRole('button', { name: 'Use a password (sysadmins only)' }).click()
                await page.getByLabel('Password').waitFor()
              }
              provider.person = { sub: 'a-1', email: 'ada@example.org', email_verified: true, name: 'Ada' }
              await button.click()
              await page.getByRole('heading', { name: 'Templates' }).waitFor()
              assert.is(new URL(page.url()).pathname, '/templates', 'where the first try wanted to go')
              await page.goto(base)
              await page.getByRole('heading', { name: 'Start with a board' }).waitFor()
              await page.getByRole('button', { name: /Ada/ }).first().click()
              await page.getByRole('menuitem', { name: 'Sign out' }).click()
              await page.waitForURL((url) => url.origin === provider.issuer)
            }),
          { ...provider.settings, port, clientFolder, passwords, oidcName: 'Acme' },
        ),
      )
    },
  )
}

tests.run()
browserOnly.end()
