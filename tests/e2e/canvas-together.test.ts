// Two people on one board in real browsers: each sees what the other does, and it matches the document.
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import type { SceneElement } from '../../shared/element.ts'
import { drag, draw, elementsOn, firstPlace, focusCanvas, saysSync } from '../helpers/board-page.ts'
import { drawingElements } from '../helpers/drawings.ts'
import { eventually } from '../helpers/eventually.ts'
import { agree, togetherFile } from '../helpers/together.ts'

const together = togetherFile('two people at one board')

together.test('see each other’s shapes, strokes, words and arrows, and undo only their own', async (two) => {
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
  // Text is shared while it is being typed.
  await eventually(async () => (await elementsOn(ada)).some(({ text }) => text === 'hello there'))
  await grace.keyboard.press('Escape')
  await agree(two, 5)
  await focusCanvas(ada)
  await ada.keyboard.press('Control+z')
  await agree(two, 4)
  assert.not((await elementsOn(grace)).some(({ type }) => type === 'freedraw'))
  await ada.keyboard.press('Control+Shift+z')
  await agree(two, 5)
})

together.test('keep an arrow on its shape when the other moves the shape', async (two) => {
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

together.test('delete, reorder, group and take apart again, copy and paste', async (two) => {
  const { ada, grace } = two
  await draw(ada, 'r', [300, 200], [400, 300])
  await draw(ada, 'o', [350, 250], [450, 350])
  await agree(two, 2)
  await grace.keyboard.press('Control+a')
  await grace.keyboard.press('Control+g')
  await eventually(async () => (await elementsOn(ada)).every(({ groupIds }) => isFilled(groupIds)))
  await grace.keyboard.press('Control+d')
  await agree(two, 4)
  await ada.keyboard.press('Control+a')
  await ada.keyboard.press('Control+Shift+g')
  await eventually(async () => (await elementsOn(grace)).every(({ groupIds }) => !isFilled(groupIds)))
  await draw(ada, 'd', [700, 500], [760, 560])
  await ada.keyboard.press('Control+Shift+[')
  await agree(two, 5)
  assert.is((await elementsOn(grace))[0]?.type, 'diamond')
  await ada.bringToFront() // only the page in front can use the clipboard
  await ada.mouse.move(900, 500)
  await ada.keyboard.press('Control+c')
  // A busy browser may have nothing to paste yet, and then does nothing.
  await eventually(
    async () => {
      await ada.keyboard.press('Control+v')
      return eventually(async () => (await elementsOn(ada)).length === 6, { withinMs: 10_000 })
    },
    { withinMs: 40_000 },
  )
  await agree(two, 6)
  await ada.keyboard.press('Delete')
  await agree(two, 5)
})

const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0

together.test('has frames, and what is in a frame moves with it', async (two) => {
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

together.test(
  'keeps both when one recolours what the other moves; each undoes only their own',
  async (two) => {
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
    // Without a click: clearing the selection would be a separate undo step.
    await grace.locator('.excalidraw').first().focus()
    await grace.keyboard.press('Control+z')
    await eventually(async () => (await elementsOn(ada))[0]?.y === before?.y)
    await agree(two, 1)
  },
)

together.test('takes items of one’s own library, which is still there after a reload', async (two) => {
  const { ada, owner } = two
  await draw(ada, 'r', [300, 200], [400, 300])
  await agree(two, 1)
  const openLibrary = () => ada.locator('.sidebar-trigger').click()
  await openLibrary()
  // It pulses continuously, so it is never still.
  await ada.locator('.library-unit__pulse').click({ force: true })
  await eventually(async () => (await ada.locator('.library-unit').count()) >= 1)
  await eventually(
    async () => (await owner.ask<{ items: unknown[] }>('GET', '/me/library')).items.length === 1,
  )
  await ada.reload()
  await saysSync(ada, 'Saved')
  await openLibrary()
  await ada.locator('.library-unit__dragger').first().click()
  const [first, second] = await agree(two, 2)
  assert.is(second?.width, first?.width)
})

together.test(
  'have versions: one is named, looked at and restored, as the other window sees at once',
  async (two) => {
    const { ada, grace } = two
    await draw(ada, 'r', [300, 200], [400, 300])
    const [kept] = await agree(two, 1)
    await ada.getByTestId('main-menu-trigger').click()
    await ada.getByText('Versions', { exact: true }).click()
    await ada.getByLabel('Name of the version').fill('Before the workshop')
    await ada.getByRole('button', { name: 'Keep version' }).click()
    await ada.getByRole('button', { name: /Before the workshop/ }).waitFor()
    await ada.keyboard.press('Escape')
    await draw(grace, 'o', [500, 200], [600, 300])
    await grace.keyboard.press('Control+a')
    await grace.keyboard.press('Delete')
    await agree(two, 0)

    await ada.getByTestId('main-menu-trigger').click()
    await ada.getByText('Versions', { exact: true }).click()
    await ada.getByRole('button', { name: /Before the workshop/ }).click()
    await ada.getByRole('img', { name: 'The board as it was' }).waitFor()
    await ada.getByRole('button', { name: 'Restore this version' }).click()
    await ada.getByText(/The board as it is now \(0 elements\).*\(1 element\)/).waitFor()
    await ada.getByRole('button', { name: 'Replace the board' }).click()
    await grace.getByText('An earlier version was restored.').waitFor()
    const [back] = await agree(two, 1)
    assert.is(back?.id, kept?.id)

    await ada.getByRole('button', { name: 'Undo', exact: true }).filter({ hasText: 'Undo' }).click()
    await agree(two, 0)
  },
)

const placeOf = ({ id, x, y }: SceneElement) => ({ id, x, y })

together.test(
  'watch five hundred elements move while another drags them',
  async (_two, { ada, grace, open }) => {
    const boardId = await ada.board()
    await ada.importScene(boardId, drawingElements('hexagonal-architecture'))
    await ada.ask('POST', `/boards/${boardId}/permissions`, { user_id: grace.id, level: 'edit' })
    const [dragging, watching] = await Promise.all([
      open(`/b/${boardId}`, { cookie: ada.cookie }),
      open(`/b/${boardId}`, { cookie: grace.cookie }),
    ])
    await Promise.all([saysSync(dragging, 'Saved'), saysSync(watching, 'Saved')])
    const before = await elementsOn(watching)
    assert.ok(before.length > 500)
    await dragging.locator('.excalidraw').first().focus()
    await dragging.keyboard.press('Control+a')
    await watching.evaluate(`globalThis.places = new Set(); setInterval(() => places.add(${firstPlace}), 10)`)
    await drag(dragging, [600, 400], [700, 450])
    await eventually(
      async () => {
        const { elements } = await ada.scene(boardId)
        assert.ok(elements.every(({ x }, at) => x !== before[at]?.x))
        for (const page of [dragging, watching])
          assert.equal((await elementsOn(page)).map(placeOf), elements.map(placeOf))
        return true
      },
      { withinMs: 60_000, everyMs: 100 },
    )
    // Where it was, where it arrived, and what the window showed and rendered in between.
    const places = Number(await watching.evaluate('places.size'))
    assert.ok(places > 2, `the other window showed ${places} places`)
  },
)

together.test(
  'see who else is there, what they point at and select, and follow where they look',
  async ({ ada, grace }) => {
    await draw(ada, 'r', [300, 200], [420, 300])
    const id = await eventually(async () => (await elementsOn(grace))[0]?.id)
    await ada.mouse.move(500, 500)
    await eventually(async () => {
      const [other] = await collaborators(grace)
      assert.is(other?.username, 'Ada')
      assert.equal(other?.selectedElementIds, { [id]: true })
      assert.ok(other?.pointer)
      return true
    })
    const avatar = grace.locator('.UserList .Avatar').first()
    await avatar.hover()
    await grace.getByText('Ada').first().waitFor()
    await avatar.click()
    await grace.locator('.follow-mode').waitFor()
    // Ada scrolls somewhere else; the person who follows her scrolls along.
    await ada.mouse.wheel(0, 900)
    const zoomOf = (page: Page) => page.locator('.reset-zoom-button').textContent()
    await ada.keyboard.press('Control+-')
    await eventually(async () => (await zoomOf(ada)) !== '100%')
    await eventually(async () => (await zoomOf(grace)) === (await zoomOf(ada)))
  },
)

interface Collaborator {
  username?: string
  selectedElementIds?: Record<string, boolean>
  pointer?: { x: number; y: number }
}

/** The others, as the canvas draws them. */
const collaborators = async (page: Parameters<typeof elementsOn>[0]): Promise<Collaborator[]> =>
  (await page.evaluate(readCollaborators)) as Collaborator[] // as Excalidraw stores them

const readCollaborators = `(() => {
  const root = document.querySelector('.excalidraw')
  const key = root && Object.keys(root).find((name) => name.startsWith('__reactFiber$'))
  let fiber = key ? root[key] : null
  while (fiber && !fiber.stateNode?.scene) fiber = fiber.return
  return fiber ? [...fiber.stateNode.state.collaborators.values()] : []
})()`

together.run()
