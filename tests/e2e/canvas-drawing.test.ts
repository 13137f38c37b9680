// What a board can hold beside plain shapes, and what two people do to the same of it: in both windows and in the document.
import * as assert from 'uvu/assert'
import { drag, draw, elementsOn, focusCanvas, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { eventually } from '../helpers/eventually.ts'
import { agree, openTwo } from '../helpers/together.ts'

const drawing = canvasFile('a drawing of two')

drawing.test('has frames, and what is in a frame moves with it', async (about) => {
  const two = await openTwo(about)
  const { ada, grace } = two
  await draw(ada, 'f', [300, 200], [600, 450])
  await draw(ada, 'r', [350, 250], [450, 330])
  const [inside] = (await agree(two, 2)).filter(({ type }) => type === 'rectangle')
  assert.is(inside?.frameId, (await elementsOn(grace)).find(({ type }) => type === 'frame')?.id)
  await grace.keyboard.press('v')
  await drag(grace, [300, 400], [340, 440])
  const [moved] = (await agree(two, 2)).filter(({ type }) => type === 'rectangle')
  assert.is(Math.round(Number(moved?.x) - Number(inside?.x)), 40)
  assert.is(Math.round(Number(moved?.y) - Number(inside?.y)), 40)
})

drawing.test('has groups that come apart again, and an order that either of them changes', async (about) => {
  const two = await openTwo(about)
  const { ada, grace } = two
  await draw(ada, 'r', [300, 200], [400, 300])
  await draw(ada, 'o', [340, 240], [440, 340])
  await draw(ada, 'd', [380, 280], [480, 380])
  await agree(two, 3)
  await ada.keyboard.press('Control+a')
  await ada.keyboard.press('Control+g')
  await eventually(async () => (await elementsOn(grace)).every(({ groupIds }) => isFilled(groupIds)))
  await focusCanvas(grace)
  await grace.keyboard.press('Control+a')
  await grace.keyboard.press('Control+Shift+g')
  await eventually(async () => (await elementsOn(ada)).every(({ groupIds }) => !isFilled(groupIds)))
  await focusCanvas(grace)
  await grace.keyboard.press('v')
  await grace.mouse.click(300, 250)
  await grace.keyboard.press('Control+Shift+]')
  await eventually(async () => (await elementsOn(ada)).at(-1)?.type === 'rectangle')
  const order = (await agree(two, 3)).map(({ type }) => type)
  assert.equal(order, ['ellipse', 'diamond', 'rectangle'])
})

const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0

drawing.test(
  'keeps both when one recolours what the other moves; each undoes only their own',
  async (about) => {
    const two = await openTwo(about)
    const { ada, grace } = two
    await draw(ada, 'r', [300, 200], [400, 300])
    const [before] = await agree(two, 1)
    await grace.keyboard.press('v')
    await grace.mouse.click(300, 250)
    await Promise.all([
      ada.getByTestId('color-top-pick-#e03131').click(),
      drag(grace, [300, 250], [300, 450]),
    ])
    await eventually(async () => {
      const [both] = await elementsOn(ada)
      return both?.strokeColor === '#e03131' && Math.round(Number(both.y) - Number(before?.y)) === 200
    })
    const [both] = await agree(two, 1)
    await ada.locator('.excalidraw').first().focus()
    await ada.keyboard.press('Control+z')
    await eventually(async () => (await elementsOn(grace))[0]?.strokeColor === before?.strokeColor)
    assert.is((await agree(two, 1))[0]?.y, both?.y)
    // Without a click: clearing the selection would be a step to undo by itself.
    await grace.locator('.excalidraw').first().focus()
    await grace.keyboard.press('Control+z')
    await eventually(async () => (await elementsOn(ada))[0]?.y === before?.y)
    await agree(two, 1)
  },
)

drawing.test('is copied and pasted, also from one board to another', async (about) => {
  const two = await openTwo(about)
  const { ada, owner } = two
  await draw(ada, 'r', [300, 200], [400, 300])
  await agree(two, 1)
  await ada.keyboard.press('Control+c')
  await ada.mouse.move(700, 500)
  await ada.keyboard.press('Control+v')
  await agree(two, 2)
  const other = await owner.board('Another')
  await ada.goto(`${about.server.origin}/b/${other}`)
  await saysSync(ada, 'Saved')
  await focusCanvas(ada)
  await ada.keyboard.press('Control+v')
  await eventually(async () => (await owner.scene(other)).elements.length === 1)
})

drawing.test('takes items of one’s own library, which is still there after a reload', async (about) => {
  const two = await openTwo(about)
  const { ada } = two
  await draw(ada, 'r', [300, 200], [400, 300])
  await agree(two, 1)
  const openLibrary = () => ada.locator('.sidebar-trigger').click()
  await openLibrary()
  // It pulses for ever, so it is never still.
  await ada.locator('.library-unit__pulse').click({ force: true })
  await eventually(async () => (await ada.locator('.library-unit').count()) >= 1)
  await eventually(() =>
    ada.evaluate("JSON.parse(localStorage.getItem('boardroom-library') ?? '[]').length === 1"),
  )
  await ada.reload()
  await saysSync(ada, 'Saved')
  await openLibrary()
  await ada.locator('.library-unit__dragger').first().click()
  const [first, second] = await agree(two, 2)
  assert.is(second?.width, first?.width)
})

drawing.test('shows what the other has selected, and whose pointer is where', async (about) => {
  const { ada, grace } = await openTwo(about)
  await draw(ada, 'r', [300, 200], [400, 300])
  const id = await eventually(async () => (await elementsOn(grace))[0]?.id)
  await ada.mouse.move(512, 345)
  await eventually(async () => {
    const [other] = await collaborators(grace)
    assert.is(other?.username, 'Ada')
    assert.equal(other?.selectedElementIds, { [id]: true })
    assert.ok(other?.pointer)
    return true
  })
})

interface Collaborator {
  username?: string
  selectedElementIds?: Record<string, boolean>
  pointer?: { x: number; y: number }
}

/** The others, as the canvas draws them. */
const collaborators = async (page: Parameters<typeof elementsOn>[0]): Promise<Collaborator[]> =>
  (await page.evaluate(readCollaborators)) as Collaborator[] // as Excalidraw keeps them

const readCollaborators = `(() => {
  const root = document.querySelector('.excalidraw')
  const key = root && Object.keys(root).find((name) => name.startsWith('__reactFiber$'))
  let fiber = key ? root[key] : null
  while (fiber && !fiber.stateNode?.scene) fiber = fiber.return
  return fiber ? [...fiber.stateNode.state.collaborators.values()] : []
})()`

drawing.run()
