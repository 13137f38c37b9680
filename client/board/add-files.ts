// Adds files and drawings to an open board, as one step that can be undone. Loaded with the first file.
import { CaptureUpdateAction, restoreElements, viewportCoordsToSceneCoords } from '@excalidraw/excalidraw'
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types'
import type { BinaryFileData, ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { type Drawing, describeLeftOut } from '../../shared/drawing.ts'
import type { SceneElement } from '../../shared/element.ts'
import { blobOf } from '../image-blob.ts'
import { ImportProblem, readFile } from '../read-file.ts'
import { sha256 } from '../sha256.ts'
import { fileTexts as texts } from '../texts/files.ts'
import { showReport } from '../ui/report.tsx'
import { showToast } from '../ui/toast.tsx'
import { dataUrlOf } from './data-url.ts'
import { type Place, passOn } from './passed-on.ts'

/** An addition is one edit, and servers refuse an edit of more than 200,000 structs: about thirty per element. */
const mostElements = 5000
/** Above this size reading takes noticeably long. */
const longToRead = 10 * 1024 * 1024

/** @param target the Excalidraw that is given the images. */
export const addFiles = async (
  excalidraw: ExcalidrawImperativeAPI,
  files: readonly File[],
  place: Place,
  target: Element,
): Promise<void> => {
  const problems: string[] = []
  let taken = 0
  for (const file of files) {
    try {
      if (file.size > longToRead) showToast(texts.reading(file.name))
      const leftOut = await addFile(excalidraw, file, place, target)
      taken++
      if (leftOut !== '') problems.push(texts.leftOut(file.name, leftOut))
    } catch (error) {
      problems.push(
        error instanceof ImportProblem ? error.message : texts.notImported(file.name, texts.unreadable),
      )
    }
  }
  if (problems.length === 1 && files.length === 1) showToast(problems[0] ?? '', true)
  else if (problems.length > 0) showReport({ all: files.length, taken, problems })
}

/** @returns what was left out. @throws ImportProblem */
const addFile = async (
  excalidraw: ExcalidrawImperativeAPI,
  file: File,
  place: Place,
  target: Element,
): Promise<string> => {
  const content = await readFile(file, 'canvas', mostElements)
  switch (content.name) {
    case 'image': {
      const image = new File([file], file.name, { type: content.type })
      if (!(await canBeShown(image))) throw new ImportProblem(texts.notImported(file.name, texts.brokenImage))
      keepAsStep(excalidraw)
      passOn(image, place, target)
      return ''
    }
    case 'library': {
      const libraryItems = new Blob([content.text], { type: 'application/vnd.excalidrawlib+json' })
      await excalidraw.updateLibrary({ libraryItems, merge: true, openLibraryMenu: true })
      return describeLeftOut(content.leftOut)
    }
    case 'drawing':
      await addDrawing(excalidraw, content.drawing, place)
      return describeLeftOut(content.drawing.leftOut)
  }
}

/** How long an image may take to get its file and its size. */
const longestInsertMs = 60_000
/** Images that have become a step. */
const steps = new Set<string>()

/**
 * Excalidraw does not record the insertion of an image: an undo would revert what was done before. Its own image is the
 * one that it selects; others may come from other people meanwhile.
 */
const keepAsStep = (excalidraw: ExcalidrawImperativeAPI): void => {
  const known = new Set(excalidraw.getSceneElementsIncludingDeleted().map(({ id }) => id))
  let own: string | undefined
  const stop = excalidraw.onChange((elements, { selectedElementIds }) => {
    own ??= elements.find(
      ({ id, type }) =>
        type === 'image' && !known.has(id) && !steps.has(id) && selectedElementIds[id] === true,
    )?.id
    if (own !== undefined) steps.add(own)
    const image = elements.find(({ id }) => id === own)
    // It is a step once it has its file and its size.
    if (image === undefined || !('fileId' in image) || image.fileId === null || image.width === 0) return
    end()
    // Not inside of Excalidraw's notification. An element on the canvas is never recorded later, so it is removed for a
    // moment.
    setTimeout(() => {
      const scene = excalidraw.getSceneElementsIncludingDeleted()
      const others = scene.filter(({ id }) => id !== image.id)
      excalidraw.updateScene({ elements: others, captureUpdate: CaptureUpdateAction.NEVER })
      excalidraw.updateScene({ elements: scene, captureUpdate: CaptureUpdateAction.IMMEDIATELY })
    })
  })
  const timer = setTimeout(stop, longestInsertMs)
  const end = () => {
    clearTimeout(timer)
    stop()
  }
}

/** Excalidraw would put a corrupt image onto the board as an empty frame. */
const canBeShown = async (file: File): Promise<boolean> => {
  const address = URL.createObjectURL(file)
  const image = new Image()
  image.src = address
  try {
    await image.decode()
    return true
  } catch {
    return false
  } finally {
    URL.revokeObjectURL(address)
  }
}

/** Adds elements to the middle of the view, as one step. */
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
    // Above all existing elements.
    index: null,
    x: Number(element.x) + x - centre.x,
    y: Number(element.y) + y - centre.y,
    ...(typeof element.fileId === 'string'
      ? contentIds.has(element.fileId)
        ? { fileId: contentIds.get(element.fileId), status: 'pending' }
        : { status: 'saved' }
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

/** A drawing that is dropped twice appears twice: with the same ids, the second would move the first. */
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
