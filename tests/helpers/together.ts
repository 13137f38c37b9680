// Two people on one board, each in a separate window.
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import type { SceneElement } from '../../shared/element.ts'
import { elementsOn, focusCanvas, saysSync, sharedPart } from './board-page.ts'
import { type CanvasTest, canvasFile } from './canvas-file.ts'
import type { CanvasPerson } from './canvas-server.ts'
import { eventually } from './eventually.ts'

export interface Two {
  ada: Page
  grace: Page
  /** Ada. */
  owner: CanvasPerson
  boardId: string
}

/**
 * A suite `name` about two people, with one pair of windows: opening them takes longer than most of the tests. Each
 * test begins with an empty board, in the view and with the tools that the previous one left.
 */
export const togetherFile = (name: string) => {
  const file = canvasFile(name)
  let windows: Two | null = null
  return {
    test(sentence: string, work: (two: Two, about: CanvasTest) => Promise<void>): void {
      file.test(sentence, async (about) => {
        const two = windows ?? (await openTwo(about))
        windows = null // after a failure the next test has new windows
        await two.owner.importScene(two.boardId, [], true)
        await agree(two, 0)
        for (const page of [two.ada, two.grace]) await focusCanvas(page)
        await work(two, about)
        windows = two
      })
    },
    run: file.run,
  }
}

/** Both may edit, and both have the board open. */
const openTwo = async ({ ada, grace, openForAll }: CanvasTest): Promise<Two> => {
  const boardId = await ada.board()
  await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
  const [first, second] = await Promise.all([
    openForAll(`/b/${boardId}`, { cookie: ada.cookie }),
    openForAll(`/b/${boardId}`, { cookie: grace.cookie }),
  ])
  return { ada: first, grace: second, owner: ada, boardId }
}

/**
 * Waits until both canvases and the document hold the same `count` elements, in the same order, and everything is
 * saved.
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
    { withinMs: 60_000, everyMs: 50 },
  )
  await Promise.all([saysSync(ada, 'Saved'), saysSync(grace, 'Saved')])
  return agreed
}
