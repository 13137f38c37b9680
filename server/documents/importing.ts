// Computes the changes of an import on a copy of the board, so that nothing reaches the room before it passes the same
// rules as edits over the WebSocket. Runs in the worker thread.
import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import * as Y from 'yjs'
import type { Drawing } from '../../shared/drawing.ts'
import { drawingOfJson, findDrawing, isText } from '../../shared/drawing-file.ts'
import {
  elementMaps,
  elementsOf,
  elementsRoot,
  type SceneElement,
  storedProperties,
  writeElements,
} from '../../shared/scene.ts'
import { documentOf, hasPending, partsOf } from './content.ts'
import { difference } from './difference.ts'
import { leastBytesOf } from './least-size.ts'
import type { Ask, EmbeddedFile, Imported, ImportLimits } from './tasks.ts'
import { dryRun } from './validate/crowds.ts'
import { validateUpdate } from './validate/validate.ts'
import { defaultValidationLimits } from './validate/verdict.ts'

/**
 * A Yjs update from outside, merged into the board.
 * @see validateUpdate for what is refused. Client ids known to the board can only be extended by their owner.
 */
export function importUpdate({ current, update, ownClients, limits }: Ask<'importUpdate'>): Imported {
  const doc = documentOf(current)
  const own = new Set(ownClients)
  const verdict = validateUpdate(
    update,
    doc,
    (clientId, isKnown) => (isKnown && !own.has(clientId) ? 'reject' : 'ok'),
    {
      ...defaultValidationLimits,
      maxNewClientsPerUpdate: limits.maxNewClientsPerUpdate,
      maxNewRootsPerUpdate: defaultValidationLimits.maxRootsPerBoard,
      maxStructsPerUpdate: Number.POSITIVE_INFINITY,
    },
  )
  if (verdict.outcome === 'reject') {
    const expected = isText(update) ? `; expected a Yjs update, got a text: send ${ownTypes}` : ''
    return refused(`the update is refused: ${verdict.message}${expected}`)
  }
  if (verdict.outcome === 'resync') {
    return refused('the update depends on edits that this board does not have; send the whole document')
  }
  const { suspects } = verdict
  if (suspects > 0 && dryRun({ snapshot: current, updates: [], update, structs: suspects }).isTooCrowded)
    return refused('the update is refused: too many structs claim the same places')
  let effect: Uint8Array | null = null
  doc.on('update', (bytes) => {
    effect = bytes
  })
  Y.applyUpdate(doc, update)
  return sized(doc, effect, limits)
}

const ownTypes = 'a drawing as application/vnd.excalidraw+json, other JSON as application/json'

/** The most elements named in a response; the rest are only counted. */
const mostNamed = 100

/** The least size of an element with its id, type, position and index. */
const leastElementBytes = 64

/** The key of the board's comments in an export, which is not a root of its document. */
export const threadsKey = 'boardroom.threads'

/**
 * Imports roots by name, as shown by `jsonOf`: each named root gets exactly this content; others are kept or, with
 * `replace`, emptied. Equal content is not touched, and existing shared types keep their type; a new object directly in
 * a root becomes a shared map, and everything below it a plain value.
 */
