// A `.excalidraw` file becomes a board: read, its images uploaded under the hash of their content, its elements sent.
import type { Drawing, LeftOut } from '../shared/drawing.ts'
import * as api from './api.ts'
import { contentOf, ImportProblem } from './drawing-in-file.ts'
import { blobOf } from './image-blob.ts'
import { sha256 } from './sha256.ts'
import { fileTexts as texts } from './texts/boards.ts'

export interface ImportProgress {
  step: string
  /** 0 to 1; null where nobody knows. */
  done: number | null
}

export type Imported = Pick<Drawing, 'elements' | 'images' | 'background'>

/**
 * Makes a board of `file`, named after it.
 * @returns the board, and what of the drawing it could not take.
 * @throws ImportProblem | ApiError; a board begun is then gone again.
 */
export const importFile = async (
  file: File,
  progress: (progress: ImportProgress) => void,
  folderId: string | null = null,
): Promise<{ boardId: string; leftOut: LeftOut[]; drawing: Imported }> => {
  progress({ step: `Reading ${file.name}`, done: null })
  const content = await contentOf(file)
  if (content.name === 'image') throw new ImportProblem(texts.notImported(file.name, content.why))
  const { elements, leftOut, images, background } = content.drawing
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
    await api
      .deleteBoard(board.id)
      .then(() => api.purgeBoard(board.id))
      .catch(() => {}) // the first problem is the one to tell
    throw error instanceof ImportProblem
      ? new ImportProblem(texts.notImported(file.name, error.message))
      : error
  }
  return { boardId: board.id, leftOut, drawing: { elements, images, background } }
}

/** Put a drawing into a board that is empty. @throws ImportProblem | ApiError */
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
    await api.putFile(boardId, id, blob).catch(saying(texts.imageTooLarge))
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
  await api.importScene(boardId, new Blob([JSON.stringify(scene)])).catch(saying(texts.tooLargeForBoard))
}

/** Of an answer that something is too large, which limit that is. */
const saying =
  (why: (most: number | null) => string) =>
  (error: unknown): never => {
    if (!(error instanceof api.ApiError) || error.code !== 'too_large') throw error
    const most = error.details?.max_bytes
    throw new ImportProblem(why(typeof most === 'number' ? most : null))
  }
