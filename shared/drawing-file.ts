// The files other than `.excalidraw` in which people keep drawings: PNG and SVG with an embedded scene, libraries,
// notes in an Obsidian vault. Finds the JSON in them; drawing.ts interprets it. Pure: the caller decompresses.
import { base64Text } from './data-url.ts'
import { type Drawing, readDrawing } from './drawing.ts'
import { imageTypeOf } from './image-type.ts'
import { unpackLz } from './lz.ts'

export type FoundDrawing =
  /** The drawing, or something similar, as JSON. */
  | { name: 'json'; text: string }
  /** The same, compressed with zlib. */
  | { name: 'deflated'; bytes: Uint8Array }
  /** No drawing; `why` is shown to people: "it is …". */
  | { name: 'nothing'; why: string; isDamaged: boolean }

const mime = 'application/vnd.excalidraw+json'

/** @param mostChars limit for what is decompressed here. */
export const findDrawing = (bytes: Uint8Array, mostChars: number): FoundDrawing => {
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47])) return inPng(bytes)
  if (bytes.length === 0) return nothing('it is empty')
  if (imageTypeOf(bytes) !== null && !isText(bytes)) return noneInside
  const text = new TextDecoder().decode(bytes)
  const start = text.slice(0, 2000).trimStart()
  if (start.startsWith('{')) return { name: 'json', text }
  if (start.startsWith('<')) return inSvg(text)
  if (text.includes('```compressed-json') || text.includes('```json')) return inNote(text, mostChars)
  return nothing(
    'it is neither an .excalidraw file or library, nor a PNG, SVG or Obsidian note with a drawing inside',
  )
}

/** Whether the bytes are text, judging by their beginning: no Yjs update begins like this. */
export const isText = (bytes: Uint8Array): boolean =>
  !bytes.subarray(0, 64).some((byte) => byte < 32 && byte !== 9 && byte !== 10 && byte !== 13)

/** The content of JSON from a file; or why it is not a drawing, for people: "it is …". */
export function drawingOfJson(text: string): Drawing | string
/** @returns the number of elements if there are more than `mostElements`; then they are not read. */
export function drawingOfJson(text: string, mostElements: number): Drawing | string | number
export function drawingOfJson(
  text: string,
  mostElements = Number.POSITIVE_INFINITY,
): Drawing | string | number {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'it is damaged: what is in it is not complete'
  }
  const drawing = asDrawing(value)
  const count = countElements(drawing)
  if (count > mostElements) return count
  return readDrawing(drawing) ?? 'it is a JSON file, but not an Excalidraw drawing'
}

const countElements = (value: unknown): number =>
  typeof value === 'object' && value !== null && 'elements' in value && Array.isArray(value.elements)
    ? value.elements.filter((raw) => raw?.isDeleted !== true).length
    : 0

/** The items of a library next to each other, as one drawing; anything else unchanged. */
export const asDrawing = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'excalidrawlib')
    return value
  const items = itemsOf(value)
  const gap = 40
  const rowWidth = 1600
  let [x, y, rowHeight] = [0, 0, 0]
  const elements = items.flatMap((item, at) => {
    const [left, top, right, bottom] = boundsOf(item)
    if (x > 0 && x + right - left > rowWidth) [x, y, rowHeight] = [0, y + rowHeight + gap, 0]
    const [dx, dy] = [x - left, y - top]
    x += right - left + gap
    rowHeight = Math.max(rowHeight, bottom - top)
    return item.map((element) => moved(element, `item-${at + 1}-`, dx, dy))
  })
  return { type: 'excalidraw', version: 2, elements, appState: {}, files: {} }
}

type Raw = Record<string, unknown>

const isObject = (value: unknown): value is Raw => typeof value === 'object' && value !== null
const numberOf = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

/** Version 2 has items with elements, version 1 lists of elements. */
const itemsOf = (value: object): Raw[][] => {
  const list = 'libraryItems' in value ? value.libraryItems : 'library' in value ? value.library : []
  if (!Array.isArray(list)) return []
  return list.flatMap((item: unknown) => {
    const elements: unknown = Array.isArray(item) ? item : isObject(item) ? item.elements : []
    return Array.isArray(elements) ? [elements.filter(isObject)] : []
  })
}

const boundsOf = (elements: readonly Raw[]): [number, number, number, number] => {
  if (elements.length === 0) return [0, 0, 0, 0]
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const { x, y, width, height } of elements) {
    left = Math.min(left, numberOf(x))
    top = Math.min(top, numberOf(y))
    right = Math.max(right, numberOf(x) + numberOf(width))
    bottom = Math.max(bottom, numberOf(y) + numberOf(height))
  }
  return [left, top, right, bottom]
}

