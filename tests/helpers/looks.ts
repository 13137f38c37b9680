// The appearance of a page: for screen readers, as far as axe can tell, and for people, as pictures to look at.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const phone = { width: 390, height: 844 }

/** The problems that axe finds on the page, outside of the editor. */
export const faultsOf = async (page: Page): Promise<string[]> => {
  await page.evaluate(axe)
  return page.evaluate<string[]>(
    `axe.run({ exclude: ['.excalidraw'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
  )
}

/** A picture of the page on a desktop and on a phone, if TEST_SCREENSHOTS names a folder for them. */
export const shoot = async (page: Page, name: string): Promise<void> => {
  const folder = process.env.TEST_SCREENSHOTS
  if (folder === undefined) return
  const desktop = page.viewportSize()
  for (const [kind, size] of [['desktop', desktop] as const, ['phone', phone] as const]) {
    if (size !== null) await page.setViewportSize(size)
    await page.screenshot({ path: `${folder}/${name}-${kind}.png` })
  }
  if (desktop !== null) await page.setViewportSize(desktop)
}
