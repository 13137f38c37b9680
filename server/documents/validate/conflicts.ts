// How far Yjs would look for the place of a struct among those of the board that claim it too. Each struct may be valid
// and all of them together still take long, in the server and in every browser: so the steps of one update are counted.
import * as Y from 'yjs'
import { Anchor, type Place, type SharedType, structAt, typeInside } from './placement.ts'
import { Refused } from './update-reader.ts'

/** The ids that a struct names as its neighbours; clients are -1 where it names none. */
export interface Neighbours {
  originClient: number
  originClock: number
  rightClient: number
  rightClock: number
}

/** All the searches of one update. */
export class Conflicts {
  /** Of the struct being read; written by the reader. */
  readonly neighbours: Neighbours = { originClient: -1, originClock: 0, rightClient: -1, rightClock: 0 }
  readonly #doc: Y.Doc
  readonly #limit: number
  #steps = 0

  constructor(doc: Y.Doc, limit: number) {
    this.#doc = doc
    this.#limit = limit
  }

  /**
   * Count the search for the struct that has just been read.
   * @param root the name of the root that it names as parent, null where it names none.
   * @param readKey reads its map key; called only where the key matters.
   * @returns the steps among what the document holds.
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
      throw new Refused('conflicts', 'too many structs claim places that many others claim')
    return steps
  }
}

/**
 * Steps of the search among what the document holds, counted up to `limit`; more than Yjs takes, never fewer.
 * Neighbours that come with the same update count nothing.
 * @param list what the struct names as parent where it names no neighbour, and the key in it.
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
    // Between two clocks of one struct there is nothing else.
    if (!(left instanceof Y.Item) || left === right) return 0
    next = left.right
  } else if (right !== null || list !== null) {
    const parent = right === null ? list!.parent : (right.parent as SharedType)
    const key = right === null ? list!.key : right.parentSub
    next = key === null ? parent._start : (parent._map.get(key) ?? null)
    if (key !== null) for (; next?.left && steps < limit; steps++) next = next.left
  } else return 0
  for (; next !== null && next !== right && steps < limit; steps++) {
    // Structs at the very front end the search of one that is behind something.
    if (next.origin === null && originClient >= 0) break
    next = next.right
  }
  return steps
}

const known = (doc: Y.Doc, clientId: number, clock: number): Y.Item | Y.GC | null =>
  clock < Y.getState(doc.store, clientId) ? structAt(doc, clientId, clock) : null
