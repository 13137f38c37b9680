// Undo on the canvas, by its keys and its button: Excalidraw undoes, and what others changed meanwhile is kept. One
// press goes back to the next step with a visible effect; if there is none, a message says so.
import type { AppState, ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import type { BoardSession } from '../session.ts'
import { canvasTexts } from '../texts/canvas.ts'
import { showToast } from '../ui/toast.tsx'

const mostSteps = 100

/** Presses that were made here, which must reach Excalidraw. */
const passedOn = new WeakSet<Event>()

/** @returns a function that stops it. */
export const takeUndoPresses = (excalidraw: ExcalidrawImperativeAPI, session: BoardSession): (() => void) => {
  const take = (event: Event) => {
    event.preventDefault()
    event.stopImmediatePropagation()
    void undo(excalidraw, session)
  }
  const onKey = (event: KeyboardEvent) => {
    if (!passedOn.has(event) && isUndo(event) && isOnCanvas(event.target)) take(event)
  }
  const onClick = (event: MouseEvent) => {
    const { target } = event
    if (target instanceof Element && target.closest('[data-testid="button-undo"]') !== null) take(event)
  }
  window.addEventListener('keydown', onKey, true)
  window.addEventListener('click', onClick, true)
  return () => {
    window.removeEventListener('keydown', onKey, true)
    window.removeEventListener('click', onClick, true)
  }
}

const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

/** Like Excalidraw: by the letter, or by the key if the letters are not Latin. */
const isUndo = ({ key, code, ctrlKey, metaKey, shiftKey }: KeyboardEvent): boolean =>
  (isMac ? metaKey : ctrlKey) &&
  !shiftKey &&
  (key.toLowerCase() === 'z' || (code === 'KeyZ' && !/^[a-z]$/i.test(key)))

/** While typing, undo affects the text. */
const isOnCanvas = (target: EventTarget | null): boolean =>
  target instanceof Element &&
  target.closest('.excalidraw') !== null &&
  target.closest('input, textarea, select, [contenteditable]') === null

const undo = async (excalidraw: ExcalidrawImperativeAPI, session: BoardSession): Promise<void> => {
  const canvas = document.querySelector('.excalidraw')
  if (canvas === null) return
  for (let step = 0; step < mostSteps; step++) {
    const before = seenOf(excalidraw.getAppState())
    const done = session.undo(() => {
      const press = new KeyboardEvent('keydown', {
        key: 'z',
        code: 'KeyZ',
        ctrlKey: !isMac,
        metaKey: isMac,
        bubbles: true,
        cancelable: true,
      })
      passedOn.add(press)
      canvas.dispatchEvent(press)
    })
    if (done === 'seen') return
    // Other effects of a step, such as the selection, appear when Excalidraw has rendered.
    await new Promise((resolve) => setTimeout(resolve))
    if (seenOf(excalidraw.getAppState()) !== before) return
    if (done === 'none') break
  }
  showToast(canvasTexts.nothingToUndo)
}

/** The visible effects of a step apart from elements. */
const seenOf = ({
  selectedElementIds,
  selectedGroupIds,
  editingGroupId,
  viewBackgroundColor,
  selectedLinearElement,
  editingLinearElement,
  croppingElementId,
}: AppState): string =>
  JSON.stringify([
    selectedElementIds,
    selectedGroupIds,
    editingGroupId,
    viewBackgroundColor,
    selectedLinearElement?.elementId,
    editingLinearElement?.elementId,
    croppingElementId,
  ])
