// Shapes for reuse: the team's, live, and one's own, which are available on another device.
import * as assert from 'uvu/assert'
import { draw, elementsOn, focusCanvas } from '../helpers/board-page.ts'
import { eventually } from '../helpers/eventually.ts'
import { agree, togetherFile } from '../helpers/together.ts'

const together = togetherFile('libraries at one board')

together.test('what one adds to the team’s library the other sees, and draws with', async (two) => {
  const { ada, grace } = two
  await draw(ada, 'r', [300, 200], [420, 300])
  await agree(two, 1)
  for (const page of [ada, grace]) {
    await page.getByTestId('main-menu-trigger').click()
    await page.getByText('Team library', { exact: true }).click()
    await page.getByText('Nothing here yet').waitFor()
  }
  // It stays open while something is selected on the board.
  await draw(ada, 'o', [300, 400], [400, 500])
  await ada.keyboard.press('Control+z')
  await agree(two, 1)
  await ada.keyboard.press('Control+a')
  await ada.getByRole('button', { name: 'Add what is selected' }).click()
  await grace.getByRole('button', { name: 'Draw this' }).click()
  await agree(two, 2)
  assert.equal(
    (await elementsOn(ada)).map(({ width }) => width),
    [120, 120],
  )
  assert.is(await grace.getByRole('button', { name: 'Remove this from the team library' }).count(), 0)
  await ada.getByRole('button', { name: 'Remove this from the team library' }).click()
  await grace.getByText('Nothing here yet').waitFor()
})

together.test('one’s own library is kept with the account', async (two, { open, ada: owner }) => {
  const { ada, boardId } = two
  await draw(ada, 'r', [300, 200], [420, 300])
  await agree(two, 1)
  await ada.mouse.click(300, 250, { button: 'right' })
  await ada.getByText('Add to library').click()
  await eventually(
    async () => (await owner.ask<{ items: unknown[] }>('GET', '/me/library')).items.length === 1,
  )
  const elsewhere = await open(`/b/${boardId}`, { cookie: owner.cookie })
  await focusCanvas(elsewhere)
  await elsewhere.locator('label.sidebar-trigger__label-element').first().click()
  await elsewhere.locator('.library-unit__dragger svg, .library-unit svg').first().waitFor()
})

together.run()
