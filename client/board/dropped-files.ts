// Files dropped or pasted onto the canvas. Excalidraw would replace the board with a dropped drawing, in this window
// only: here it is added to the board. Texts and Excalidraw's own clipboard are left to Excalidraw; viewers add
// nothing.
import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { fileTexts as texts } from '../texts/files.ts'
import { showProblem, showToast } from '../ui/toast.tsx'
import { isPassedOn, type Place } from './passed-on.ts'

/** @returns a function that stops it. */
export const takeDroppedFiles = (
  excalidraw: ExcalidrawImperativeAPI,
  mayWrite: () => boolean,
): (() => void) => {
  let pointer: PointerEvent | null = null
  const stop = (event: Event) => {
    event.preventDefault()
    event.stopImmediatePropagation()
  }
  const onPointer = (event: PointerEvent) => {
    pointer = event
  }
  const onDrop = (event: DragEvent) => {
    const { target, dataTransfer } = event
    if (isPassedOn(event) || dataTransfer === null) return
    if (!(target instanceof Element) || target.closest('.excalidraw') === null) return
    const files = [...dataTransfer.files]
    if (mayWrite() && files.length === 0) return
    stop(event)
    if (!mayWrite()) return showToast(texts.viewer)
    void take(excalidraw, files, event, target)
  }
  const onPaste = (event: ClipboardEvent) => {
    if (event.clipboardData === null || !isOnCanvas()) return
    const files = [...event.clipboardData.files]
    const text = event.clipboardData.getData('text/plain')
    // Office programs add a picture of a copied text or table.
    const pasted =
      files.length > 0 && text === ''
        ? files
        : isDrawing(text)
          ? [new File([text], texts.pasted, { type: 'application/json' })]
          : []
    if (mayWrite() && pasted.length === 0) return
    stop(event)
    if (!mayWrite()) return showToast(texts.viewer)
    const place = pointer?.target instanceof HTMLCanvasElement ? pointer : middle()
    void take(excalidraw, pasted, place, canvas())
  }
  window.addEventListener('pointermove', onPointer, true)
  window.addEventListener('drop', onDrop, true)
  window.addEventListener('paste', onPaste, true)
  return () => {
    window.removeEventListener('pointermove', onPointer, true)
    window.removeEventListener('drop', onDrop, true)
    window.removeEventListener('paste', onPaste, true)
  }
}

/** Files chosen from the menu: added to the middle of the view. */
export const importFiles = (excalidraw: ExcalidrawImperativeAPI, files: File[]): void =>
  void take(excalidraw, files, middle(), canvas())

const take = (
  excalidraw: ExcalidrawImperativeAPI,
  files: File[],
  place: Place,
  target: Element,
): Promise<void> =>
  import('./add-files.ts')
    .then(({ addFiles }) => addFiles(excalidraw, files, place, target))
    .catch(showProblem)

const canvas = (): Element => document.querySelector('.excalidraw canvas.interactive') ?? document.body

const middle = (): Place => {
  const { left, top, width, height } = canvas().getBoundingClientRect()
  return { clientX: left + width / 2, clientY: top + height / 2 }
}

/** A paste into a text field belongs to that field. */
const isOnCanvas = (): boolean => {
  const active = document.activeElement
  if (active === null || active === document.body) return true
  return (
    active.closest('.excalidraw') !== null && !active.matches('input, textarea, select, [contenteditable]')
  )
}

/** The text of a drawing file, complete or damaged; Excalidraw's own clipboard data has another type. */
const isDrawing = (text: string): boolean => {
  if (!/^\s*\{/.test(text)) return false
  const [, type] = /"type"\s*:\s*"excalidraw(lib|\/clipboard)?"/.exec(text.slice(0, 1000)) ?? [null, null]
  return type === '/clipboard' ? isWithoutSizes(text) : type !== null
}

/** Other programs use this type too and leave sizes out; nobody would see a text without a size. */
const isWithoutSizes = (text: string): boolean => {
  try {
    const { elements }: { elements?: unknown } = JSON.parse(text)
    return (
      Array.isArray(elements) &&
      elements.some((raw) => typeof raw?.width !== 'number' || typeof raw?.height !== 'number')
    )
  } catch {
    return false // Excalidraw pastes it as a text
  }
}
