// The tools for taking pictures of pages. @see tests/screens.ts
import type { Page } from 'playwright-core'
import type { OpenOptions } from './browser.ts'
import type { CanvasPerson, CanvasServer } from './canvas-server.ts'

export interface Studio {
  server: CanvasServer
  ada: CanvasPerson
  grace: CanvasPerson
  /** A window of this size and theme. */
  open(address: string, options?: OpenOptions): Promise<Page>
  shoot(name: string, page: Page, how?: { fullPage?: boolean }): Promise<void>
}

/** Clicks an element by its role and name. */
export const press = (
  page: Page,
  name: string | RegExp,
  role: 'button' | 'tab' | 'link' | 'menuitem' = 'button',
) => page.getByRole(role, { name }).first().click()

export const settle = (page: Page) => page.waitForLoadState('networkidle')
