// A `.excalidraw` file becomes a board: read, its images uploaded under the hash of their content, its elements sent.
import { type Drawing, type LeftOut, readDrawing } from '../shared/drawing.ts'
import { asDrawing, findDrawing } from '../shared/drawing-file.ts'
import * as api from './api.ts'
import { blobOf } from './image-blob.ts'
import { sha256 } from './sha256.ts'

const mostBytes = 128 * 1024 * 1024
export interface ImportProgress {
  step: string
  /** 0 to 1; null where nobody knows. */
  done: number | null
}

export type Imported = Pick<Drawing, 'elements' | 'images' | 'background'>

/** Why a file was not taken; the message is for people. */
export class ImportProblem extends Error {}

/**
 * Makes a board of `file`, named after it.
 * @returns the board, and what of the drawing it could not take.
 * @throws ImportProblem | ApiError; a board begun is then in the trash.
 */
export const importFile = async (
  file: File,
  progress: (progress: ImportProgress) => void,
  folderId: string | null = null,
): Promise<{ boardId: string; leftOut: LeftOut[]; drawing: Imported }> => {
  progress({ step: `Reading ${file.name}`, done: null })
  const { elements, leftOut, images, background } = await readFile(file)
  const title = file.name
    .replace(/(\.excalidraw)?\.(excalidraw|excalidrawlib|json|png|svg|md)$/i, '')
    .trim()
    .slice(0, 200)
  const board = await api.createBoard({
    ...(title === '' ? {} : { title }),
    ...(folderId === null ? {} : { folder_id: folderId }),
  })
  try {
    await fillBoard(board.id, { elements, images, background }, progress)
  } catch (error) {
    await api.deleteBoard(board.id).catch(() => {}) // the first problem is the one to tell
    throw error
  }
  return { boardId: board.id, leftOut, drawing: { elements, images, background } }
}

/** Put a drawing into a board that is empty. */
export const fillBoard = async (
  boardId: string,
  { elements, images, background }: Imported,
  progress: (progress: ImportProgress) => void,
): Promise<void> => {
  const needed = [...new Set(elements.flatMap(({ fileId }) => (typeof fileId === 'string' ? [fileId] : [])))]
  const contentIds = new Map<string, string>()
  for (const [at, fileId] of needed.entries()) {
    const image = images.get(fileId)
    if (image === undefined) continue
    progress({ step: `Uploading image ${at + 1} of ${needed.length}`, done: at / needed.length })
    const blob = blobOf(image)
    const id = await sha256(new Uint8Array(await blob.arrayBuffer()))
    await api.putFile(boardId, id, blob)
    contentIds.set(fileId, id)
  }
  progress({ step: `Saving ${elements.length.toLocaleString()} elements`, done: null })
  const scene = {
    type: 'excalidraw',
    version: 2,
    source: 'boardroom',
    elements: elements.map((element) => {
      const id = typeof element.fileId === 'string' ? contentIds.get(element.fileId) : undefined
      return id === undefined ? element : { ...element, fileId: id, status: 'saved' }
    }),
    appState: background === null ? {} : { viewBackgroundColor: background },
    files: {},
  }
  await api.importScene(boardId, new Blob([JSON.stringify(scene)]))
}

const readFile = async (file: File) => {
  if (file.size > mostBytes)
    throw new ImportProblem(`${file.name} is larger than 128 MB. Split the drawing and import its parts.`)
  const found = findDrawing(new Uint8Array(await file.arrayBuffer()), mostBytes)
  if (found.name === 'nothing') throw new ImportProblem(`${file.name} was not imported: ${found.why}.`)
  let value: unknown
  try {
    value = JSON.parse(found.name === 'json' ? found.text : await inflated(found.bytes))
  } catch {
    throw new ImportProblem(
      `${file.name} is not a drawing: it is damaged, or another kind of file. Choose a file ending in .excalidraw.`,
    )
  }
  const drawing = readDrawing(asDrawing(value))
  if (drawing === null)
    throw new ImportProblem(`${file.name} holds no Excalidraw drawing. Choose a file ending in .excalidraw.`)
  return drawing
}

/** Of zlib, as text. @throws where it is damaged or larger than a drawing may be */
const inflated = async (bytes: Uint8Array): Promise<string> => {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('deflate'))
  const decoder = new TextDecoder()
  let text = ''
  for (const reader = stream.getReader(); ; ) {
    const { value, done } = await reader.read()
    if (done) return text + decoder.decode()
    text += decoder.decode(value, { stream: true })
    if (text.length > mostBytes) {
      await reader.cancel()
      throw new ImportProblem('the drawing inside is too large')
    }
  }
}
