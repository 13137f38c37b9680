// Printing, which is also how a PDF is made.
import { draw, focusCanvas, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { eventually } from '../helpers/eventually.ts'

const printing = canvasFile('printing a board')

printing.test('puts the drawing on a sheet of its own, for guests too', async ({ ada, open }) => {
  const boardId = await ada.board()
  const { url } = await ada.link(boardId, 'edit')
  const page = await open(url)
  await page.getByLabel('Your name').fill('Katherine')
  await page.getByRole('button', { name: 'Open the board' }).click()
  await saysSync(page, 'Saved')
  await focusCanvas(page)
  await draw(page, 'r', [300, 250], [380, 320])
  // The browser's own dialog would wait for somebody.
  await page.evaluate(
    "window.print = () => { window.printed = document.querySelectorAll('.print-sheet svg path').length }",
  )
  await page.getByTestId('main-menu-trigger').click()
  await page.getByText('Print or save as PDF').click()
  const isPrinted = () => eventually(async () => Number(await page.evaluate('window.printed ?? 0')) > 0)
  await isPrinted()
  await page.evaluate("window.printed = 0; dispatchEvent(new Event('afterprint'))")
  await page.keyboard.press('Control+p')
  await isPrinted()
  // Another page, or the board by the browser's own menu, is printed as it is.
  await page.evaluate("dispatchEvent(new Event('afterprint'))")
  await page.emulateMedia({ media: 'print' })
  await page.locator('.board-bar').waitFor()
})

printing.run()
