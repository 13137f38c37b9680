// Reads a drawing from a file, in the same way wherever it is imported: converted to the current format, then
// validated. Nothing is lost silently: whatever cannot be kept is named, element by element. Pure, because pages and
// servers read the same files.
import { isColor } from './color.ts'
import { bytesOfDataUrl } from './data-url.ts'
import { isIndex, readElement, type SceneElement } from './element.ts'
import { imageTypeOf } from './image-type.ts'
import { migrateElement } from './migrate.ts'
import { mended } from './references.ts'

export interface Drawing {
  /** Complete and consistent, in canvas order, with unique ids and indices. Without deleted elements. */
  elements: SceneElement[]
  leftOut: LeftOut[]
  /** By the fileId that elements refer to. */
  images: Map<string, DrawingImage>
  /** A CSS colour; null if the file has none. */
  background: string | null
}

/** An element, or the image of one, that a board cannot keep. */
export interface LeftOut {
  /** The id in the file; empty if there is none. */
  id: string
  type: string
  reason: string
}

export interface DrawingImage {
  /** Detected from the content. */
  type: string
  bytes: Uint8Array
}

type Raw = Record<string, unknown>

/** @returns null if `value` is not an Excalidraw drawing. */
export const readDrawing = (value: unknown): Drawing | null => {
  if (!isObject(value) || !Array.isArray(value.elements)) return null
  if ('type' in value && value.type !== 'excalidraw' && value.type !== 'excalidraw/clipboard') return null
  const leftOut: LeftOut[] = []
  const { images, unreadable } = imagesOf(value.files)
  const elements: SceneElement[] = []
  for (const raw of withUniqueIds(value.elements)) {
    const read = readOne(raw)
    if (typeof read === 'string') leftOut.push({ ...nameOf(raw), reason: read })
    else if (read !== null) elements.push(read)
  }
  for (const { id, fileId } of elements)
    if (typeof fileId === 'string' && unreadable.has(fileId))
      leftOut.push({ id, type: 'image', reason: 'its image is of no kind that a board keeps, or damaged' })
  return { elements: ordered(mended(elements)), leftOut, images, background: backgroundOf(value.appState) }
}

/**
 * Only the elements of a drawing.
 * @returns `skipped`: how many are left out. null if `value` is not an Excalidraw drawing.
 */
export const readScene = (value: unknown): { elements: SceneElement[]; skipped: number } | null => {
  const drawing = readDrawing(value)
  return drawing === null ? null : { elements: drawing.elements, skipped: drawing.leftOut.length }
}

/** One sentence about what is missing, with as many names as a person would read; empty if nothing is. */
export const describeLeftOut = (leftOut: readonly LeftOut[]): string => {
  if (leftOut.length === 0) return ''
  const named = leftOut
    .slice(0, 3)
    .map(
      ({ id, type, reason }) => `${type || 'element'}${id === '' ? '' : ` "${id.slice(0, 40)}"`}: ${reason}`,
    )
  const more = leftOut.length > 3 ? `; and ${(leftOut.length - 3).toLocaleString('en')} more` : ''
  const count =
    leftOut.length === 1 ? '1 element was' : `${leftOut.length.toLocaleString('en')} elements were`
  return `${count} left out: ${named.join('; ')}${more}.`
}

const backgroundOf = (appState: unknown): string | null =>
  isObject(appState) && isColor(appState.viewBackgroundColor) ? appState.viewBackgroundColor : null

/** The element, the reason why it is left out, or null if it is no loss. */
const readOne = (raw: unknown): SceneElement | string | null => {
  if (!isObject(raw)) return 'it is not an object'
  if (raw.isDeleted === true || raw.type === 'selection') return null
  const element = readElement(migrateElement(raw))
  if (element !== null) return isInvisible(element) ? null : element
  if (typeof raw.type !== 'string') return 'it has no type'
  if (raw.type === 'iframe') return 'pages inside a board are not shown'
  return 'it has a type that boards do not support, or its position, size or points are not valid numbers'
}

/** Excalidraw removes anything invisible: a text without characters, a shape without size, a line without length. */
const isInvisible = ({ type, text, width, height, points }: SceneElement): boolean => {
  if (type === 'text') return text === ''
  if (type === 'freedraw') return false
  if (Array.isArray(points)) return points.length < 2
  return width === 0 && height === 0
}

