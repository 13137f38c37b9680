// A board's page as a person uses it: keys, mouse, visible texts; and what its canvas really contains.
import type { Page } from 'playwright-core'
import { readElement, type SceneElement } from '../../shared/element.ts'
import { storedProperties } from '../../shared/scene.ts'

const waitMs = 60_000

/** Waits until the page shows `text` as its sync status: `Saved`, `Read-only`, `Offline`. */
export const saysSync = (page: Page, text: string): Promise<void> =>
  page.getByTestId('sync').filter({ hasText: text }).waitFor({ timeout: waitMs })

/** Drags from one point of the page to another, with the tool of a key (`r` rectangle, `p` pencil, `a` arrow, …). */
export const draw = async (
  page: Page,
  key: string,
  from: readonly [number, number],
  to: readonly [number, number],
): Promise<void> => {
  await page.keyboard.press('Escape')
  await page.keyboard.press(key)
  await drag(page, from, to)
}

export const drag = async (
  page: Page,
  from: readonly [number, number],
  to: readonly [number, number],
): Promise<void> => {
  await page.mouse.move(...from)
  await page.mouse.down()
  await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2, { steps: 4 })
  await page.mouse.move(...to, { steps: 4 })
  await page.mouse.up()
}

/** Focuses the canvas and selects the selection tool; draws and selects nothing. */
export const focusCanvas = async (page: Page): Promise<void> => {
  await page.locator('.excalidraw').first().focus()
  await page.keyboard.press('Escape')
  const { width = 1200, height = 800 } = page.viewportSize() ?? {}
  await page.mouse.click(Math.min(600, width / 2), Math.min(700, height - 200))
}

/**
 * The editor is a React component, and React stores it here; only tests look there. Text instead of a function,
 * because this file is compiled for Node and knows no DOM.
 */
const sceneElements = `(() => {
  const root = document.querySelector('.excalidraw')
  const key = root && Object.keys(root).find((name) => name.startsWith('__reactFiber$'))
  let fiber = key ? root[key] : null
  while (fiber && !fiber.stateNode?.scene) fiber = fiber.return
  return fiber ? fiber.stateNode.scene.getNonDeletedElements() : []
})()`
const readCanvas = `JSON.parse(JSON.stringify(${sceneElements}))`

/** In the page: the `x` of the first element on the canvas. */
export const firstPlace = `${sceneElements}[0]?.x`

/** The elements on the canvas, from the editor's own memory. */
export const elementsOn = async (page: Page): Promise<SceneElement[]> => {
  const elements: unknown = await page.evaluate(readCanvas)
  return (elements as Record<string, unknown>[]).flatMap((raw) => readElement(raw) ?? [])
}

/** The shared part of elements, by id: what two canvases and the document must agree on. */
export const sharedPart = (elements: readonly SceneElement[]): Record<string, unknown> =>
  Object.fromEntries(elements.map((element) => [element.id, storedProperties(element)]))
