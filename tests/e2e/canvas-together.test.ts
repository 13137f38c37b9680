// Two people at one board in real browsers: what one does the other sees, and it is what the document says.
import type { Page } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { drag, draw, elementsOn, focusCanvas, saysSync, sharedPart } from '../helpers/board-page.ts'
import { withBrowser } from '../helpers/browser.ts'
import { browserTests, type CanvasPerson, withCanvas } from '../helpers/canvas-server.ts'
import { findChromium } from '../helpers/chromium.ts'
import { eventually } from '../helpers/eventually.ts'

const together = suite('two people at one board')
const tests = browserTests(findChromium(), together)

interface Two {
  ada: Page
  grace: Page
  owner: CanvasPerson
  boardId: string
}

const withTwo = (chromium: string, work: (two: Two) => Promise<void>): Promise<void> =>
  withCanvas((server) =>
    withBrowser(chromium, async (browser) => {
      const owner = await server.user('Ada')
      const other = await server.user('Grace')
      const boardId = await owner.board()
      await owner.ask('POST', `/boards/${boardId}/permissions`, { user_id: other.id, level: 'edit' })
      const url = `${server.origin}/b/${boardId}`
      const [{ page: ada }, { page: grace }] = await Promise.all([
        browser.open(url, { cookie: owner.cookie }),
        browser.open(url, { cookie: other.cookie }),
      ])
      for (const page of [ada, grace]) {
        await saysSync(page, 'Saved')
        await focusCanvas(page)
      }
      await work({ ada, grace, owner, boardId })
    }),
  )

/** Both canvases and the document are the same, everything is saved, and there are `count` elements. */
const agree = async ({ ada, grace, owner, boardId }: Two, count: number): Promise<void> => {
  await eventually(
    async () => {
      const [first, second, scene] = await Promise.all([
        elementsOn(ada),
        elementsOn(grace),
        owner.scene(boardId),
      ])
      assert.equal(
        first.map(({ id }) => id),
        scene.elements.map(({ id }) => id),
      )
      assert.equal(sharedPart(first), sharedPart(second))
      assert.equal(sharedPart(first), sharedPart(scene.elements))
      assert.is(first.length, count)
      return true
    },
    { withinMs: 60_000, everyMs: 50 },
  )
  await Promise.all([saysSync(ada, 'Saved'), saysSync(grace, 'Saved')])
}

tests.add('see each other’s shapes, strokes, words and arrows, and undo only their own', (chromium) =>
  withTwo(chromium, async (two) => {
    const { ada, grace } = two
    await draw(ada, 'r', [300, 200], [420, 280])
    await draw(grace, 'o', [600, 200], [700, 280])
    await agree(two, 2)
    await draw(ada, 'p', [300, 400], [500, 480])
    await draw(grace, 'a', [440, 240], [585, 240])
    await agree(two, 4)
    await focusCanvas(grace)
    await grace.keyboard.press('t')
    await grace.mouse.click(600, 400)
    await grace.keyboard.type('hello there')
    // What is typed is shared while it is being typed.
    await eventually(async () => (await elementsOn(ada)).some(({ text }) => text === 'hello there'))
    await grace.keyboard.press('Escape')
    await agree(two, 5)
    await focusCanvas(ada)
    await ada.keyboard.press('Control+z')
    await agree(two, 4)
    assert.not((await elementsOn(grace)).some(({ type }) => type === 'freedraw'))
    await ada.keyboard.press('Control+Shift+z')
    await agree(two, 5)
  }),
)

tests.add('keep an arrow on its shape when the other moves the shape', (chromium) =>
  withTwo(chromium, async (two) => {
    const { ada, grace } = two
    await ada.keyboard.press('r')
    await drag(ada, [300, 200], [420, 300])
    await agree(two, 1)
    await draw(grace, 'a', [700, 250], [425, 250])
    await agree(two, 2)
    const before = (await elementsOn(ada)).find(({ type }) => type === 'arrow')
    assert.ok(before?.endBinding, 'the arrow is bound')
    await ada.keyboard.press('Escape')
    await ada.keyboard.press('v')
    await drag(ada, [300, 240], [300, 440])
    await agree(two, 2)
    const after = (await elementsOn(grace)).find(({ type }) => type === 'arrow')
    assert.is.not(JSON.stringify(after?.points), JSON.stringify(before?.points))
  }),
)

