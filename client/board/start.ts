// Where the page of a board begins (board.html): first the drawing is asked for, then what shows it. The page names
// both in its head, so that they come at the same time.
import { openEarly } from './opening.ts'

openEarly()
void import('../pages/board.tsx')
void styled().then(() => import('../main.tsx'))

/** The page's styles, which come after its first look and nearly always before the editor. */
async function styled(): Promise<void> {
  // Everything has come or failed by then, styles that failed before anybody listened too.
  const isLoaded = new Promise((resolve) => window.addEventListener('load', resolve, { once: true }))
  if (document.readyState === 'loading')
    await new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve, { once: true }))
  if (document.readyState === 'complete') return
  const coming = [...document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]')].filter(
    ({ sheet }) => sheet === null,
  )
  const areStyled = coming.map(
    (link) =>
      new Promise((resolve) => {
        link.addEventListener('load', resolve)
        link.addEventListener('error', resolve)
      }),
  )
  await Promise.race([isLoaded, Promise.all(areStyled)])
}
