// Whole documents: exported and imported in three formats, and copied to another board.
import type { Transaction } from 'kysely'
import type { LeftOut } from '../../shared/drawing.ts'
import { imageTypeOf } from '../../shared/image-type.ts'
import type { Level } from '../../shared/levels.ts'
import { type AuditEvent, rowOf } from '../audit/event.ts'
import type { Tables } from '../database/tables.ts'
import { threadsKey } from '../documents/importing.ts'
import type { Imported } from '../documents/tasks.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import type { StorageDeps } from './deps.ts'
import { authorIds, copyRows } from './document-queries.ts'
import { putFile } from './files/files.ts'
import { keepCopy } from './versions/versions.ts'

export const formats = [
  'application/json',
  'application/octet-stream',
  'application/vnd.excalidraw+json',
] as const
/** The root types as JSON, a Yjs update v1, and an Excalidraw file. */
export type Format = (typeof formats)[number]

/** @throws BoardroomError too_many_requests */
export async function renderedAs(
  { worker }: Pick<StorageDeps, 'worker'>,
  state: Uint8Array,
  format: Format,
): Promise<Uint8Array> {
  switch (format) {
    case 'application/octet-stream':
      return state
    case 'application/json':
      return worker.run('json', { state })
    case 'application/vnd.excalidraw+json':
      return worker.run('scene', { state })
  }
}

/**
 * Adds the board's comments to a document as JSON, under a key that an import ignores, because nobody may write comments
 * in the name of others.
 * @param threads JSON; null: no comments
 */
export const withThreads = (document: Uint8Array, threads: string | null): Uint8Array => {
  if (threads === null) return document
  const roots = Buffer.from(document.subarray(0, document.length - 1))
  const separator = document.length > 2 ? ',' : ''
  return Buffer.concat([roots, Buffer.from(`${separator}${JSON.stringify(threadsKey)}:${threads}}`)])
}

/**
 * The format that the header `accept` prefers; JSON if it accepts anything.
 * @throws BoardroomError unsupported_media_type, with the supported ones
 */
export function formatFor(accept: string | undefined): Format {
  const wanted = (accept ?? '*/*')
    .split(',')
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
      const q = parameters.find((parameter) => parameter.startsWith('q='))
      return { type, q: q === undefined ? 1 : Number(q.slice(2)) }
    })
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q)
  for (const { type } of wanted) {
    const exact = formats.find((format) => format === type)
    if (exact !== undefined) return exact
    if (type === '*/*' || type === 'application/*') return 'application/json'
  }
  throw unknownFormat('Accept')
}

/** @throws BoardroomError unsupported_media_type, with the supported ones */
export function formatOf(contentType: string | undefined): Format {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  const format = drawingTypes.has(type)
    ? 'application/vnd.excalidraw+json'
    : formats.find((known) => known === type)
  if (format === undefined) throw unknownFormat('Content-Type')
  return format
}

/** Media types of other files that contain a drawing. @see shared/drawing-file.ts */
const drawingTypes = new Set([
  'application/vnd.excalidrawlib+json',
  'image/png',
  'image/svg+xml',
  'text/markdown',
])

const unknownFormat = (header: string) =>
  new BoardroomError('unsupported_media_type', `${header}: expected ${formats.join(' or ')}`, {
    details: { formats },
  })

export interface ImportSummary {
  /** Elements of an Excalidraw file that were written, and entries that were skipped; 0 for other formats. */
  elements: number
  skipped: number
  /** The first hundred of those that are skipped, and why. */
  left_out: LeftOut[]
  files: number
  /** Whether the document changed at all. */
  changed: boolean
}

/** Yjs v1: no structs, no deletions. */
const emptyDocumentBytes = 2

const userIdOf = (author: string): number | null =>
  author.startsWith('user:') ? Number(author.slice('user:'.length)) : null

/**
 * Imports a document into a board, as an edit that collaborators see live. Its images become files of the board.
 * @param replace removes the previous content; a Yjs update can only be merged.
 * @throws BoardroomError invalid_request | too_large | unsupported_media_type | too_many_requests | board_full
 */
export async function importDocument(
  deps: StorageDeps,
  {
    boardId,
    format,
    body,
    replace,
    author,
    actor,
    level,
  }: {
    boardId: string
    format: Format
    body: Uint8Array
    replace: boolean
    author: string
    actor: Actor
    /** The level that allowed it, for the trail. */
    level: Level | null
  },
): Promise<ImportSummary> {
  const { live, worker, config, database, trail } = deps
  const current = await live.document(boardId)
  const limits = { maxNewClientsPerUpdate: config.maxClientsPerBoard, maxBoardBytes: config.maxBoardBytes }
  let imported: Imported
  if (format === 'application/octet-stream') {
    if (replace)
      throw new BoardroomError('invalid_request', 'a Yjs update can only be merged: leave out replace')
    const ownClients = await authorIds(database.db, boardId, author)
    imported = await worker.run('importUpdate', { current, update: body, ownClients, limits })
  } else {
    const task = format === 'application/json' ? 'importJson' : 'importScene'
    imported = await worker.run(task, { current, body, replace, limits })
  }
  if (imported.outcome === 'refused') throw new BoardroomError('invalid_request', imported.message)
  if (imported.outcome === 'too_large') {
    throw new BoardroomError(
      'too_large',
      `the board would have at least ${imported.bytes} bytes; the limit is ${config.maxBoardBytes}; divide the drawing among several boards`,
      { details: { max_bytes: config.maxBoardBytes } },
    )
  }
  const files = imported.files.filter(({ data }) => imageTypeOf(data) !== null)
  const tooLarge = files.find(({ data }) => data.length > config.maxFileBytes)
  if (tooLarge !== undefined)
    throw new BoardroomError(
      'too_large',
      `an image of the drawing has ${tooLarge.data.length} bytes; the limit is ${config.maxFileBytes}`,
    )
  // Before the elements that refer to them.
  for (const { id, data } of files) await putFile(deps, { boardId, id, data, author })
  // An empty board need not be kept.
  if (imported.update !== null && current.length > emptyDocumentBytes)
    await keepCopy(deps, { boardId, state: current, reason: 'before_import', createdBy: userIdOf(author) })
  const { elements, skipped, leftOut, update, background } = imported
  // The trail records numbers, not content.
  const counts = { elements, skipped, files: files.length, changed: update !== null }
  const event: AuditEvent = {
    action: 'update',
    actor,
    boardId,
    resourceType: 'document',
    level,
    details: { import: format, ...counts },
  }
  const isChanged =
    update !== null && (await live.applyAsServer(boardId, update, author, () => ({ trail: [rowOf(event)] })))
  if (!isChanged) await trail.record(event)
  // If a drawing is added to another one, its background is ignored.
  if (background !== null && (replace || current.length <= emptyDocumentBytes))
    await deps.backgrounds.set(boardId, background)
  return { ...counts, left_out: leftOut }
}

/** Copies state, log, authors and files to a new, empty board, but no versions. In the caller's transaction. */
export const copyDocument = (
  trx: Transaction<Tables>,
  fromBoardId: string,
  toBoardId: string,
): Promise<void> => copyRows(trx, fromBoardId, toBoardId)
