// Estimates the size of a document from the content to be written, before it is built: with very many small parts,
// building it takes a minute and gigabytes.
import * as encoding from 'lib0/encoding'
import { varUintBytes } from './var-uint.ts'

type Entry = readonly [key: string, properties: Readonly<Record<string, unknown>>]

/** The bytes of a struct apart from its parent, key and content. */
const structBytes = 4
/** Client ids are random 32-bit numbers; only one in two thousand takes fewer bytes. */
const clientBytes = 4

/**
 * The size of new shared maps in the root map `root` in a Yjs update (v1), or slightly less.
 * @param most above this, the rest is extrapolated instead of counted.
 */
export function leastBytesOf(root: string, entries: readonly Entry[], most: number): number {
  const encoder = encoding.createEncoder()
  let clock = 0
  let bytes = 0
  for (const [at, [key, properties]] of entries.entries()) {
    bytes += structBytes + root.length + Buffer.byteLength(key)
    const parentBytes = clientBytes + varUintBytes(clock++)
    for (const name in properties) {
      encoding.writeAny(encoder, properties[name] as encoding.AnyEncodable) // JSON
      bytes += structBytes + parentBytes + Buffer.byteLength(name) + encoding.length(encoder)
      encoder.cpos = 0
      encoder.bufs.length = 0
      clock++
    }
    if (bytes > most) return Math.round((bytes / (at + 1)) * entries.length)
  }
  return bytes
}
