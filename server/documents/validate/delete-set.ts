// The second half of an update: ranges of clocks to delete, by client.
import * as Y from 'yjs'
import type { Splits } from './splits.ts'
import { endOf, Refused, type UpdateReader } from './update-reader.ts'
import type { ValidationLimits } from './verdict.ts'

const minClientBytes = 2
const minRangeBytes = 2

export interface DeleteSetReading {
  /** It includes clocks that the board will not have. */
  isAhead: boolean
  /** All of it is already deleted. Only determined if `isEmpty` was true before. */
  isEmpty: boolean
}

/**
 * @param reachedBy the clock that the board will have for a client after this update's structs.
 * @param splits gets every clock where a range starts or ends.
 * @param isEmpty whether the structs add nothing.
 */
export function readDeleteSet(
  reader: UpdateReader,
  doc: Y.Doc,
  reachedBy: (clientId: number) => number,
  isEmpty: boolean,
  splits: Splits,
  limits: ValidationLimits,
): DeleteSetReading {
  const reading = { isAhead: false, isEmpty }
  let outOfOrder = 0
  for (let clients = reader.readCount(minClientBytes); clients > 0; clients--) {
    const clientId = reader.readVarUint()
    const reached = reachedBy(clientId)
    let lastClock = 0
    for (let ranges = reader.readCount(minRangeBytes); ranges > 0; ranges--) {
      const clock = reader.readVarUint()
      const end = endOf(clock, reader.readVarUint(), limits)
      if (clock < lastClock && ++outOfOrder > limits.maxRangesOutOfOrder)
        throw new Refused('delete_order', 'deleted ranges are not in order')
      lastClock = clock
      if (end > reached) {
        reading.isAhead = true
        continue
      }
      splits.cut(clientId, clock)
      splits.cut(clientId, end)
      if (reading.isEmpty) reading.isEmpty = isDeleted(doc, clientId, clock, end)
    }
  }
  return reading
}

function isDeleted(doc: Y.Doc, clientId: number, clock: number, end: number): boolean {
  const structs = doc.store.clients.get(clientId)!
  for (let i = Y.findIndexSS(structs, clock); i < structs.length && structs[i]!.id.clock < end; i++)
    if (!structs[i]!.deleted) return false
  return true
}
