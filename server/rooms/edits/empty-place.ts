// Fills the clocks of a refused edit with deleted content. Without that, all later edits of its sender would depend on
// missing clocks and never be applied.
import * as encoding from 'lib0/encoding'
import type { Write } from '../../documents/validate/verdict.ts'

const gcRef = 0

/** An update v1 that fills `writes` with GC structs; null if there are none. */
export function emptyPlaces(writes: readonly Write[]): Uint8Array | null {
  if (writes.length === 0) return null
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, writes.length)
  for (const { clientId, fromClock, toClock } of writes) {
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint(encoder, clientId)
    encoding.writeVarUint(encoder, fromClock)
    encoding.writeUint8(encoder, gcRef)
    encoding.writeVarUint(encoder, toClock - fromClock)
  }
  encoding.writeVarUint(encoder, 0) // deletes nothing
  return encoding.toUint8Array(encoder)
}
