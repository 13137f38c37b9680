// The files of a board: images, identified by the SHA-256 of their content, and one thumbnail. Never in the document.
import { createHash } from 'node:crypto'
import type { FileResponse } from '../../../shared/api.ts'
import { imageTypeOf } from '../../../shared/image-type.ts'
import type { Scene } from '../../../shared/scene.ts'
import { BoardroomError } from '../../errors.ts'
import type { StorageDeps } from '../deps.ts'
import {
  bytesOfFiles,
  bytesOfOwner,
  holdContent,
  insertFile,
  lockBoard,
  lockFilesOfOwner,
  readFile,
  upsertFile,
} from '../document-queries.ts'
import { asBuffer } from '../log/queries.ts'

const thumbnailId = 'thumbnail'
export const maxThumbnailBytes = 256 * 1024
const thumbnailTypes = ['image/webp', 'image/png']

export interface StoredFile {
  mime: string
  size: number
  data: Buffer
  createdAt: Date
}

type Deps = Pick<StorageDeps, 'database' | 'config'>

/**
 * Stores a file. Storing an existing one again succeeds and changes nothing.
 * @param author `user:7`, `guest:<uuid>`, …
 * @throws BoardroomError invalid_request (the id is not the hash of the content) | unsupported_media_type | too_large
 *   (the file, or all files of the board or of its owner) | not_found
 */
export async function putFile(
  { database, config }: Deps,
  { boardId, id, data, author }: { boardId: string; id: string; data: Uint8Array; author: string },
): Promise<FileResponse> {
  if (data.length > config.maxFileBytes) {
    throw new BoardroomError(
      'too_large',
      `the file has ${data.length} bytes; the limit is ${config.maxFileBytes}`,
    )
  }
  const sha256 = createHash('sha256').update(data).digest('hex')
  if (sha256 !== id) {
    throw new BoardroomError('invalid_request', 'the id in the path is not the sha-256 of the content', {
      details: { sha256 },
    })
  }
  const mime = imageTypeOf(data)
  if (mime === null) {
    throw new BoardroomError(
      'unsupported_media_type',
      'expected an image: PNG, JPEG, GIF, WebP, AVIF, SVG, BMP or ICO',
    )
  }
  await database.db.transaction().execute(async (trx) => {
    // One upload per board at a time, so that two cannot exceed the limit together.
    if (!(await lockBoard(trx, boardId))) throw new BoardroomError('not_found', 'there is no such board')
    const { known, bytes } = await bytesOfFiles(trx, boardId, id)
    if (known) return
    if (bytes + data.length > config.maxFilesBytes) {
      throw new BoardroomError(
        'too_large',
        `the files of this board have ${bytes} bytes together, and this one ${data.length}; the limit is ${config.maxFilesBytes}`,
        {
          details: {
            limit: 'files_bytes_per_board',
            max_files_bytes: config.maxFilesBytes,
            files_bytes: bytes,
          },
        },
      )
    }
    await lockFilesOfOwner(trx, boardId)
    const ofOwner = await bytesOfOwner(trx, boardId)
    if (ofOwner + data.length > config.maxFilesBytesPerUser) {
      throw new BoardroomError(
        'too_large',
        `the files on all boards of this board’s owner have ${ofOwner} bytes together, and this one ${data.length}; the limit is ${config.maxFilesBytesPerUser}`,
        {
          details: {
            limit: 'files_bytes_per_user',
            max_files_bytes: config.maxFilesBytesPerUser,
            files_bytes: ofOwner,
          },
        },
      )
    }
    await holdContent(trx, id, asBuffer(data))
    await insertFile(trx, {
      board_id: boardId,
      id,
      mime,
      size: data.length,
      content: id,
      created_by: author,
    })
  })
  return { id, mime, size: data.length }
}

/** @throws BoardroomError not_found */
export async function getFile(
  { database }: Pick<StorageDeps, 'database'>,
  boardId: string,
  id: string,
): Promise<StoredFile> {
  const file = await readFile(database.db, boardId, id)
  if (file === undefined) throw new BoardroomError('not_found', 'there is no such file on this board')
  return file
}

/** @throws BoardroomError unsupported_media_type | too_large */
export async function putThumbnail(
  { database }: Pick<StorageDeps, 'database'>,
  { boardId, data, author }: { boardId: string; data: Uint8Array; author: string },
): Promise<FileResponse> {
  if (data.length > maxThumbnailBytes) {
    throw new BoardroomError(
      'too_large',
      `the thumbnail has ${data.length} bytes; the limit is ${maxThumbnailBytes}`,
    )
  }
  const mime = imageTypeOf(data)
  if (mime === null || !thumbnailTypes.includes(mime)) {
    throw new BoardroomError('unsupported_media_type', `expected ${thumbnailTypes.join(' or ')}`)
  }
  const row = {
    board_id: boardId,
    id: thumbnailId,
    mime,
    size: data.length,
    content: createHash('sha256').update(data).digest('hex'),
    created_by: author,
  }
  await database.db.transaction().execute(async (trx) => {
    await holdContent(trx, row.content, asBuffer(data))
    await upsertFile(trx, row)
  })
  return { id: thumbnailId, mime, size: data.length }
}

/** @returns null if there is none yet. */
export const getThumbnail = async (
  { database }: Pick<StorageDeps, 'database'>,
  boardId: string,
): Promise<StoredFile | null> => (await readFile(database.db, boardId, thumbnailId)) ?? null

/** Embeds the board's images in an `.excalidraw` file, for programs that do not use our API. */
export async function withImages(
  database: StorageDeps['database'],
  boardId: string,
  sceneFile: Uint8Array,
  background: string | null,
): Promise<Uint8Array> {
  const scene = JSON.parse(Buffer.from(sceneFile).toString('utf8')) as Scene // written by sceneFileOf
  const ids = new Set(scene.elements.flatMap(({ fileId }) => (typeof fileId === 'string' ? [fileId] : [])))
  const files: Record<string, unknown> = {}
  for (const id of ids) {
    const file = await readFile(database.db, boardId, id)
    if (file === undefined) continue
    const { mime, data, createdAt } = file
    const dataURL = `data:${mime};base64,${data.toString('base64')}`
    files[id] = { id, mimeType: mime, dataURL, created: createdAt.getTime() }
  }
  const appState = background === null ? scene.appState : { viewBackgroundColor: background }
  return Buffer.from(JSON.stringify({ ...scene, appState, files }, null, 1), 'utf8')
}
