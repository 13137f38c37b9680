// Turns a `.excalidraw` file into a board: reads it, uploads its images under the hash of their content, sends its
// elements.
import type { Drawing, LeftOut } from '../shared/drawing.ts'
import * as api from './api.ts'
import { type Packed, packed } from './pack.ts'
import { ImportProblem, readFile } from './read-file.ts'
import { fileTexts as texts } from './texts/files.ts'

export interface ImportProgress {
  step: string
  /** 0 to 1; null if it is unknown. */
  done: number | null
}

export type Imported = Pick<Drawing, 'elements' | 'images' | 'background'>

/**
 * Creates a board from `file`, named after it.
 * @returns the board, and what it could not take from the drawing; `drawing` is null if it is too large for a
 * picture.
 * @throws ImportProblem | ApiError; a board already created is then deleted.
 */
export const importFile = async (
  file: File,
  progress: (progress: ImportProgress) => void,
  folderId: string | null = null,
): Promise<{ boardId: string; leftOut: LeftOut[]; drawing: Imported | null }> => {
  progress({ step: texts.reading(file.name), done: null })
  const content = await readFile(file, 'board')
  const title = file.name
    .replace(/(\.excalidraw)?\.(excalidraw|excalidrawlib|json|png|svg|md)$/i, '')
    .trim()
    .slice(0, 200)
  const board = await api.createBoard({
    ...(title === '' ? {} : { title }),
    ...(folderId === null ? {} : { folder_id: folderId }),
  })
  try {
    await sendTo(board.id, content.packed, progress)
  } catch (error) {
    await api
      .deleteBoard(board.id)
      .then(() => api.purgeBoard(board.id))
      .catch(() => {}) // only the first problem is reported
    throw error instanceof ImportProblem
      ? new ImportProblem(texts.notImported(file.name, error.message))
      : error
  }
  return { boardId: board.id, leftOut: content.leftOut, drawing: content.drawing }
}

/** Imports a drawing into an empty board. @throws ImportProblem | ApiError */
export const fillBoard = async (boardId: string, drawing: Imported): Promise<void> =>
  sendTo(boardId, await packed(drawing), () => {})

const sendTo = async (
  boardId: string,
  { images, scene, count }: Packed,
  progress: (progress: ImportProgress) => void,
): Promise<void> => {
  for (const [at, [id, image]] of [...images].entries()) {
    progress({ step: texts.uploading(at + 1, images.size), done: at / images.size })
    await api.putFile(boardId, id, image).catch(saying(texts.imageTooLarge))
  }
  progress({ step: texts.saving(count), done: null })
  await api.importScene(boardId, scene).catch(saying(texts.tooLargeForBoard))
}

/** Which limit was exceeded, from an answer that something is too large. */
const saying =
  (why: (most: number | null) => string) =>
  (error: unknown): never => {
    if (!(error instanceof api.ApiError) || error.code !== 'too_large') throw error
    const most = error.details?.max_bytes
    throw new ImportProblem(why(typeof most === 'number' ? most : null))
  }