export function importJson({ current, body, replace, limits }: Ask<'importJson'>): Imported {
  const roots = parsed(body)
  if (!isObject(roots)) return refused('expected a JSON object of root names and their contents')
  if (Array.isArray(roots.elements) && (roots.type === 'excalidraw' || roots.type === 'excalidraw/clipboard'))
    return refused(`expected the roots of a document, got a drawing: send ${ownTypes}`)
  const doc = documentOf(current)
  const target = new Y.Doc()
  let leastBytes = 0
  for (const [name, value] of Object.entries(roots)) {
    if (name === threadsKey) continue
    if (isObject(value)) {
      leastBytes += leastBytesOf(name, newEntities(doc, name, value), limits.maxBoardBytes)
      if (leastBytes > limits.maxBoardBytes) return { outcome: 'too_large', bytes: leastBytes }
    }
    const root = doc.share.get(name)
    const { hasMap, list } = root === undefined ? { hasMap: false, list: null } : partsOf(root)
    const kind = list ?? (hasMap ? 'map' : null)
    if (typeof value === 'string' && (kind ?? 'text') === 'text') target.getText(name).insert(0, value)
    else if (Array.isArray(value) && (kind ?? 'array') === 'array') {
      const before = kind === null ? [] : doc.getArray(name).toArray()
      target.getArray(name).push(value.map((item, at) => shaped(item, before[at])))
    } else if (isObject(value) && (kind ?? 'map') === 'map') {
      fillMap(target.getMap(name), value, doc.getMap(name), true)
    } else {
      const expected = kind === null ? 'an object, an array or a string' : `the board's type for it (${kind})`
      return refused(`root ${JSON.stringify(name.slice(0, 100))}: expected ${expected}`)
    }
  }
  const only = replace ? undefined : new Set(Object.keys(roots).filter((name) => name !== threadsKey))
  const update = difference(current, Y.encodeStateAsUpdate(target), only)
  return outcomeOf(current, update, limits)
}

/** Imports an `.excalidraw` file: its elements are added or, with `replace`, replace all others. */
export function importScene({ current, body, replace, limits }: Ask<'importScene'>): Imported {
  const scene = drawingIn(body, limits.maxBoardBytes)
  if (typeof scene === 'string') return refused(`expected an Excalidraw drawing: ${scene}`)
  if (typeof scene === 'number') return { outcome: 'too_large', bytes: scene }
  const embedded = embeddedFilesOf(scene.images)
  const elements = scene.elements.map((element) => withContentId(element, embedded))
  const doc = documentOf(current)
  const there = elementMaps(doc)
  const added = elements
    .filter(({ id }) => !there.has(id))
    .map((element) => [element.id, storedProperties(element)] as const)
  // What is replaced may become smaller.
  const before = added.length === elements.length ? current.length : 0
  const bytes = before + leastBytesOf(elementsRoot, added, limits.maxBoardBytes - before)
  if (bytes > limits.maxBoardBytes) return { outcome: 'too_large', bytes }
  const kept = new Set(elements.map(({ id }) => id))
  const removed = replace
    ? elementsOf(doc).filter(({ id, isDeleted }) => isDeleted !== true && !kept.has(id))
    : []
  const used = new Set(elements.map(({ fileId }) => fileId))
  const files = [...new Map([...embedded.values()].map((one) => [one.id, one])).values()].filter(({ id }) =>
    used.has(id),
  )
  let update: Uint8Array | null = null
  doc.on('update', (bytes) => {
    update = bytes
  })
  doc.transact(() => {
    // Mark removed elements as deleted: an element that was merely omitted would be restored by clients that still show it.
    writeElements(
      doc,
      removed.map((element) => ({ ...element, isDeleted: true })),
    )
    if (replace) for (const element of elements) removeStale(doc, element)
    writeElements(doc, elements)
  })
  const result = outcomeOf(current, update, limits)
  return result.outcome === 'ok'
    ? {
        ...result,
        elements: elements.length,
        skipped: scene.leftOut.length,
        leftOut: scene.leftOut.slice(0, mostNamed),
        background: scene.background,
        files,
      }
    : result
}

/** The content of a file, or why there is none; a number is the bytes of one that is too large. */
function drawingIn(body: Uint8Array, maxBoardBytes: number): Drawing | string | number {
  // The largest import.
  const most = 4 * maxBoardBytes
  const found = findDrawing(body, most)
  if (found.name === 'nothing') return found.why
  let text: string
  try {
    text =
      found.name === 'json'
        ? found.text
        : inflateSync(found.bytes, { maxOutputLength: most }).toString('utf8')
  } catch {
    return 'it is damaged: the drawing inside cannot be read, or is too large'
  }
  const read = drawingOfJson(text, Math.floor(maxBoardBytes / leastElementBytes))
  return typeof read === 'number' ? read * leastElementBytes : read
}

