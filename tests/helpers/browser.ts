// A real browser for tests of the canvas, and its windows.
import {
  type Browser,
  type BrowserContextOptions,
  type BrowserServer,
  chromium,
  type Page,
} from 'playwright-core'

/** The environment variable with which the runner passes its browser to test files: the address of its socket. */
export const browserVariable = 'BOARDROOM_TEST_BROWSER'

/** Headless, without requests to anybody else. */
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
  /** Console errors, uncaught errors, and requests to any other origin; must stay empty. */
  troubles: string[]
}

export interface OpenOptions extends BrowserContextOptions {
  /** `name=value; …` of a session. */
  cookie?: string
  /** Problems that this test causes on purpose. */
  expected?: RegExp
}

export interface TestBrowser {
  /** A separate window, which shares only the browser with the others. */
  open(url: string, options?: OpenOptions): Promise<Window>
}

/** Host names and addresses that lead to 127.0.0.1, so that a page can seem to come from the LAN or another site. */
const elsewhere = ['192.0.2.7', '*.example']
const launchOptions = (executablePath: string) => ({
  executablePath,
  args: [...browserFlags, `--host-resolver-rules=${elsewhere.map((host) => `MAP ${host} 127.0.0.1`)}`],
})

/** One browser for the test files of a run: starting it takes longer than most tests. */
export const startBrowser = (executablePath: string): Promise<BrowserServer> =>
  chromium.launchServer(launchOptions(executablePath))

/**
 * The runner's browser, if there is one; otherwise a new one.
 * @throws if a page had problems that the test did not expect.
 */
export const withBrowser = async (
  executablePath: string,
  work: (browser: TestBrowser) => Promise<void>,
): Promise<void> => {
  const shared = process.env[browserVariable]
  const browser = await (shared === undefined
    ? chromium.launch(launchOptions(executablePath))
    : chromium.connect(shared))
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
