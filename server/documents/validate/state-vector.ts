// Reads the state vector in sync step 1, one clock per client id, within limits.
import { clockTooLarge, Refused, UpdateReader } from './update-reader.ts'
import { defaultValidationLimits, type RejectRule } from './verdict.ts'

export interface StateVectorLimits {
  maxEntries: number
  maxClock: number
}

/** No board has more client ids. The limit for new ones is 20,000; old boards may have more. */
export const defaultStateVectorLimits: StateVectorLimits = {
  maxEntries: 100_000,
  maxClock: defaultValidationLimits.maxClock,
}

export type StateVectorReading =
  | { outcome: 'ok'; clocks: Map<number, number> }
  | { outcome: 'reject'; rule: RejectRule; message: string }

/** Reads an encoded state vector, which must use all bytes. Never throws. */
export function readStateVector(
  bytes: Uint8Array,
  { maxEntries, maxClock } = defaultStateVectorLimits,
): StateVectorReading {
  const reader = new UpdateReader(bytes)
  try {
    const count = reader.readCount(2)
    if (count > maxEntries)
      throw new Refused('count', `a state vector has ${count} entries; ${maxEntries} are allowed`)
    const clocks = new Map<number, number>()
    for (let i = 0; i < count; i++) {
      const clientId = reader.readVarUint()
      const clock = reader.readVarUint()
      if (clock > maxClock) throw clockTooLarge(maxClock)
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
