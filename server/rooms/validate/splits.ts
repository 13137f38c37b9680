// Cuts through long structs of values. Yjs copies what lies behind each cut: a list of 40,000 values and a deletion of
// every other one, 140 kB, took 8.6 s.
import * as Y from 'yjs'
import { Refused } from './update-reader.ts'

/** Shorter ones are not worth counting. */
const leastValues = 1024

interface LongStruct {
  clock: number
  end: number
}

export class Splits {
  readonly #doc: Y.Doc
  readonly #limit: number
  /** Of this update, by client, in clock order. */
  readonly #long = new Map<number, LongStruct[]>()
  #copied = 0

  constructor(doc: Y.Doc, limit: number) {
    this.#doc = doc
    this.#limit = limit
  }

  /** A struct of values that the update brings. */
  add(clientId: number, clock: number, end: number): void {
    if (end - clock <= leastValues) return
    const structs = this.#long.get(clientId)
    if (structs === undefined) this.#long.set(clientId, [{ clock, end }])
    else structs.push({ clock, end })
  }

  /** Yjs will cut before `clock`, if that is in the middle of something. @throws Refused splits */
  cut(clientId: number, clock: number): void {
    const end = this.#endOfNew(clientId, clock) ?? this.#endOfKnown(clientId, clock)
    if (end === null) return
    this.#copied += end - clock
    if (this.#copied > this.#limit)
      throw new Refused('splits', 'long lists of values are cut into too many pieces')
  }

  #endOfNew(clientId: number, clock: number): number | null {
    const structs = this.#long.get(clientId)
    if (structs === undefined) return null
    let low = 0
    let high = structs.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const struct = structs[middle] as LongStruct // between the bounds
      if (struct.end <= clock) low = middle + 1
      else if (struct.clock > clock) high = middle - 1
      else return struct.clock < clock ? struct.end : null
    }
    return null
  }

  #endOfKnown(clientId: number, clock: number): number | null {
    const structs = this.#doc.store.clients.get(clientId)
    if (structs === undefined || clock >= Y.getState(this.#doc.store, clientId)) return null
    const struct = structs[Y.findIndexSS(structs, clock)]
    if (!(struct instanceof Y.Item) || struct.length <= leastValues || struct.id.clock === clock) return null
    const { content } = struct
    const isCopied = content instanceof Y.ContentAny || content instanceof Y.ContentJSON
    return isCopied ? struct.id.clock + struct.length : null
  }
}
