// A `.excalidraw` file becomes a board: read, its images uploaded under the hash of their content, its elements sent.
import type { SceneElement } from '../shared/element.ts'
import { readScene } from '../shared/scene.ts'
import * as api from './api.ts'
import { sha256 } from './sha256.ts'

const mostBytes = 128 * 1024 * 1024
/** What the server keeps as an image of a board. */
export const imageTypes = [
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/svg+xml',
  'image/avif',
  'image/bmp',
]

export interface ImportProgress {
  step: string
  /** 0 to 1; null where nobody knows. */
  done: number | null
}

/** Why a file was not taken; the message is for people. */
export class ImportProblem extends Error {}

/**
 * Makes a board of `file`, named after it.
 * @returns the board and how many elements could not be read.
 * @throws ImportProblem | ApiError; a board begun is then in the trash.
 */
export const importFile = async (
  file: File,
  progress: (progress: ImportProgress) => void,
): Promise<{ boardId: string; skipped: number }> => {
  progress({ step: `Reading ${file.name}`, done: null })
  const { elements, skipped, images } = await readFile(file)
  const title = file.name
    .replace(/\.(excalidraw|json)$/i, '')
    .trim()
    .slice(0, 200)
  const board = await api.createBoard(title === '' ? {} : { title })
  try {
    await fillBoard(board.id, elements, images, progress)
  } catch (error) {
    await api.deleteBoard(board.id).catch(() => {}) // the first problem is the one to tell
    throw error
  }
  return { boardId: board.id, skipped }
}

/** Put a drawing into a board that is empty. @param images data URLs by the fileId that elements name. */
export const fillBoard = async (
  boardId: string,
  elements: SceneElement[],
  images: ReadonlyMap<string, string>,
  progress: (progress: ImportProgress) => void,
): Promise<void> => {
  const needed = [...new Set(elements.flatMap(({ fileId }) => (typeof fileId === 'string' ? [fileId] : [])))]
  const contentIds = new Map<string, string>()
  for (const [at, fileId] of needed.entries()) {
    const dataUrl = images.get(fileId)
    if (dataUrl === undefined) continue
    progress({ step: `Uploading image ${at + 1} of ${needed.length}`, done: at / needed.length })
    const blob = blobOf(dataUrl)
    if (blob === null) continue
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
    appState: {},
    files: {},
  }
  await api.importScene(boardId, new Blob([JSON.stringify(scene)]))
}

const readFile = async (file: File) => {
  if (file.size > mostBytes)
    throw new ImportProblem(`${file.name} is larger than 128 MB. Split the drawing and import its parts.`)
  let value: unknown
  try {
    value = JSON.parse(await file.text())
  } catch {
    throw new ImportProblem(
      `${file.name} is not a drawing: it is damaged, or another kind of file. Choose a file ending in .excalidraw.`,
    )
  }
  const scene = readScene(value)
  if (scene === null)
    throw new ImportProblem(`${file.name} holds no Excalidraw drawing. Choose a file ending in .excalidraw.`)
  return { ...scene, images: imagesOf(value) }
}

const imagesOf = (value: unknown): Map<string, string> => {
  const images = new Map<string, string>()
  if (typeof value !== 'object' || value === null || !('files' in value)) return images
  for (const [id, file] of Object.entries(value.files ?? {})) {
    if (typeof file === 'object' && file !== null && 'dataURL' in file && typeof file.dataURL === 'string')
      images.set(id, file.dataURL)
  }
  return images
}

/** Null where it is no image that a board keeps. Decoded here, because a strict CSP lets nobody fetch a data URL. */
export const blobOf = (dataUrl: string): Blob | null => {
  const match = /^data:([\w/+.-]+)(?:;charset=[\w-]+)?(;base64)?,/.exec(dataUrl)
  if (match === null || !imageTypes.includes(match[1] ?? '')) return null
  const body = dataUrl.slice(match[0].length)
  try {
    const bytes =
      match[2] === undefined
        ? new TextEncoder().encode(decodeURIComponent(body))
        : Uint8Array.from(atob(body), (char) => char.charCodeAt(0))
    return new Blob([bytes], { type: match[1] ?? '' })
  } catch {
    return null // not base64
  }
}
