// The entry point of a board page (board.html): it first requests the drawing, then the code that shows it. The head
// of the page names both, so that they load in parallel.
import { openEarly } from './opening.ts'

openEarly()
void import('../pages/board.tsx')
void styled().then(() => import('../main.tsx'))

/** The page's styles, which load after the first content and nearly always before the editor. */
async function styled(): Promise<void> {
  // By then everything has loaded or failed, including styles that failed before there was a listener.
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
