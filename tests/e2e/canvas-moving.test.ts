// Moving shapes in the editor, whose own code for it is patched for large numbers (client/vite.config.ts).
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { drag, focusCanvas, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { eventually } from '../helpers/eventually.ts'

const moving = canvasFile('moving shapes')

const box = (id: string, x: number, more: object = {}) => ({
  ...{ id, type: 'rectangle', x, y: 300, width: 100, height: 80, backgroundColor: '#ffc9c9' },
  ...more,
})
/** Two boxes connected by an arrow, the second with a word in it, next to a group of two. */
const drawing = [
  box('left', 350, { boundElements: [{ id: 'arrow', type: 'arrow' }] }),
  box('right', 600, {
    boundElements: [
      { id: 'arrow', type: 'arrow' },
      { id: 'word', type: 'text' },
    ],
  }),
  {
    ...{
      id: 'word',
      type: 'text',
      text: 'word',
      containerId: 'right',
      x: 630,
      y: 328,
      width: 40,
      height: 25,
    },
    ...{ fontSize: 20, fontFamily: 5, textAlign: 'center', verticalAlign: 'middle' },
  },
  {
    ...{ id: 'arrow', type: 'arrow', x: 455, y: 340, width: 140, height: 0 },
    points: [
      [0, 0],
      [140, 0],
    ],
    startBinding: { elementId: 'left', focus: 0, gap: 5 },
    endBinding: { elementId: 'right', focus: 0, gap: 5 },
  },
  box('one', 760, { groupIds: ['pair'] }),
  box('other', 880, { groupIds: ['pair'] }),
]

interface Placed {
  id: string
  x: number
  y: number
  points?: [number, number][]
}

const dragBy = (page: Page, [x, y]: [number, number], [right, down]: [number, number]): Promise<void> =>
  drag(page, [x, y], [x + right, y + down])

const ended = (arrow: Placed | undefined): number | undefined =>
  arrow === undefined ? undefined : Math.round(arrow.x + (arrow.points?.at(-1)?.[0] ?? Number.NaN))

moving.test(
  'all at once keeps them as they are to each other; one alone takes its arrow’s end along',
  async ({ ada, open }) => {
    const boardId = await ada.board()
    await ada.importScene(boardId, drawing)
    const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
    await saysSync(page, 'Saved')
    const placed = async () => {
      const { elements } = await ada.scene(boardId)
      return new Map((elements as unknown as Placed[]).map((element) => [element.id, element]))
    }
    // Where the page shows it: the drawing opens in the middle of the window.
    const onPage = async (id: string): Promise<[number, number]> => {
      const { scrollX, scrollY, zoom } = await viewOf(page)
      const { x = 0, y = 0 } = (await placed()).get(id) ?? {}
      return [(x + 15 + scrollX) * zoom, (y + 15 + scrollY) * zoom]
    }
    const before = await placed()
    await page.keyboard.press('Control+a')
    await dragBy(page, await onPage('left'), [40, 120])
    const after = await eventually(async () => {
      const now = await placed()
      return now.get('left')?.y !== before.get('left')?.y && now
    })
    await saysSync(page, 'Saved')
    const { zoom } = await viewOf(page)
    for (const [id, { x, y, points }] of await placed()) {
      const was = before.get(id)
      assert.is(Math.round(x - (was?.x ?? 0)), Math.round(40 / zoom), id)
      assert.is(Math.round(y - (was?.y ?? 0)), Math.round(120 / zoom), id)
      assert.equal(points, was?.points)
    }
    assert.ok(after.size === before.size)

    await focusCanvas(page)
    const moved = await placed()
    await dragBy(page, await onPage('right'), [60, 0])
    await eventually(async () => (await placed()).get('right')?.x !== moved.get('right')?.x)
    await saysSync(page, 'Saved')
    const last = await placed()
    const by = Math.round(60 / zoom)
    assert.is(ended(last.get('arrow')), (ended(moved.get('arrow')) ?? 0) + by, 'the end goes along')
    assert.is(
      Math.round(last.get('word')?.x ?? 0),
      Math.round((moved.get('word')?.x ?? 0) + by),
      'and the word',
    )
    assert.is(last.get('left')?.x, moved.get('left')?.x)
    assert.is(last.get('one')?.x, moved.get('one')?.x)
  },
)

const viewOf = (page: Page): Promise<{ scrollX: number; scrollY: number; zoom: number }> =>
  page.evaluate(view)
/** From the editor's own memory; text, because it is compiled for Node. */
const view = `(() => {
  const root = document.querySelector('.excalidraw')
  const key = Object.keys(root).find((name) => name.startsWith('__reactFiber$'))
  let fiber = root[key]
  while (fiber && !fiber.stateNode?.scene) fiber = fiber.return
  const { scrollX, scrollY, zoom, offsetLeft, offsetTop } = fiber.stateNode.state
  return { scrollX: scrollX + offsetLeft / zoom.value, scrollY: scrollY + offsetTop / zoom.value, zoom: zoom.value }
})()`

moving.run()
