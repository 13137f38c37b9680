// Bounded reading of sync step 1: what a client has, as one clock per client id.
import { Refused, UpdateReader } from './update-reader.ts'
import { maxClock, type RejectRule } from './verdict.ts'

/** No board has more client ids: 20,000 is the limit for new ones, old boards are read with room to spare. */
export const maxStateVectorEntries = 100_000

export type StateVectorReading =
  | { outcome: 'ok'; clocks: Map<number, number> }
  | { outcome: 'reject'; rule: RejectRule; message: string }

/** Read an encoded state vector, all of its bytes and nothing else. Never throws. */
export function readStateVector(bytes: Uint8Array): StateVectorReading {
  const reader = new UpdateReader(bytes)
  try {
    const count = reader.readCount(2)
    if (count > maxStateVectorEntries)
      throw new Refused('count', `a state vector has ${count} entries; ${maxStateVectorEntries} are allowed`)
    const clocks = new Map<number, number>()
    for (let i = 0; i < count; i++) {
      const clientId = reader.readVarUint()
      const clock = reader.readVarUint()
      if (clock > maxClock) throw new Refused('clock', 'a clock is larger than 2^31-1')
      if (clocks.has(clientId)) throw new Refused('client_twice', 'a client is listed twice')
      clocks.set(clientId, clock)
    }
    if (reader.bytesLeft > 0) throw new Refused('trailing_bytes', 'bytes follow the end of the state vector')
    return { outcome: 'ok', clocks }
  } catch (error) {
    if (error instanceof Refused) return { outcome: 'reject', rule: error.rule, message: error.message }
    throw error
  }
}
