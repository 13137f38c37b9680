// Structs that begin with known clocks and continue past them.
import * as Y from 'yjs'
import { Anchor, keyAt, type Place, type SharedType, typeAround, typeInside } from './placement.ts'
import { Refused } from './update-reader.ts'

/**
 * Such a struct must be where its known part is: Yjs would link the new part behind the known one but count
 * it to the parent that the struct names.
 * @param root, key as the struct names them, null where it does not.
 * @returns false where the document lacks what the struct points at.
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
    // Gone on the board: Yjs stores the rest as GC, wherever it says it is.
    if (parent === null) return true
  }
  const last = doc.store.clients.get(clientId)?.at(-1)
  if (!(last instanceof Y.Item) || last.parent !== parent || last.parentSub !== parentSub)
    throw new Refused('parent_changed', 'a struct continues known clocks under another parent')
  return true
}
