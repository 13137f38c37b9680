// Where Chromium is: on this machine, or downloaded by playwright-core into the checkout.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const names = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
  'chrome',
]
const elsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]
const fetchLimitMs = 120_000
const none = 'none'

/** Set by the runner, which looks once for all files: a path, or `none`. */
export const chromiumVariable = 'BOARDROOM_CHROMIUM'

/** The path of a Chromium, null if there is none and none can be downloaded. */
export function findChromium(): string | null {
  const told = process.env[chromiumVariable]
  if (told === none) return null
  const inPath = (process.env.PATH ?? '')
    .split(path.delimiter)
    .flatMap((folder) => names.map((name) => path.join(folder, name)))
  const found = [told ?? '', ...inPath, ...elsewhere].find((file) => file !== '' && existsSync(file))
  return found ?? fetched()
}

export const chromiumEnvironment = (found: string | null): Record<string, string> => ({
  [chromiumVariable]: found ?? none,
})

/** playwright-core's own, stored among the packages: nothing is installed outside the checkout. */
function fetched(): string | null {
  process.env.PLAYWRIGHT_BROWSERS_PATH ??= path.resolve('node_modules/.cache/playwright')
  const require = createRequire(import.meta.url)
  // Loaded only now, because it reads the variable when it is loaded.
  const { chromium } = require('playwright-core') as typeof import('playwright-core')
  const own = (): string | null => {
    try {
      const file = chromium.executablePath()
      return existsSync(file) ? file : null
    } catch {
      return null // playwright-core has none for this system
    }
  }
  const known = own()
  if (known !== null) return known
  const cli = path.join(require.resolve('playwright-core/package.json'), '../cli.js')
  spawnSync(process.execPath, [cli, 'install', 'chromium'], { stdio: 'ignore', timeout: fetchLimitMs })
  return own()
}
