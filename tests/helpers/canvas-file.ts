// The browser tests of one file, with one server and one browser: starting those takes longer than most of the tests.
import type { Page } from 'playwright-core'
import { suite } from 'uvu'
import type { BoardroomOptions } from '../../server/boardroom.ts'
import { type OpenOptions, type TestBrowser, type Window, withBrowser } from './browser.ts'
import { browserTests, type CanvasPerson, type CanvasServer, withCanvas } from './canvas-server.ts'
import { findChromium } from './chromium.ts'

interface Shared {
  server: CanvasServer
  ada: CanvasPerson
  grace: CanvasPerson
}

export interface CanvasTest extends Shared {
  /** A new window. It is closed after the test, which fails if the page had problems. */
  open(address: string, options?: OpenOptions): Promise<Page>
  /** A window that stays open for the following tests, until one of them fails. */
  openForAll(address: string, options?: OpenOptions): Promise<Page>
}

/** A suite `name` of browser tests, which share the people and create their own boards. Ends with `run()`. */
export const canvasFile = (name: string, options: Partial<BoardroomOptions> = {}) => {
  const tests = suite(name)
  const browserOnly = browserTests(findChromium(), tests)
  let started: Promise<Shared & { browser: TestBrowser }> | null = null
  let lasting: Window[] = []
  let finish = () => {}
  let finished: Promise<void> = Promise.resolve()

  const start = (chromium: string) =>
    new Promise<Shared & { browser: TestBrowser }>((resolve, reject) => {
      finished = withCanvas(
        (server) =>
          withBrowser(chromium, async (browser) => {
            const ada = await server.user('Ada')
            const grace = await server.user('Grace')
            const isOver = new Promise<void>((over) => {
              finish = over
            })
            resolve({ server, ada, grace, browser })
            await isOver
          }),
        options,
      )
      finished.catch(reject)
    })

  tests.after(async () => {
    finish()
    await finished
  })
  return {
    test(sentence: string, work: (about: CanvasTest) => Promise<void>): void {
      browserOnly.add(sentence, async (chromium) => {
        started ??= start(chromium)
        const { browser, ...shared } = await started
        const own: Window[] = []
        const openInto =
          (windows: Window[]) =>
          async (address: string, options?: OpenOptions): Promise<Page> => {
            const window = await browser.open(new URL(address, shared.server.origin).href, options)
            windows.push(window)
            return window.page
          }
        try {
          await work({ ...shared, open: openInto(own), openForAll: openInto(lasting) })
          const troubles = [...own, ...lasting].flatMap((window) => window.troubles.splice(0))
          if (troubles.length > 0) throw new Error(`the pages had trouble:\n${troubles.join('\n')}`)
        } catch (error) {
          own.push(...lasting)
          lasting = []
          for (const { troubles } of own) console.log(troubles.splice(0).join('\n'))
          throw error
        } finally {
          await Promise.all(own.map(({ page }) => page.context().close()))
        }
      })
    },
    run(): void {
      tests.run()
      browserOnly.end()
    },
  }
}
