// Counts how many structs Yjs would scan to find the position of each struct among those with the same origin. Each struct
// may be valid and all of them together still slow, on the server and in every browser, so the steps are limited per update.
import * as Y from 'yjs'
import { Anchor, type Place, type SharedType, structAt, typeInside } from './placement.ts'
import { Refused } from './update-reader.ts'

/** The ids of a struct's left and right origin; the client is -1 if it has none. */
export interface Neighbours {
  originClient: number
  originClock: number
  rightClient: number
  rightClock: number
}

/** All the searches of one update. */
export class Conflicts {
  /** Of the struct being read; set by the reader. */
  readonly neighbours: Neighbours = { originClient: -1, originClock: 0, rightClient: -1, rightClock: 0 }
  readonly #doc: Y.Doc
  readonly #limit: number
  #steps = 0

  constructor(doc: Y.Doc, limit: number) {
    this.#doc = doc
    this.#limit = limit
  }

  /**
   * Counts the search for the struct that was just read.
   * @param root the name of its root if that is its parent, otherwise null.
   * @param readKey reads its map key; called only if the key matters.
   * @returns the steps in the document.
   * @throws Refused conflicts | parent
   */
  count(place: Place, root: string | null, readKey: () => string): number {
    let parent: SharedType | null = null
    if (root !== null) parent = this.#doc.share.get(root) ?? null
    else if (
      place.anchor === Anchor.parent &&
      known(this.#doc, place.anchorClient, place.anchorClock) !== null
    )
      parent = typeInside(this.#doc, place.anchorClient, place.anchorClock)
    const list = parent === null ? null : { parent, key: place.isKeyed ? readKey() : null }
    const steps = conflictSteps(this.#doc, this.neighbours, list, this.#limit + 1 - this.#steps)
    this.#steps += steps
    if (this.#steps > this.#limit)
      throw new Refused('conflicts', 'too many structs are inserted at the same places')
    return steps
  }
}

/**
 * The steps of the search in the document, counted up to `limit`: at least as many as Yjs takes. Origins in the same update
 * do not count.
 * @param list the parent of a struct without origins, and the key in it.
 */
function conflictSteps(
  doc: Y.Doc,
  { originClient, originClock, rightClient, rightClock }: Neighbours,
  list: { parent: SharedType; key: string | null } | null,
  limit: number,
): number {
  let right: Y.Item | null = null
  if (rightClient >= 0) {
    const struct = known(doc, rightClient, rightClock)
    if (!(struct instanceof Y.Item)) return 0
    right = struct
  }
  let steps = 0
  let next: Y.Item | null
  if (originClient >= 0) {
    const left = known(doc, originClient, originClock)
    // Between two clocks of one struct there are no other structs.
    if (!(left instanceof Y.Item) || left === right) return 0
    next = left.right
  } else if (right !== null || list !== null) {
    const parent = right === null ? list!.parent : (right.parent as SharedType)
    const key = right === null ? list!.key : right.parentSub
    next = key === null ? parent._start : (parent._map.get(key) ?? null)
    if (key !== null) for (; next?.left && steps < limit; steps++) next = next.left
  } else return 0
  for (; next !== null && next !== right && steps < limit; steps++) {
    // For a struct with a left origin, the search ends at structs at the very front.
    if (next.origin === null && originClient >= 0) break
    next = next.right
  }
  return steps
}

const known = (doc: Y.Doc, clientId: number, clock: number): Y.Item | Y.GC | null =>
  clock < Y.getState(doc.store, clientId) ? structAt(doc, clientId, clock) : null
