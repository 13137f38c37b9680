// What of a drawing one sees first: all of it, as large as that allows, beside the tools that lie over the canvas.
import { getCommonBounds } from '@excalidraw/excalidraw'
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types'
import type { AppState, ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'

/** Elements that are drawn at once in a tenth of a second. */
const mostToFit = 800
/** Excalidraw's own limit: nobody gets further away. */
const smallestZoom = 0.1
const margin = { x: 24, y: 96 }

type View = Pick<AppState, 'scrollX' | 'scrollY' | 'zoom'>

const viewKey = (boardId: string) => `boardroom-view:${boardId}`

/** For the next time that this tab shows the board. */
export const keepView = (boardId: string, { scrollX, scrollY, zoom }: View): void => {
  try {
    sessionStorage.setItem(viewKey(boardId), JSON.stringify([scrollX, scrollY, zoom.value]))
  } catch {
    // no room, or not allowed: the board opens as it does for everybody
  }
}

/** Where this tab had been on the board. @returns false where it had not been there */
export const showKeptView = (excalidraw: ExcalidrawImperativeAPI, boardId: string): boolean => {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(viewKey(boardId)) ?? 'null')
    if (!Array.isArray(kept) || kept.length !== 3 || !kept.every(Number.isFinite)) return false
    const [scrollX, scrollY, value] = kept as [number, number, AppState['zoom']['value']] // three numbers, by the line above
    excalidraw.updateScene({ appState: { scrollX, scrollY, zoom: { value } } })
    return true
  } catch {
    return false
  }
}

/** All of the drawing, where drawing all of it takes no time to speak of; else its middle. */
export const showStartView = (excalidraw: ExcalidrawImperativeAPI): void => {
  const elements = excalidraw.getSceneElements()
  if (elements.length > mostToFit) excalidraw.scrollToContent(undefined, { animate: false })
  else excalidraw.updateScene({ appState: viewOf(elements, excalidraw.getAppState()) })
}

/** Excalidraw fits to whole tenths of its scale, which on a phone are the difference between half and all of a drawing. */
const viewOf = (
  elements: readonly ExcalidrawElement[],
  { width, height }: Pick<AppState, 'width' | 'height'>,
): View => {
  const [left, top, right, bottom] = getCommonBounds(elements)
  const fitting = Math.min(
    (width - 2 * margin.x) / Math.max(right - left, 1),
    (height - 2 * margin.y) / Math.max(bottom - top, 1),
  )
  const zoom = Math.min(1, Math.max(smallestZoom, fitting))
  // What lies far from everything else would have people look at the nothing between.
  const [x, y] = fitting < smallestZoom ? middleOf(elements) : [(left + right) / 2, (top + bottom) / 2]
  return {
    scrollX: width / 2 / zoom - x,
    scrollY: height / 2 / zoom - y,
    zoom: { value: zoom as AppState['zoom']['value'] }, // a plain number with a name
  }
}

/** Where as many elements lie to the one side as to the other. */
const middleOf = (elements: readonly ExcalidrawElement[]): [number, number] => {
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0
  return [middle(elements.map(({ x }) => x)), middle(elements.map(({ y }) => y))]
}
