// What a file from this device holds, told from its content and not from its name: the same for the list of boards and
// for the canvas.
import type { Drawing } from '../shared/drawing.ts'
import { drawingOfJson, findDrawing } from '../shared/drawing-file.ts'
import { imageTypeOf } from '../shared/image-type.ts'
import { fileTexts as texts } from './texts/boards.ts'

/** Of a drawing; what is larger is not read. */
const mostBytes = 128 * 1024 * 1024

/** Why a file was not taken; the message is for people. */
export class ImportProblem extends Error {}

export type FileContent =
  | { name: 'drawing'; drawing: Drawing }
  /** Also a drawing: its items beside each other. */
  | { name: 'library'; text: string; drawing: Drawing }
  /** Without a drawing inside. `type`: as its content says. */
  | { name: 'image'; type: string; why: string }

/** @throws ImportProblem */
export const contentOf = async (file: File): Promise<FileContent> => {
  const refuse = (why: string) => new ImportProblem(texts.notImported(file.name, why))
  if (file.size > mostBytes) throw refuse(texts.tooLarge)
  const bytes = await file.arrayBuffer().then(
    (buffer) => new Uint8Array(buffer),
    () => {
      throw refuse(texts.unreadable)
    },
  )
  const found = findDrawing(bytes, mostBytes)
  if (found.name === 'nothing') {
    const type = imageTypeOf(bytes)
    if (type === null || found.isDamaged) throw refuse(found.why)
    return { name: 'image', type, why: found.why }
  }
  const text = found.name === 'json' ? found.text : await inflated(found.bytes)
  const drawing = text === null ? texts.damagedInside : drawingOfJson(text)
  if (typeof drawing === 'string') throw refuse(drawing)
  return text !== null && isLibrary(text) ? { name: 'library', text, drawing } : { name: 'drawing', drawing }
}

const isLibrary = (text: string): boolean => /"type"\s*:\s*"excalidrawlib"/.test(text.slice(0, 1000))

/** Of zlib, as text; null where it is damaged, or larger than a drawing may be. */
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
