// Reads a file from this device and detects its type from the content, not the name: the same for the list of boards
// and for the canvas. Runs in a worker: a file of a hundred megabytes takes seconds. @see read-file.ts
import type { Drawing, LeftOut } from '../shared/drawing.ts'
import { drawingOfJson, findDrawing } from '../shared/drawing-file.ts'
import { imageTypeOf } from '../shared/image-type.ts'
import { type Packed, packed } from './pack.ts'
import { fileTexts as texts } from './texts/files.ts'

/** Maximum size of a drawing; larger ones are not read. */
export const mostBytes = 128 * 1024 * 1024
/** Drawings up to this size get a picture for the list of boards at once; others when they are opened. */
const mostPictured = { elements: 5000, bytes: 16 * 1024 * 1024 }

/** The reasons for a refusal continue a sentence after "it …". */
interface Refused {
  name: 'refused'
  why: string
}

export type FileContent =
  | { name: 'drawing'; drawing: Drawing }
  | { name: 'library'; text: string; leftOut: LeftOut[] }
  /** Without a drawing inside. `type`: detected from the content. */
  | { name: 'image'; type: string; why: string }
  | Refused

export type BoardContent =
  | { name: 'board'; packed: Packed; leftOut: LeftOut[]; drawing: Drawing | null }
  | Refused

export interface Answers {
  /** To be added to an open board. */
  canvas: FileContent
  /** To become a new board: ready to be uploaded. */
  board: BoardContent
}

/** @param mostElements limit for adding to an open board. */
export const contentForCanvas = async (file: File, mostElements: number): Promise<FileContent> => {
  const read = await drawingIn(file)
  if (read.name !== 'drawing') return read
  const { drawing, text } = read
  if (isLibrary(text)) return { name: 'library', text, leftOut: drawing.leftOut }
  if (drawing.elements.length > mostElements) return { name: 'refused', why: texts.tooMany(mostElements) }
  return { name: 'drawing', drawing }
}

export const contentForBoard = async (file: File): Promise<BoardContent> => {
  const read = await drawingIn(file)
  if (read.name === 'image') return { name: 'refused', why: read.why }
  if (read.name === 'refused') return read
  const { elements, images, background, leftOut } = read.drawing
  const imageBytes = [...images.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
  const isPictured = elements.length <= mostPictured.elements && imageBytes <= mostPictured.bytes
  return {
    name: 'board',
    packed: await packed({ elements, images, background }),
    leftOut,
    drawing: isPictured ? read.drawing : null,
  }
}

type Read =
  | { name: 'drawing'; drawing: Drawing; text: string }
  | { name: 'image'; type: string; why: string }
  | Refused

const drawingIn = async (file: File): Promise<Read> => {
  const bytes = await file.arrayBuffer().then(
    (buffer) => new Uint8Array(buffer),
    () => null,
  )
  if (bytes === null) return { name: 'refused', why: texts.unreadable }
  const found = findDrawing(bytes, mostBytes)
  if (found.name === 'nothing') {
    const type = imageTypeOf(bytes)
    return type === null || found.isDamaged
      ? { name: 'refused', why: found.why }
      : { name: 'image', type, why: found.why }
  }
  const text = found.name === 'json' ? found.text : await inflated(found.bytes)
  if (text === null) return { name: 'refused', why: texts.damagedInside }
  const drawing = drawingOfJson(text)
  return typeof drawing === 'string' ? { name: 'refused', why: drawing } : { name: 'drawing', drawing, text }
}

const isLibrary = (text: string): boolean => /"type"\s*:\s*"excalidrawlib"/.test(text.slice(0, 1000))

/** Decompresses zlib data to text; null if it is corrupt, or larger than a drawing may be. */
const inflated = async (bytes: Uint8Array): Promise<string | null> => {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('deflate'))
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (const reader = stream.getReader(); ; ) {
      const { value, done } = await reader.read()
      if (done) return text + decoder.decode()
      text += decoder.decode(value, { stream: true })
      if (text.length <= mostBytes) continue
      await reader.cancel()
      return null
    }
  } catch {
    return null
  }
}