/** The rules also apply to updates built from somebody's JSON: long keys, deep values, too many roots. */
function outcomeOf(current: Uint8Array, update: Uint8Array | null, limits: ImportLimits): Imported {
  const doc = documentOf(current)
  if (update === null) return sized(doc, null, limits)
  const verdict = validateUpdate(update, doc, () => 'ok', {
    ...defaultValidationLimits,
    maxNewRootsPerUpdate: defaultValidationLimits.maxRootsPerBoard,
    // The update was built here from a body with a size limit, so an import may have many structs.
    maxStructsPerUpdate: Number.POSITIVE_INFINITY,
    // A replaced board deletes everything it had.
    maxDeletedClocksPerUpdate: defaultValidationLimits.maxClock,
  })
  if (verdict.outcome === 'reject') return refused(`the content is refused: ${verdict.message}`)
  if (verdict.outcome === 'resync') throw new Error(`the import depends on missing edits: ${verdict.rule}`)
  Y.applyUpdate(doc, update)
  return sized(doc, update, limits)
}

function sized(doc: Y.Doc, update: Uint8Array | null, limits: ImportLimits): Imported {
  if (hasPending(doc)) throw new Error('an import left something pending')
  const bytes = Y.encodeStateAsUpdate(doc).length
  if (bytes > limits.maxBoardBytes) return { outcome: 'too_large', bytes }
  return { outcome: 'ok', update, elements: 0, skipped: 0, leftOut: [], background: null, files: [] }
}

/** Removes properties that an element with the same id no longer has. */
function removeStale(doc: Y.Doc, element: SceneElement): void {
  const map = elementMaps(doc).get(element.id)
  if (!(map instanceof Y.Map)) return
  const wanted = storedProperties(element)
  for (const key of [...map.keys()]) if (!(key in wanted)) map.delete(key)
}

/** Malformed JSON becomes undefined, which is refused like any other unexpected value. */
const parsed = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}

const refused = (message: string): Imported => ({ outcome: 'refused', message })

/** By the id that the file gave it. */
const embeddedFilesOf = (images: Drawing['images']): Map<string, EmbeddedFile> =>
  new Map(
    [...images].map(([name, { bytes }]) => [
      name,
      { id: createHash('sha256').update(bytes).digest('hex'), data: bytes },
    ]),
  )

/** Images are identified by their content; Excalidraw's own ids are random or SHA-1. */
const withContentId = (element: SceneElement, embedded: Map<string, EmbeddedFile>): SceneElement => {
  const file = typeof element.fileId === 'string' ? embedded.get(element.fileId) : undefined
  return file === undefined ? element : { ...element, fileId: file.id, status: 'saved' }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Objects in a root that become shared maps of their own. */
const newEntities = (doc: Y.Doc, name: string, root: Record<string, unknown>) => {
  const there = doc.share.has(name) ? doc.getMap(name) : null
  return Object.entries(root).filter(
    (entry): entry is [string, Record<string, unknown>] =>
      isObject(entry[1]) && there?.has(entry[0]) !== true,
  )
}

/** The value as the kind of shared type that is in its place now. */
function shaped(value: unknown, like: unknown): unknown {
  if (like instanceof Y.Text && typeof value === 'string') {
    return like.toString() === value ? like.clone() : new Y.Text(value)
  }
  if (like instanceof Y.Array && Array.isArray(value)) {
    // JSON values and shared types made of them, all of which an array takes.
    return Y.Array.from(value.map((item, at) => shaped(item, like.get(at)) as string))
  }
  return like instanceof Y.Map && isObject(value) ? fillMap(new Y.Map(), value, like, false) : value
}

function fillMap(
  map: Y.Map<unknown>,
  value: Record<string, unknown>,
  like: Y.Map<unknown>,
  isRoot: boolean,
): Y.Map<unknown> {
  for (const [key, entry] of Object.entries(value)) {
    const isNewEntity = isRoot && !like.has(key) && isObject(entry)
    map.set(key, isNewEntity ? new Y.Map(Object.entries(entry)) : shaped(entry, like.get(key)))
  }
  return map
}