/** Items of one library may share ids: each gets separate ones. */
const moved = (element: Raw, prefix: string, dx: number, dy: number): Raw => {
  const rename = (id: unknown) => (typeof id === 'string' ? prefix + id : id)
  const bound = (binding: unknown) =>
    isObject(binding) ? { ...binding, elementId: rename(binding.elementId) } : binding
  return {
    ...element,
    id: rename(element.id),
    x: numberOf(element.x) + dx,
    y: numberOf(element.y) + dy,
    ...('containerId' in element ? { containerId: rename(element.containerId) } : {}),
    ...('frameId' in element ? { frameId: rename(element.frameId) } : {}),
    ...('startBinding' in element ? { startBinding: bound(element.startBinding) } : {}),
    ...('endBinding' in element ? { endBinding: bound(element.endBinding) } : {}),
    ...(Array.isArray(element.groupIds) ? { groupIds: element.groupIds.map(rename) } : {}),
    ...(Array.isArray(element.boundElements)
      ? {
          boundElements: element.boundElements.map((one) =>
            isObject(one) ? { ...one, id: rename(one.id) } : one,
          ),
        }
      : {}),
  }
}

const startsWith = (bytes: Uint8Array, start: readonly number[]): boolean =>
  start.every((byte, at) => bytes[at] === byte)

const latin1 = (bytes: Uint8Array): string => {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}
const bytesOf = (latin: string): Uint8Array => Uint8Array.from(latin, (char) => char.charCodeAt(0) & 255)

const nothing = (why: string, isDamaged = false): FoundDrawing => ({ name: 'nothing', why, isDamaged })
const noneInside = nothing('it is a picture without a drawing inside')
const damaged = nothing('it is damaged: the drawing inside cannot be read', true)
const endsTooEarly = nothing('it is damaged: it ends too early', true)

/** A `tEXt` chunk of the media type. */
const inPng = (bytes: Uint8Array): FoundDrawing => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at)
    if (length > bytes.length - at - 12) return endsTooEarly
    const type = latin1(bytes.subarray(at + 4, at + 8))
    const body = bytes.subarray(at + 8, at + 8 + length)
    if (
      type === 'tEXt' &&
      startsWith(
        body,
        [...`${mime}\0`].map((char) => char.charCodeAt(0)),
      )
    )
      return unwrapped(latin1(body.subarray(mime.length + 1)))
    if (type === 'IEND') return noneInside
    at += 12 + length
  }
  return endsTooEarly
}

/** Comments with base64 between them. */
const inSvg = (text: string): FoundDrawing => {
  if (!/<\/(svg:)?svg\s*>|\/>\s*$/.test(text.slice(-1000)))
    return text.includes('<svg') ? endsTooEarly : noneInside
  const start = text.indexOf('<!-- payload-start -->')
  const end = text.indexOf('<!-- payload-end -->', start)
  if (start === -1 || end === -1 || !text.includes(`payload-type:${mime}`)) return noneInside
  const body = base64Text(text.slice(start + '<!-- payload-start -->'.length, end))
  if (body === null) return damaged
  // The first version wrote UTF-8, later ones bytes.
  return unwrapped(text.includes('payload-version:2') ? body : new TextDecoder().decode(bytesOf(body)))
}

/** `{encoding: 'bstring', compressed, encoded}` around the drawing, or the drawing itself. */
const unwrapped = (text: string): FoundDrawing => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return damaged
  }
  if (!isObject(value)) return damaged
  if (!('encoded' in value)) return { name: 'json', text }
  if (typeof value.encoded !== 'string') return damaged
  const bytes = bytesOf(value.encoded)
  if (value.compressed === true) return { name: 'deflated', bytes }
  return { name: 'json', text: new TextDecoder().decode(bytes) }
}

/** From Obsidian's Excalidraw plugin: a fenced block, plain or compressed. */
const inNote = (text: string, mostChars: number): FoundDrawing => {
  for (const fence of ['```compressed-json', '```json']) {
    // The drawing is the last block: the text of the note comes before it.
    const start = text.lastIndexOf(fence)
    const end = text.indexOf('```', start + fence.length)
    if (start === -1) continue
    if (end === -1) return endsTooEarly
    const body = text.slice(start + fence.length, end)
    if (fence === '```json') return { name: 'json', text: body }
    const unpacked = unpackLz(body.replace(/\s+/g, ''), mostChars)
    return unpacked === null ? damaged : { name: 'json', text: unpacked }
  }
  return nothing('it is a note without a drawing inside')
}
