// Two people at one board in real browsers: what one does the other sees, and it is what the document says.
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { drag, draw, elementsOn, focusCanvas } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { eventually } from '../helpers/eventually.ts'
import { agree, openTwo } from '../helpers/together.ts'

const together = canvasFile('two people at one board')

together.test(
  'see each other’s shapes, strokes, words and arrows, and undo only their own',
  async (about) => {
    const two = await openTwo(about)
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
  },
)

together.test('keep an arrow on its shape when the other moves the shape', async (about) => {
  const two = await openTwo(about)
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
})

together.test('delete, reorder, group, copy and paste', async (about) => {
  const two = await openTwo(about)
  const { ada, grace } = two
  await draw(ada, 'r', [300, 200], [400, 300])
  await draw(ada, 'o', [350, 250], [450, 350])
  await agree(two, 2)
  await focusCanvas(grace)
  await grace.keyboard.press('Control+a')
  await grace.keyboard.press('Control+g')
  await agree(two, 2)
  assert.is(
    (await elementsOn(ada)).filter(({ groupIds }) => Array.isArray(groupIds) && groupIds.length === 1).length,
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
})

together.test('see who else is there, and follow where they look', async (about) => {
  const { ada, grace } = await openTwo(about)
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
})

together.test('keep their windows alive while one drags five hundred elements', async (about) => {
  const two = await openTwo(about)
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
})

together.run()
