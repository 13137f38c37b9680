// Cuts a stored state into updates that can be applied one by one, so that a large board's document can be built with
// pauses for other rooms. Pure; runs in the worker thread (fold-worker.ts).
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'

/** The cost of one portion: its structs, with long ones counted higher. About 5 ms to apply. */
const mostWeight = 200
const clocksOfAStruct = 200

type Struct = Y.Item | Y.GC

interface Part {
  structs: Struct[]
  next: number
}

/** The structs of one portion by client: indices from (inclusive) to (exclusive). */
type Portion = Map<number, { from: number; to: number }>

/**
 * @param state Yjs v1, complete on its own.
 * @returns v1 updates in order, each depending only on earlier ones, and together equal to `state`. Just `state` if it
 *   cannot be cut.
 */
export function cut(state: Uint8Array): Uint8Array[] {
  const { structs, ds } = Y.decodeUpdate(state)
  const parts = new Map<number, Part>()
  for (const struct of structs) {
    if (struct instanceof Y.Skip) return [state]
    const part = parts.get(struct.id.client)
    if (part === undefined) parts.set(struct.id.client, { structs: [struct], next: 0 })
    else part.structs.push(struct)
  }
  const portions = portionsOf(parts)
  if (portions === null) return [state]
  return [...portions.map((portion) => encodePortion(portion, parts)), encodeDeletes(ds)]
}

/** In the order in which Yjs integrates: dependencies on other clients come first. */
function portionsOf(parts: Map<number, Part>): Portion[] | null {
  const portions: Portion[] = []
  let portion: Portion = new Map()
  let weight = 0
  const take = (client: number, part: Part, struct: Struct) => {
    const run = portion.get(client)
    if (run === undefined) portion.set(client, { from: part.next, to: part.next + 1 })
    else run.to++
    part.next++
    weight += 1 + Math.floor(struct.length / clocksOfAStruct)
    if (weight < mostWeight) return
    portions.push(portion)
    portion = new Map()
    weight = 0
  }
  for (const start of [...parts.keys()].sort((a, b) => b - a)) {
    const path = [start]
    const onPath = new Set(path)
    for (let client = path.at(-1); client !== undefined; client = path.at(-1)) {
      const asking = path.at(-2)
      if (asking !== undefined && neededByNext(asking, parts) !== client) {
        path.pop()
        onPath.delete(client)
        continue
      }
      const part = parts.get(client)
      const struct = part?.structs[part.next]
      const needed = struct === undefined ? null : neededBy(struct, parts)
      if (part !== undefined && struct !== undefined && needed === null) {
        take(client, part, struct)
        continue
      }
      if (struct !== undefined && needed !== null) {
        if (!parts.has(needed) || onPath.has(needed)) return null
        path.push(needed)
        onPath.add(needed)
        continue
      }
      path.pop()
      onPath.delete(client)
    }
  }
  if (portion.size > 0) portions.push(portion)
  return portions
}

function neededByNext(client: number, parts: Map<number, Part>): number | null {
  const part = parts.get(client)
  const struct = part?.structs[part.next]
  return struct === undefined ? null : neededBy(struct, parts)
}

/** A client with a struct that must come first; null if there is none. */
function neededBy(struct: Struct, parts: Map<number, Part>): number | null {
  if (struct instanceof Y.GC) return null
  const parent: unknown = struct.parent // decoded but not integrated: a root's name, an id, or nothing
  for (const id of [struct.origin, struct.rightOrigin, parent instanceof Y.ID ? parent : null])
    if (id !== null && id.client !== struct.id.client && id.clock >= reachedBy(parts.get(id.client)))
      return id.client
  return null
}

/** The clock up to which a client's structs are included. */
function reachedBy(part: Part | undefined): number {
  const next = part?.structs[part.next]
  return part === undefined ? 0 : next === undefined ? Number.POSITIVE_INFINITY : next.id.clock
}

function encodePortion(portion: Portion, parts: Map<number, Part>): Uint8Array {
  const encoder = new Y.UpdateEncoderV1()
  encoding.writeVarUint(encoder.restEncoder, portion.size)
  for (const [client, { from, to }] of portion) {
    const structs = parts.get(client)?.structs.slice(from, to) ?? []
    encoding.writeVarUint(encoder.restEncoder, structs.length)
    encoder.writeClient(client)
    encoding.writeVarUint(encoder.restEncoder, structs[0]?.id.clock ?? 0)
    for (const struct of structs) struct.write(encoder, 0)
  }
  encoding.writeVarUint(encoder.restEncoder, 0)
  return encoder.toUint8Array()
}

function encodeDeletes({ clients }: ReturnType<typeof Y.decodeUpdate>['ds']): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 0)
    encoding.writeVarUint(encoder, clients.size)
    for (const [client, ranges] of clients) {
      encoding.writeVarUint(encoder, client)
      encoding.writeVarUint(encoder, ranges.length)
      for (const { clock, len } of ranges) {
        encoding.writeVarUint(encoder, clock)
        encoding.writeVarUint(encoder, len)
      }
    }
  })
}
