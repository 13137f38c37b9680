// The files of `boardroom board export` and `import`.
import { readFile, stat, writeFile } from 'node:fs/promises'
import { isText } from '../../shared/drawing-file.ts'
import { imageTypeOf } from '../../shared/image-type.ts'
import { BoardroomError } from '../errors.ts'
import type { Format } from '../storage/documents.ts'

/** The formats by the word that follows `--format`. */
export const formatNames = {
  excalidraw: 'application/vnd.excalidraw+json',
  yjs: 'application/octet-stream',
  json: 'application/json',
} as const satisfies Record<string, Format>

/** @throws BoardroomError invalid_request | too_large, without reading a file that is too large to be a board. */
export async function contentOf(path: string, mostBytes: number): Promise<Buffer> {
  const unreadable = (error: unknown): never => {
    throw new BoardroomError('invalid_request', `cannot read ${path}`, { cause: error })
  }
  const about = await stat(path).catch(unreadable)
  if (about.isDirectory()) throw new BoardroomError('invalid_request', `${path} is a folder, not a file`)
  if (about.size > mostBytes) {
    throw new BoardroomError(
      'too_large',
      `${path} has ${about.size} bytes; an import reads at most ${mostBytes}, four times BOARDROOM_MAX_BOARD_BYTES. ` +
        'Make its images smaller, or divide it among several boards',
    )
  }
  const body = await readFile(path).catch(unreadable)
  if (body.length === 0) throw new BoardroomError('invalid_request', `${path} is empty`)
  return body
}

/** Decided by the content, not the name: the JSON of an export is JSON, any other text or image is treated as a drawing. */
export function formatOfFile(path: string, body: Buffer): Format {
  if (/\.(excalidraw|excalidrawlib|png|svg|md)$/i.test(path)) return formatNames.excalidraw
  if (imageTypeOf(body) === null && !isText(body)) return formatNames.yjs
  const isJson = body.subarray(0, 64).toString('latin1').trimStart().startsWith('{')
  const isDrawing = /"excalidraw(lib|\/clipboard)?"/.test(body.subarray(0, 4096).toString('latin1'))
  return isJson && !isDrawing ? formatNames.json : formatNames.excalidraw
}

/** @throws BoardroomError conflict (the file exists) | invalid_request */
export async function writeNew(path: string, body: Uint8Array): Promise<void> {
  try {
    await writeFile(path, body, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    throw new BoardroomError(
      exists ? 'conflict' : 'invalid_request',
      exists ? `${path} exists; choose another name` : `cannot write ${path}`,
      { cause: error },
    )
  }
}
