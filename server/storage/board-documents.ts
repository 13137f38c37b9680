// Board documents for the layers above: built from a drawing before the board exists, written together with it in one
// transaction, edited live, and read as a drawing.
import type { Transaction } from 'kysely'
import * as Y from 'yjs'
import { imageTypeOf } from '../../shared/image-type.ts'
import type { Tables } from '../database/tables.ts'
import type { EmbeddedFile } from '../documents/tasks.ts'
import { BoardroomError } from '../errors.ts'
import type { StorageDeps } from './deps.ts'
import { holdContent, insertFile, insertFirstUpdate } from './document-queries.ts'
import { asBuffer } from './log/queries.ts'

export interface MadeDocument {
  /** Yjs v1; null: empty. */
  update: Uint8Array | null
  files: readonly EmbeddedFile[]
}

export interface BoardDocuments {
  /** @throws BoardroomError invalid_request | too_large | too_many_requests */
  make(drawing: object): Promise<MadeDocument>
  /** Writes to a new, empty board in the caller's transaction. @throws BoardroomError too_large */
  write(trx: Transaction<Tables>, boardId: string, made: MadeDocument, author: string): Promise<void>
  /** Runs a synchronous editing function. Collaborators see it live; resolves once committed. */
  edit(boardId: string, change: (doc: Y.Doc) => void, author: string): Promise<void>
  /** The parsed `.excalidraw` file. */
  drawing(boardId: string): Promise<Record<string, unknown>>
}

type Deps = Pick<StorageDeps, 'worker' | 'config'> &
  Pick<BoardDocuments, 'edit'> & {
    document(boardId: string): Promise<Uint8Array>
  }

export const boardDocuments = ({ worker, config, edit, document }: Deps): BoardDocuments => ({
  async make(drawing) {
    const made = await worker.run('importScene', {
      current: Y.encodeStateAsUpdate(new Y.Doc()),
      body: Buffer.from(JSON.stringify(drawing)),
      replace: false,
      limits: { maxNewClientsPerUpdate: config.maxClientsPerBoard, maxBoardBytes: config.maxBoardBytes },
    })
    if (made.outcome === 'refused') throw new BoardroomError('invalid_request', made.message)
    if (made.outcome === 'too_large')
      throw new BoardroomError(
        'too_large',
        `the board would have ${made.bytes} bytes; the limit is ${config.maxBoardBytes}`,
      )
    const files = made.files.filter(({ data }) => imageTypeOf(data) !== null)
    const tooLarge = files.find(({ data }) => data.length > config.maxFileBytes)
    if (tooLarge !== undefined)
      throw new BoardroomError(
        'too_large',
        `a file in the drawing has ${tooLarge.data.length} bytes; the limit is ${config.maxFileBytes}`,
      )
    return { update: made.update, files }
  },
  async write(trx, boardId, { update, files }, author) {
    for (const { id, data } of files) {
      await holdContent(trx, id, asBuffer(data))
      const mime = imageTypeOf(data) ?? 'application/octet-stream'
      await insertFile(trx, {
        board_id: boardId,
        id,
        mime,
        size: data.length,
        content: id,
        created_by: author,
      })
    }
    if (update === null) return
    const clients = [...Y.decodeStateVector(Y.encodeStateVectorFromUpdate(update)).keys()]
    await insertFirstUpdate(trx, boardId, asBuffer(update), clients, author)
  },
  edit,
  async drawing(boardId) {
    const scene = await worker.run('scene', { state: await document(boardId) })
    return JSON.parse(Buffer.from(scene).toString('utf8')) as Record<string, unknown> // our own rendering
  },
})
