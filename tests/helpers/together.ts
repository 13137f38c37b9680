// Two people at one board, each in a window of their own.
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import type { SceneElement } from '../../shared/element.ts'
import { elementsOn, focusCanvas, saysSync, sharedPart } from './board-page.ts'
import type { CanvasTest } from './canvas-file.ts'
import type { CanvasPerson } from './canvas-server.ts'
import { eventually } from './eventually.ts'

export interface Two {
  ada: Page
  grace: Page
  /** Ada. */
  owner: CanvasPerson
  boardId: string
}

/** Both may edit, and both have the board open. @param elements what is on it already */
export const openTwo = async (
  { ada, grace, open }: CanvasTest,
  elements: readonly unknown[] = [],
): Promise<Two> => {
  const boardId = await ada.board()
  if (elements.length > 0) await ada.importScene(boardId, elements)
  await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
  const [first, second] = await Promise.all([
    open(`/b/${boardId}`, { cookie: ada.cookie }),
    open(`/b/${boardId}`, { cookie: grace.cookie }),
  ])
  for (const page of [first, second]) {
    await saysSync(page, 'Saved')
    await focusCanvas(page)
  }
  return { ada: first, grace: second, owner: ada, boardId }
}

/**
 * Waits until both canvases and the document hold the same `count` elements, in the same order, and all is saved.
 * @returns the elements.
 */
export const agree = async (
  { ada, grace, owner, boardId }: Two,
  count: number,
): Promise<readonly SceneElement[]> => {
  const agreed = await eventually(
    async () => {
      const [first, second, { elements }] = await Promise.all([
        elementsOn(ada),
        elementsOn(grace),
        owner.scene(boardId),
      ])
      assert.is(elements.length, count)
      for (const canvas of [first, second]) {
        assert.equal(
          canvas.map(({ id }) => id),
          elements.map(({ id }) => id),
        )
        assert.equal(sharedPart(canvas), sharedPart(elements))
      }
      return elements
    },
    { withinMs: 15_000, everyMs: 50 },
  )
  await Promise.all([saysSync(ada, 'Saved'), saysSync(grace, 'Saved')])
  return agreed
}
