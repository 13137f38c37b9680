// What of a drawing one sees first: all of it, as large as that allows, beside the tools that lie over the canvas.
import { getCommonBounds } from '@excalidraw/excalidraw'
import type { AppState, ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'

/** Elements that are drawn at once in a tenth of a second. */
const mostToFit = 800
/** Excalidraw's own limit: nobody gets further away. */
const smallestZoom = 0.1
const margin = { x: 24, y: 72 }

type View = Pick<AppState, 'scrollX' | 'scrollY' | 'zoom'>

/** All of the drawing, where drawing all of it takes no time to speak of; else its middle. */
export const showStartView = (excalidraw: ExcalidrawImperativeAPI): void => {
  const elements = excalidraw.getSceneElements()
  if (elements.length > mostToFit) excalidraw.scrollToContent(undefined, { animate: false })
  else excalidraw.updateScene({ appState: viewOf(getCommonBounds(elements), excalidraw.getAppState()) })
}

/** Excalidraw fits to whole tenths of its scale, which on a phone are the difference between half and all of a drawing. */
const viewOf = (
  [left, top, right, bottom]: readonly [number, number, number, number],
  { width, height }: Pick<AppState, 'width' | 'height'>,
): View => {
  const fitting = Math.min(
    (width - 2 * margin.x) / Math.max(right - left, 1),
    (height - 2 * margin.y) / Math.max(bottom - top, 1),
  )
  const zoom = Math.min(1, Math.max(smallestZoom, fitting))
  return {
    scrollX: width / 2 / zoom - (left + right) / 2,
    scrollY: height / 2 / zoom - (top + bottom) / 2,
    zoom: { value: zoom as AppState['zoom']['value'] }, // a plain number with a name
  }
}
