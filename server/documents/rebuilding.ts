// A fresh document with the content of an old one: no history, no tombstones, none of its client ids. Pure, and slow
// on large boards: runs in the worker thread.
import * as Y from 'yjs'
import { elementMaps } from '../../shared/scene.ts'
import { documentOf } from './content.ts'
import { difference } from './difference.ts'
import { pack, probe } from './folding.ts'

export interface Rebuilt {
  /** Yjs v1. */
  state: Uint8Array
  /** What was there before, as versions are stored. */
  before: Uint8Array
  /** The one client id of the new document; where it is empty, of nobody. */
  clientId: number
  /** All client ids of the old one. */
  formerClientIds: number[]
  /** Elements of a canvas that were deleted already, and are left out. */
  forgotten: number
}

/**
 * Deleted elements are kept in a document so that nobody who comes back late brings them up again; nobody can come
 * back to a document whose client ids are retired, so they are left out here.
 * @throws Error where the new content is not the old: nothing may be written then.
 */
export function rebuilt(state: Uint8Array): Rebuilt {
  const wanted = documentOf(state)
  const formerClientIds = [...Y.decodeStateVector(Y.encodeStateVector(wanted)).keys()]
  const forgotten = forgetDeleted(wanted)
  const content = forgotten === 0 ? state : Y.encodeStateAsUpdate(wanted)
  const fresh = Y.encodeStateAsUpdate(documentOf(difference(emptyState, content)))
  if (difference(fresh, content) !== null)
    throw new Error('the new document has not the content of the old one')
  probe(fresh)
  const [clientId = 0] = Y.decodeStateVector(Y.encodeStateVectorFromUpdate(fresh)).keys()
  if (formerClientIds.includes(clientId)) throw new Error('the new document writes under an old client id')
  return { state: fresh, before: pack(state), clientId, formerClientIds, forgotten }
}

const emptyState = Y.encodeStateAsUpdate(new Y.Doc())

/** Of a canvas. In another kind of document there is no such root, or nothing in it that says it is deleted. */
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
