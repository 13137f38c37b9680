// Files dropped onto the canvas. Excalidraw would open a drawing in place of the board, in this window alone: here it is
// added to the board, like a paste. Plain images and texts are left to Excalidraw; whoever may only look adds nothing.
import {
  CaptureUpdateAction,
  loadSceneOrLibraryFromBlob,
  MIME_TYPES,
  restoreElements,
  viewportCoordsToSceneCoords,
} from '@excalidraw/excalidraw'
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types'
import type { BinaryFileData, ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { type Drawing, describeLeftOut, readDrawing } from '../../shared/drawing.ts'
import { findDrawing } from '../../shared/drawing-file.ts'
import type { SceneElement } from '../../shared/element.ts'
import { imageTypeOf } from '../../shared/image-type.ts'
import { blobOf } from '../image-blob.ts'
import { sha256 } from '../sha256.ts'
import { reportTexts as texts } from '../texts/boards.ts'
import { showReport } from '../ui/report.tsx'
import { showToast } from '../ui/toast.tsx'
import { dataUrlOf } from './data-url.ts'

/** Of a drawing; what is larger is not read. */
const mostBytes = 128 * 1024 * 1024

interface Place {
  clientX: number
  clientY: number
}

/** Drops that come from here, which Excalidraw is to have. */
const passedOn = new WeakSet<Event>()

/** @returns what ends it. */
export const takeDroppedFiles = (
  excalidraw: ExcalidrawImperativeAPI,
  mayWrite: () => boolean,
): (() => void) => {
  const onDrop = (event: DragEvent) => {
    const { target, dataTransfer } = event
    if (passedOn.has(event) || dataTransfer === null) return
    if (!(target instanceof Element) || target.closest('.excalidraw') === null) return
    const files = [...dataTransfer.files]
    if (mayWrite() && files.length === 0) return
    event.preventDefault()
    event.stopImmediatePropagation()
    if (!mayWrite()) return showToast('You may only look at this board, so nothing can be added to it.')
    void takeFiles(excalidraw, files, event, target)
  }
  window.addEventListener('drop', onDrop, true)
  return () => window.removeEventListener('drop', onDrop, true)
}

/** Files chosen from the menu: into the middle of what is seen. */
export const importFiles = (excalidraw: ExcalidrawImperativeAPI, files: File[]): void => {
  const target = document.querySelector('.excalidraw')
  if (target === null) return
  const { left, top, width, height } = target.getBoundingClientRect()
  const place = { clientX: left + width / 2, clientY: top + height / 2 }
  void takeFiles(excalidraw, files, place, document.querySelector('.excalidraw canvas.interactive') ?? target)
}

/** Elements into the middle of what is seen, as one step. */
export const addToMiddle = async (
  excalidraw: ExcalidrawImperativeAPI,
  elements: SceneElement[],
): Promise<void> => {
  const { offsetLeft, offsetTop, width, height } = excalidraw.getAppState()
  await addDrawing(
    excalidraw,
    { elements, images: new Map(), leftOut: [], background: null },
    { clientX: offsetLeft + width / 2, clientY: offsetTop + height / 2 },
  )
}

const takeFiles = async (
  excalidraw: ExcalidrawImperativeAPI,
  files: File[],
  place: Place,
  target: Element,
): Promise<void> => {
  const problems: string[] = []
  let taken = files.length
  for (const file of files) {
    try {
      const drawing = await drawingIn(file)
      if (drawing !== null) await addDrawing(excalidraw, drawing, place)
      else if (file.type.startsWith('image/') || (await isImage(file))) passOn(file, place, target)
      else if (await isLibrary(file))
        await excalidraw.updateLibrary({ libraryItems: file, merge: true, openLibraryMenu: true })
      else {
        taken--
        problems.push(texts.notADrawing(file.name))
      }
      const missing = describeLeftOut(drawing?.leftOut ?? [])
      if (missing !== '') problems.push(`${file.name}: ${missing}`)
    } catch {
      taken--
      problems.push(texts.unreadable(file.name))
    }
  }
  if (problems.length === 1 && files.length === 1) showToast(problems[0] ?? '', true)
  else if (problems.length > 0) showReport({ all: files.length, taken, problems })
}

const passOn = (file: File, { clientX, clientY }: Place, target: Element) => {
  const dataTransfer = new DataTransfer()
  dataTransfer.items.add(file)
  const drop = new DragEvent('drop', { bubbles: true, cancelable: true, clientX, clientY, dataTransfer })
  passedOn.add(drop)
  target.dispatchEvent(drop)
}

/** Null where there is none in it: another kind of file, an image without one, or something damaged. */
const drawingIn = async (file: File): Promise<Drawing | null> => {
  if (await isImage(file)) {
    // Only these two carry drawings; Excalidraw knows how.
    if (!/^image\/(png|svg\+xml)$/.test(file.type)) return null
    const found = await loadSceneOrLibraryFromBlob(file, null, null).catch(() => null)
    return found?.type === MIME_TYPES.excalidraw ? readDrawing({ ...found.data, type: 'excalidraw' }) : null
  }
  if (file.size > mostBytes) return null
  // A library goes to the library here, and not onto the board.
  const found = findDrawing(new Uint8Array(await file.arrayBuffer()), mostBytes)
  try {
    return found.name === 'json' ? readDrawing(JSON.parse(found.text)) : null
  } catch {
    return null
  }
}

const isImage = async (file: File): Promise<boolean> =>
  imageTypeOf(new Uint8Array(await file.slice(0, 65_536).arrayBuffer())) !== null

const isLibrary = async (file: File): Promise<boolean> => {
  if (file.size > mostBytes) return false
  try {
    const value: unknown = JSON.parse(await file.text())
    return typeof value === 'object' && value !== null && 'type' in value && value.type === 'excalidrawlib'
  } catch {
    return false
  }
}

const addDrawing = async (
  excalidraw: ExcalidrawImperativeAPI,
  drawing: Drawing,
  place: Place,
): Promise<void> => {
  const contentIds = new Map<string, string>()
  const files: BinaryFileData[] = []
  for (const [name, image] of drawing.images) {
    const id = await sha256(new Uint8Array(image.bytes))
    contentIds.set(name, id)
    files.push({
      id: id as BinaryFileData['id'],
      mimeType: image.type as BinaryFileData['mimeType'],
      dataURL: await dataUrlOf(blobOf(image)),
      created: Date.now(),
    })
  }
  const scene = excalidraw.getSceneElementsIncludingDeleted()
  const renamed = withFreeIds(drawing.elements, new Set(scene.map(({ id }) => id)))
  const { x, y } = viewportCoordsToSceneCoords(place, excalidraw.getAppState())
  const centre = centreOf(renamed)
  const added = renamed.map((element) => ({
    ...element,
    // Above everything that is there.
    index: null,
    x: Number(element.x) + x - centre.x,
    y: Number(element.y) + y - centre.y,
    ...(typeof element.fileId === 'string'
      ? { fileId: contentIds.get(element.fileId) ?? element.fileId, status: 'pending' }
      : {}),
  }))
  excalidraw.addFiles(files)
  const restored = restoreElements(added as unknown as ExcalidrawElement[], null).map((element) => ({
    ...element,
    index: null,
  }))
  excalidraw.updateScene({
    elements: [...excalidraw.getSceneElementsIncludingDeleted(), ...(restored as ExcalidrawElement[])],
    captureUpdate: CaptureUpdateAction.IMMEDIATELY,
  })
}

/** A drawing that is dropped twice is there twice: as one, the second would move the first. */
const withFreeIds = (elements: SceneElement[], taken: ReadonlySet<string>): SceneElement[] => {
  if (!elements.some(({ id }) => taken.has(id))) return elements
  const suffix = `-${Math.random().toString(36).slice(2, 10)}`
  const ids = new Set(elements.map(({ id }) => id))
  const renamed = (value: unknown): unknown => {
    if (typeof value === 'string') return ids.has(value) ? value.slice(0, 180) + suffix : value
    if (Array.isArray(value)) return value.map(renamed)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [
        key,
        key === 'id' || key === 'elementId' ? renamed(entry) : entry,
      ]),
    )
  }
  return elements.map((element) => {
    const next: SceneElement = { ...element, id: String(renamed(element.id)) }
    for (const key of ['containerId', 'frameId', 'startBinding', 'endBinding', 'boundElements'])
      if (key in next) next[key] = renamed(next[key])
    if (Array.isArray(next.groupIds)) next.groupIds = next.groupIds.map((group) => String(group) + suffix)
    return next
  })
}

const centreOf = (elements: readonly SceneElement[]): { x: number; y: number } => {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const { x, y, width, height } of elements) {
    left = Math.min(left, Number(x))
    top = Math.min(top, Number(y))
    right = Math.max(right, Number(x) + Number(width))
    bottom = Math.max(bottom, Number(y) + Number(height))
  }
  return elements.length === 0 ? { x: 0, y: 0 } : { x: (left + right) / 2, y: (top + bottom) / 2 }
}