const nameOf = (raw: unknown): { id: string; type: string } => ({
  id: isObject(raw) && typeof raw.id === 'string' ? raw.id.slice(0, 200) : '',
  type: isObject(raw) && typeof raw.type === 'string' ? raw.type.slice(0, 40) : '',
})

/**
 * If several elements share an id, the first keeps it and the others get new ones. References stay within a copy: the
 * second copy of a text refers to the second copy of its container.
 */
const withUniqueIds = (list: readonly unknown[]): unknown[] => {
  const copies = new Map<string, number>()
  let hasDoubles = false
  for (const raw of list) {
    const id = idOf(raw)
    if (id === null) continue
    hasDoubles ||= copies.has(id)
    copies.set(id, (copies.get(id) ?? 0) + 1)
  }
  if (!hasDoubles && list.every((raw) => !isObject(raw) || idOf(raw) !== null)) return [...list]
  const taken = new Set(copies.keys())
  const names = new Map<string, string[]>()
  for (const [id, count] of copies)
    names.set(
      id,
      Array.from({ length: count }, (_, at) => (at === 0 ? id : freeId(id, at + 1, taken))),
    )
  const seen = new Map<string, number>()
  return list.map((raw) => {
    if (!isObject(raw)) return raw
    const id = idOf(raw)
    if (id === null) return { ...raw, id: freeId(randomId(), 1, taken) }
    const copy = seen.get(id) ?? 0
    seen.set(id, copy + 1)
    if (copy === 0) return raw
    const nameFor = (other: unknown) => {
      const found = typeof other === 'string' ? names.get(other) : undefined
      return found?.[copy] ?? other
    }
    return { ...withReferences(raw, nameFor), id: names.get(id)?.[copy] }
  })
}

const withReferences = (raw: Raw, nameFor: (id: unknown) => unknown): Raw => {
  const next: Raw = { ...raw }
  for (const key of ['containerId', 'frameId']) if (key in next) next[key] = nameFor(next[key])
  for (const key of ['startBinding', 'endBinding']) {
    const binding = next[key]
    if (isObject(binding)) next[key] = { ...binding, elementId: nameFor(binding.elementId) }
  }
  if (Array.isArray(next.boundElements))
    next.boundElements = next.boundElements.map((bound) =>
      isObject(bound) ? { ...bound, id: nameFor(bound.id) } : bound,
    )
  return next
}

const idOf = (raw: unknown): string | null =>
  isObject(raw) && typeof raw.id === 'string' && raw.id !== '' ? raw.id : null

const freeId = (id: string, copy: number, taken: Set<string>): string => {
  const base = id.slice(0, 180)
  let name = copy === 1 ? base : `${base}-${copy}`
  for (let more = copy + 1; taken.has(name); more++) name = `${base}-${more}`
  taken.add(name)
  return name
}

const randomId = (): string =>
  Math.random().toString(36).slice(2, 12) + Math.random().toString(36).slice(2, 12)

const imagesOf = (files: unknown) => {
  const images = new Map<string, DrawingImage>()
  const unreadable = new Set<string>()
  if (!isObject(files)) return { images, unreadable }
  for (const [id, file] of Object.entries(files)) {
    const bytes = isObject(file) && typeof file.dataURL === 'string' ? bytesOfDataUrl(file.dataURL) : null
    const type = bytes === null ? null : imageTypeOf(bytes)
    if (bytes === null || type === null) unreadable.add(id)
    else images.set(id, { type, bytes })
  }
  return { images, unreadable }
}

const isObject = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The same elements in the same order, with matching indices: kept if they match already, otherwise generated. */
const ordered = (elements: SceneElement[]): SceneElement[] => {
  const isOrdered = elements.every(
    ({ index }, at) =>
      typeof index === 'string' && isIndex(index) && (at === 0 || index > (elements[at - 1]?.index ?? '')),
  )
  return isOrdered ? elements : elements.map((element, at) => ({ ...element, index: indexAt(at) }))
}

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * The fractional index of the element at `position` in a drawing whose order is generated from scratch: the integers
 * a0…az, b00…bzz, c000… of the scheme that Excalidraw uses.
 * @see https://github.com/rocicorp/fractional-indexing
 */
const indexAt = (position: number): string => {
  let length = 1
  let rest = position
  for (let size = 62; rest >= size; size *= 62) {
    rest -= size
    length++
  }
  let text = ''
  for (let place = 0; place < length; place++) {
    text = digits[rest % 62] + text
    rest = Math.floor(rest / 62)
  }
  return String.fromCharCode(96 + length) + text
}
