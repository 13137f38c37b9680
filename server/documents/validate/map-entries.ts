// Map entries of several clocks. A map has one live value per key, and Yjs deletes it as one struct, so a live entry must
// have exactly one clock. Honest documents contain longer ones only if they are deleted (an undo manager keeps what it may
// restore, and adjacent structs merge), so the update must delete them.
import { Refused, type UpdateReader } from './update-reader.ts'

/** Clocks `fromClock` (inclusive) to `toClock` (exclusive) that must be deleted by the same update. */
export interface MapEntry {
  readonly clientId: number
  readonly fromClock: number
  readonly toClock: number
}

/**
 * @param reader at the start of the update's delete set, which is known to be well-formed.
 * @throws Refused map_entry if the delete set leaves part of an entry alive.
 */
export function refuseLiveEntries(entries: readonly MapEntry[], reader: UpdateReader): void {
  const deleted = new Map<number, [number, number][]>()
  for (const { clientId } of entries) deleted.set(clientId, [])
  for (let clients = reader.readVarUint(); clients > 0; clients--) {
    const ofClient = deleted.get(reader.readVarUint())
    for (let ranges = reader.readVarUint(); ranges > 0; ranges--) {
      const clock = reader.readVarUint()
      const end = clock + reader.readVarUint()
      ofClient?.push([clock, end])
    }
  }
  for (const [clientId, ranges] of deleted) deleted.set(clientId, merged(ranges))
  for (const { clientId, fromClock, toClock } of entries)
    if (!covers(deleted.get(clientId) ?? [], fromClock, toClock))
      throw new Refused('map_entry', 'a map entry has more than one value')
}

function merged(ranges: [number, number][]): [number, number][] {
  ranges.sort((a, b) => a[0] - b[0])
  const result: [number, number][] = []
  for (const [from, to] of ranges) {
    const last = result[result.length - 1]
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else result.push([from, to])
  }
  return result
}

function covers(ranges: readonly [number, number][], from: number, to: number): boolean {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ranges[middle]![1] < to) low = middle + 1
    else high = middle
  }
  const range = ranges[low]
  return range !== undefined && range[0] <= from
}
