// What stands where a refused edit would: nothing, at its clocks. Without it everything that its sender does next would
// rest on what the board lacks, and hang.
import * as encoding from 'lib0/encoding'
import type { Write } from '../../documents/validate/verdict.ts'

const goneRef = 0

/** An update v1 that fills `writes` with structs that are gone. @returns null where there are none. */
export function emptyPlaces(writes: readonly Write[]): Uint8Array | null {
  if (writes.length === 0) return null
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, writes.length)
  for (const { clientId, fromClock, toClock } of writes) {
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint(encoder, clientId)
    encoding.writeVarUint(encoder, fromClock)
    encoding.writeUint8(encoder, goneRef)
    encoding.writeVarUint(encoder, toClock - fromClock)
  }
  encoding.writeVarUint(encoder, 0) // deletes nothing
  return encoding.toUint8Array(encoder)
}