tests.add('delete, reorder, group, copy and paste', (chromium) =>
  withTwo(chromium, async (two) => {
    const { ada, grace } = two
    await draw(ada, 'r', [300, 200], [400, 300])
    await draw(ada, 'o', [350, 250], [450, 350])
    await agree(two, 2)
    await focusCanvas(grace)
    await grace.keyboard.press('Control+a')
    await grace.keyboard.press('Control+g')
    await agree(two, 2)
    assert.is(
      (await elementsOn(ada)).filter(({ groupIds }) => Array.isArray(groupIds) && groupIds.length === 1)
        .length,
      2,
    )
    await grace.keyboard.press('Control+d')
    await agree(two, 4)
    await focusCanvas(ada)
    await ada.keyboard.press('Escape')
    await draw(ada, 'd', [700, 500], [760, 560])
    await ada.keyboard.press('Control+Shift+[')
    await agree(two, 5)
    assert.is((await elementsOn(grace))[0]?.type, 'diamond')
    await ada.keyboard.press('Delete')
    await agree(two, 4)
  }),
)

tests.add('see who else is there, and follow where they look', (chromium) =>
  withTwo(chromium, async ({ ada, grace }) => {
    await draw(ada, 'r', [300, 200], [420, 300])
    await ada.mouse.move(500, 500)
    const avatar = grace.locator('.UserList .Avatar').first()
    await avatar.waitFor()
    await avatar.hover()
    await grace.getByText('Ada').first().waitFor()
    await avatar.click()
    await grace.locator('.follow-mode').waitFor()
    // Ada goes somewhere else; the one who follows goes with her.
    await ada.mouse.wheel(0, 900)
    const zoomOf = (page: Page) => page.locator('.reset-zoom-button').textContent()
    await ada.keyboard.press('Control+-')
    await eventually(async () => (await zoomOf(ada)) !== '100%')
    await eventually(async () => (await zoomOf(grace)) === (await zoomOf(ada)))
  }),
)

tests.add('keep their windows alive while one drags five hundred elements', (chromium) =>
  withTwo(chromium, async (two) => {
    const { ada, grace, owner, boardId } = two
    const elements = Array.from({ length: 500 }, (_, at) => ({
      id: `many-${at}`,
      type: 'rectangle',
      x: (at % 25) * 16,
      y: Math.floor(at / 25) * 16,
      width: 12,
      height: 12,
      angle: 0,
      isDeleted: false,
      fillStyle: 'solid',
      strokeWidth: 2,
      strokeStyle: 'solid',
      roughness: 1,
      opacity: 100,
      strokeColor: '#1e1e1e',
      backgroundColor: 'transparent',
      seed: 1,
      groupIds: [],
      frameId: null,
      roundness: null,
      boundElements: [],
      link: null,
      locked: false,
    }))
    await owner.importScene(boardId, elements)
    await agree(two, 500)
    await focusCanvas(ada)
    await ada.keyboard.press('Control+a')
    const before = (await elementsOn(grace))[0]?.x
    // The longest time for which the other window does nothing else.
    await grace.evaluate(
      'globalThis.longest = 0; let last = performance.now(); setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - last); last = now }, 5)',
    )
    await drag(ada, [700, 500], [900, 600])
    await agree(two, 500)
    assert.is.not((await elementsOn(grace))[0]?.x, before)
    const longest = Number(await grace.evaluate('longest'))
    assert.ok(longest < 1500, `the other window stood still for ${longest} ms`)
  }),
)

together.run()
tests.end()
