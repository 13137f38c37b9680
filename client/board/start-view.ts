// The initial view of a drawing: all of it, as large as possible, next to the tools that cover the canvas.
import { getCommonBounds } from '@excalidraw/excalidraw'
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types'
import type { AppState, ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'

/** The number of elements that can be drawn within a tenth of a second. */
const mostToFit = 800
/** Excalidraw's own limit: nobody can zoom out further. */
const smallestZoom = 0.1
const margin = { x: 24, y: 96 }

type View = Pick<AppState, 'scrollX' | 'scrollY' | 'zoom'>

const viewKey = (boardId: string) => `boardroom-view:${boardId}`

/** For the next time that this tab shows the board. */
export const keepView = (boardId: string, { scrollX, scrollY, zoom }: View): void => {
  try {
    sessionStorage.setItem(viewKey(boardId), JSON.stringify([scrollX, scrollY, zoom.value]))
  } catch {
    // no space, or not allowed: the board opens with the default view
  }
}

/** Restores this tab's last view of the board. @returns false if there is none */
export const showKeptView = (excalidraw: ExcalidrawImperativeAPI, boardId: string): boolean => {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(viewKey(boardId)) ?? 'null')
    if (!Array.isArray(kept) || kept.length !== 3 || !kept.every(Number.isFinite)) return false
    const [scrollX, scrollY, value] = kept as [number, number, AppState['zoom']['value']] // three numbers, checked by the line above
    excalidraw.updateScene({ appState: { scrollX, scrollY, zoom: { value } } })
    return true
  } catch {
    return false
  }
}

/** All of the drawing, if drawing it takes negligible time; otherwise its middle. */
export const showStartView = (excalidraw: ExcalidrawImperativeAPI): void => {
  const elements = excalidraw.getSceneElements()
  if (elements.length > mostToFit) excalidraw.scrollToContent(undefined, { animate: false })
  else excalidraw.updateScene({ appState: viewOf(elements, excalidraw.getAppState()) })
}

/**
 * Excalidraw rounds the scale to tenths, which on a phone can be the difference between half and all of a drawing.
 */
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
  // With elements far from everything else, people would look at the empty space in between.
  const [x, y] = fitting < smallestZoom ? middleOf(elements) : [(left + right) / 2, (top + bottom) / 2]
  return {
    scrollX: width / 2 / zoom - x,
    scrollY: height / 2 / zoom - y,
    zoom: { value: zoom as AppState['zoom']['value'] }, // a plain number with a branded type
  }
}

/** The point with as many elements on one side as on the other. */
const middleOf = (elements: readonly ExcalidrawElement[]): [number, number] => {
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0
  return [middle(elements.map(({ x }) => x)), middle(elements.map(({ y }) => y))]
}
