// Two people editing the same thing in real browsers: an undo keeps what the other has done since, and nobody's words
// are lost.
import * as assert from 'uvu/assert'
import { drag, draw, elementsOn, focusCanvas } from '../helpers/board-page.ts'
import { eventually } from '../helpers/eventually.ts'
import { agree, togetherFile } from '../helpers/together.ts'

const together = togetherFile('two people editing the same thing')

together.test('an undo leaves what the other did, and says when nothing is left', async (two) => {
  const { ada, grace } = two
  const nothing = ada.getByText('Nothing of yours is left to undo')
  await draw(ada, 'r', [300, 200], [420, 300])
  await draw(ada, 'o', [600, 200], [700, 300])
  await agree(two, 2)
  const placeOf = async (page: typeof ada) =>
    (await elementsOn(page)).find(({ type }) => type === 'rectangle')?.x
  const drawnAt = await placeOf(ada)
  await focusCanvas(ada)
  await drag(ada, [300, 250], [400, 250])
  await eventually(async () => (await placeOf(grace)) !== drawnAt)
  await agree(two, 2)
  const moved = await placeOf(grace)
  await focusCanvas(grace)
  await drag(grace, [400, 250], [500, 250])
  await eventually(async () => (await placeOf(ada)) !== moved)
  await agree(two, 2)
  const theirs = await placeOf(ada)
  await focusCanvas(ada)
  let presses = 0
  for (; presses < 20 && (await nothing.count()) === 0; presses++) {
    await ada.keyboard.press('Control+z')
    await ada.waitForTimeout(150)
    const now = await placeOf(ada)
    assert.ok(now === undefined || now === theirs, `the other’s place is kept: ${now}`)
  }
  assert.is(await nothing.count(), 1)
  await agree(two, 0)
  await ada.getByTestId('button-redo').click()
  await agree(two, 1)
})

together.test('an undo leaves one shape, and its redo gives one’s own place', async (two) => {
  const { ada, grace } = two
  await draw(ada, 'r', [300, 200], [420, 300])
  await agree(two, 1)
  await ada.keyboard.press('Escape')
  await ada.keyboard.press('v')
  await ada.mouse.click(300, 250)
  const drawnAt = (await elementsOn(grace))[0]?.x
  await ada.keyboard.press('ArrowRight')
  await eventually(async () => (await elementsOn(grace))[0]?.x !== drawnAt)
  const own = (await elementsOn(ada))[0]?.x
  await focusCanvas(grace)
  await drag(grace, [305, 250], [505, 250])
  await eventually(async () => (await elementsOn(ada))[0]?.x !== own)
  await agree(two, 1)
  const theirs = (await elementsOn(ada))[0]?.x
  assert.is.not(own, theirs)
  await ada.getByTestId('button-undo').click()
  await ada.waitForTimeout(300)
  for (const { x } of await elementsOn(grace)) assert.is(x, theirs)
  for (let press = 0; press < 10 && (await ada.getByTestId('button-redo').isEnabled()); press++)
    await ada.keyboard.press('Control+Shift+z')
  await eventually(async () => (await elementsOn(grace))[0]?.x === own)
})

together.test('who types on in a text that the other deletes keeps their words', async (two) => {
  const { ada, grace } = two
  await draw(ada, 'r', [300, 200], [560, 320])
  await agree(two, 1)
  await focusCanvas(grace)
  await grace.mouse.dblclick(430, 260)
  await grace.locator('textarea.excalidraw-wysiwyg').waitFor()
  await grace.keyboard.type('inside')
  await eventually(async () => (await elementsOn(ada)).some(({ text }) => text === 'inside'))
  await focusCanvas(ada)
  await ada.keyboard.press('Control+a')
  await ada.keyboard.press('Delete')
  await eventually(async () => (await elementsOn(grace)).length === 1)
  await grace.keyboard.type(' words')
  await grace.keyboard.press('Escape')
  await agree(two, 1)
  assert.is((await elementsOn(ada))[0]?.text, 'inside words')
  // While idle, the text is released from its container.
  await eventually(async () => (await elementsOn(ada))[0]?.containerId === null)
  await agree(two, 1)
})

together.test('typing in one text is said, and both keep their words', async (two) => {
  const { ada, grace } = two
  await focusCanvas(ada)
  await ada.keyboard.press('t')
  await ada.mouse.click(400, 300)
  await ada.keyboard.type('the fox')
  await eventually(async () => (await elementsOn(grace)).some(({ text }) => text === 'the fox'))
  await focusCanvas(grace)
  await grace.mouse.dblclick(420, 300)
  await grace.locator('textarea.excalidraw-wysiwyg').waitFor()
  await grace.getByText('is typing in this text, too').waitFor()
  await grace.keyboard.press('End')
  await grace.keyboard.type(' jumps')
  await ada.keyboard.press('Home')
  await ada.keyboard.type('now ')
  await ada.keyboard.press('Escape')
  await grace.keyboard.press('Escape')
  await agree(two, 1)
  assert.is((await elementsOn(ada))[0]?.text, 'now the fox jumps')
})

together.run()
