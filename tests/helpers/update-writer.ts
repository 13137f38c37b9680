// Writes v1 updates by hand, valid and invalid ones: nothing here checks anything.
import * as encoding from 'lib0/encoding'

export interface Id {
  client: number
  clock: number
}

export interface Struct {
  /** Content reference; 0 GC, 10 skip. */
  ref: number
  origin?: Id | undefined
  rightOrigin?: Id | undefined
  /** Written if there is neither origin. */
  parent?: string | Id | undefined
  key?: string | undefined
  /** The content's bytes, or the length of GC, skip and deleted. */
  content: Uint8Array | number
  /** Instead of the correct info byte. */
  info?: number | undefined
}

export interface Part {
  client: number
  clock: number
  structs: readonly Struct[]
  /** Instead of the number of structs. */
  count?: number
}

export interface Deletes {
  client: number
  /** clock, length */
  ranges: readonly (readonly [number, number])[]
  count?: number
}

export function writeUpdate(parts: readonly Part[], deletes: readonly Deletes[] = []): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, parts.length)
    for (const { client, clock, structs, count } of parts) {
      encoding.writeVarUint(encoder, count ?? structs.length)
      encoding.writeVarUint(encoder, client)
      encoding.writeVarUint(encoder, clock)
      for (const struct of structs) writeStruct(encoder, struct)
    }
    encoding.writeVarUint(encoder, deletes.length)
    for (const { client, ranges, count } of deletes) {
      encoding.writeVarUint(encoder, client)
      encoding.writeVarUint(encoder, count ?? ranges.length)
      for (const [clock, length] of ranges) {
        encoding.writeVarUint(encoder, clock)
        encoding.writeVarUint(encoder, length)
      }
    }
  })
}

function writeStruct(encoder: encoding.Encoder, struct: Struct): void {
  const { ref, origin, rightOrigin, parent, key, content } = struct
  const bits = (origin ? 0x80 : 0) | (rightOrigin ? 0x40 : 0) | (key === undefined ? 0 : 0x20)
  encoding.writeUint8(encoder, struct.info ?? ref | bits)
  if (ref !== 0 && ref !== 10) {
    if (origin) writeId(encoder, origin)
    if (rightOrigin) writeId(encoder, rightOrigin)
    if (!origin && !rightOrigin) {
      if (typeof parent === 'object') {
        encoding.writeVarUint(encoder, 0)
        writeId(encoder, parent)
      } else {
        encoding.writeVarUint(encoder, 1)
        encoding.writeVarString(encoder, parent ?? 'map')
      }
      if (key !== undefined) encoding.writeVarString(encoder, key)
    }
  }
  if (typeof content === 'number') encoding.writeVarUint(encoder, content)
  else encoding.writeUint8Array(encoder, content)
}

function writeId(encoder: encoding.Encoder, id: Id): void {
  encoding.writeVarUint(encoder, id.client)
  encoding.writeVarUint(encoder, id.clock)
}

/** Contents as they follow an item's position. */
export const contentOf = {
  string: (text: string) => encoding.encode((encoder) => encoding.writeVarString(encoder, text)),
  /** `ref` 2 and 8. */
  any: (...values: unknown[]) =>
    encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, values.length)
      for (const value of values) encoding.writeAny(encoder, value as encoding.AnyEncodable)
    }),
  json: (...texts: string[]) =>
    encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, texts.length)
      for (const text of texts) encoding.writeVarString(encoder, text)
    }),
  format: (key: string, json: string) =>
    encoding.encode((encoder) => {
      encoding.writeVarString(encoder, key)
      encoding.writeVarString(encoder, json)
    }),
  /** 0 array, 1 map, 2 text, 3 XML element, 4 XML fragment, 5 hook, 6 XML text; others unknown. */
  type: (type: number, name = 'p') =>
    encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, type)
      if (type === 3 || type === 5) encoding.writeVarString(encoder, name)
    }),
  bytes: (bytes: Uint8Array) => encoding.encode((encoder) => encoding.writeVarUint8Array(encoder, bytes)),
}
