// How large a document becomes, counted from what is to be written, before a document is made of it: that takes a minute
// and gigabytes where the content is made of very many small parts.
import * as encoding from 'lib0/encoding'
import { varUintBytes } from './var-uint.ts'

type Entry = readonly [key: string, properties: Readonly<Record<string, unknown>>]

/** What a struct has beside its parent, its key and its content. */
const structBytes = 4
/** Client ids are random numbers of 32 bits; only one in two thousand is shorter than this. */
const clientBytes = 4

/**
 * What new shared maps in the root map `root` take in a Yjs update (v1), or a little less.
 * @param most beyond it the rest is not counted but projected from what was.
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
