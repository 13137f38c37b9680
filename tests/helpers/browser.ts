// A real browser for tests of the canvas, and windows in it.
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Headless, asking nobody else for anything. */
export const browserFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface Window {
  page: Page
  /** Errors in the console or thrown, and requests to any other origin; must stay empty. */
  troubles: string[]
}

export interface OpenOptions extends BrowserContextOptions {
  /** `name=value; …` of a session. */
  cookie?: string
  /** Problems that this test causes on purpose. */
  expected?: RegExp
}

export interface TestBrowser {
  /** A window of its own: nothing shared with the others but the browser. */
  open(url: string, options?: OpenOptions): Promise<Window>
}

/**
 * @param hosts names or addresses that lead to 127.0.0.1, so that a page can come "from the LAN" without a LAN.
 * @throws when a page had trouble that the test did not expect.
 */
export const withBrowser = async (
  executablePath: string,
  work: (browser: TestBrowser) => Promise<void>,
  hosts: readonly string[] = [],
): Promise<void> => {
  const rules = hosts.map((host) => `MAP ${host} 127.0.0.1`).join(',')
  const browser = await chromium.launch({
    executablePath,
    args: [...browserFlags, ...(rules === '' ? [] : [`--host-resolver-rules=${rules}`])],
  })
  const windows: Window[] = []
  try {
    await work({ open: (url, options) => openWindow(browser, url, options ?? {}, windows) })
    const troubles = windows.flatMap((window) => window.troubles)
    if (troubles.length > 0) throw new Error(`the pages had trouble:\n${troubles.join('\n')}`)
  } finally {
    await browser.close()
  }
}

const openWindow = async (
  browser: Browser,
  url: string,
  { cookie, expected, ...options }: OpenOptions,
  windows: Window[],
): Promise<Window> => {
  const { origin } = new URL(url)
  const context = await browser.newContext({
    viewport: { width: 1200, height: 800 },
    acceptDownloads: true,
    ...options,
  })
  if (cookie !== undefined) {
    const cookies = cookie.split('; ').map((pair) => {
      const at = pair.indexOf('=')
      return { name: pair.slice(0, at), value: pair.slice(at + 1), url: origin }
    })
    await context.addCookies(cookies)
  }
  const page = await context.newPage()
  const troubles: string[] = []
  const note = (text: string) => {
    if (expected === undefined || !expected.test(text)) troubles.push(text)
  }
  page.on('console', (message) => {
    if (message.type() === 'error') note(`console: ${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => note(`thrown: ${error.stack ?? error.message}`))
  page.on('request', (request) => {
    const address = request.url()
    if (!/^(data|blob):/.test(address) && new URL(address).host !== new URL(origin).host)
      note(`request elsewhere: ${address}`)
  })
  const window = { page, troubles }
  windows.push(window)
  await page.goto(url)
  return window
}
