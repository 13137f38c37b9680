// Where the page of a board begins (board.html): first the drawing is asked for, then what shows it. The page names
// both in its head, so that they come at the same time.
import { openEarly } from './opening.ts'

openEarly()
void import('../pages/board.tsx')
void styled().then(() => import('../main.tsx'))

/** The page's styles, which come after its first look and nearly always before the editor. */
async function styled(): Promise<void> {
  if (document.readyState === 'loading')
    await new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve, { once: true }))
  const coming = [...document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]')].filter(
    ({ sheet }) => sheet === null,
  )
  await Promise.all(
    coming.map(
      (link) =>
        new Promise((resolve) => {
          link.addEventListener('load', resolve)
          link.addEventListener('error', resolve)
        }),
    ),
  )
}
