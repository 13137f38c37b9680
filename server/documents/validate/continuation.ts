// Structs that start with known clocks and continue past them.
import * as Y from 'yjs'
import { Anchor, keyAt, type Place, type SharedType, typeAround, typeInside } from './placement.ts'
import { Refused } from './update-reader.ts'

/**
 * Such a struct must have the parent of its known part: Yjs would link the new part after the known one, but assign it to
 * the parent in the struct.
 * @param root, key as in the struct, otherwise null.
 * @returns false if the document lacks what the struct refers to.
 * @throws Refused parent_changed | parent
 */
export function continuesInPlace(
  doc: Y.Doc,
  clientId: number,
  place: Place,
  root: string | null,
  key: string | null,
): boolean {
  let parent: SharedType | null
  let parentSub = key
  if (place.anchor === Anchor.root) parent = doc.share.get(root ?? '') ?? null
  else {
    const { anchorClient, anchorClock } = place
    if (anchorClock >= Y.getState(doc.store, anchorClient)) return false
    if (place.anchor === Anchor.parent) parent = typeInside(doc, anchorClient, anchorClock)
    else {
      parent = typeAround(doc, anchorClient, anchorClock)
      parentSub = keyAt(doc, anchorClient, anchorClock)
    }
    // Deleted on the board: Yjs stores the rest as GC, whatever its parent.
    if (parent === null) return true
  }
  const last = doc.store.clients.get(clientId)?.at(-1)
  if (!(last instanceof Y.Item) || last.parent !== parent || last.parentSub !== parentSub)
    throw new Refused('parent_changed', 'a struct continues known clocks under another parent')
  return true
}
