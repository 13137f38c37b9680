// Builds a fresh document with the content of an old one, without its history, tombstones and client ids. Pure, but slow
// on large boards, so it runs in the worker thread.
import * as Y from 'yjs'
import { elementMaps } from '../../shared/scene.ts'
import { documentOf } from './content.ts'
import { difference } from './difference.ts'
import { pack, probe } from './folding.ts'

export interface Rebuilt {
  /** Yjs v1. */
  state: Uint8Array
  /** The old state, packed as a version. */
  before: Uint8Array
  /** The only client id of the new document; unused if it is empty. */
  clientId: number
  /** All client ids of the old one. */
  formerClientIds: number[]
  /** How many deleted elements of the canvas were left out. */
  forgotten: number
}

/**
 * Deleted elements are kept in a document so that returning clients cannot restore them; since no client can return to a
 * document whose client ids are retired, they are left out here.
 * @throws Error if the new content differs from the old; nothing may be written then.
 */
export function rebuilt(state: Uint8Array): Rebuilt {
  const wanted = documentOf(state)
  const formerClientIds = [...Y.decodeStateVector(Y.encodeStateVector(wanted)).keys()]
  const forgotten = forgetDeleted(wanted)
  const content = forgotten === 0 ? state : Y.encodeStateAsUpdate(wanted)
  const fresh = Y.encodeStateAsUpdate(documentOf(difference(emptyState, content)))
  if (difference(fresh, content) !== null)
    throw new Error('the content of the new document differs from the old one')
  probe(fresh)
  const [clientId = 0] = Y.decodeStateVector(Y.encodeStateVectorFromUpdate(fresh)).keys()
  if (formerClientIds.includes(clientId)) throw new Error('the new document uses an old client id')
  return { state: fresh, before: pack(state), clientId, formerClientIds, forgotten }
}

const emptyState = Y.encodeStateAsUpdate(new Y.Doc())

/** For a canvas. Other documents have no such root, or nothing in it that is marked as deleted. */
function forgetDeleted(doc: Y.Doc): number {
  if (!doc.share.has('elements')) return 0
  const maps = elementMaps(doc)
  const deleted = [...maps.entries()].filter(
    ([, map]) => map instanceof Y.Map && map.get('isDeleted') === true,
  )
  doc.transact(() => {
    for (const [id] of deleted) maps.delete(id)
  })
  return deleted.length
}
