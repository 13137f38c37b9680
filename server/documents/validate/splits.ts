// Counts the work of splitting structs where something is inserted or deleted inside them. For each split, Yjs copies the
// values after it, and moves all later structs of that client; both are limited before the update is applied.
import * as Y from 'yjs'
import { Refused } from './update-reader.ts'

/** New structs of one client that can be cut. */
interface NewStructs {
  /** All structs, including those that cannot be cut. */
  count: number
  clocks: number[]
  ends: number[]
  /** How many structs of the client precede each. */
  indexes: number[]
  areValues: boolean[]
}

export interface SplitLimits {
  /** Values after cuts through structs of values. */
  maxCopiedValuesPerUpdate: number
  /** Structs after cuts. */
  maxMovedStructsPerUpdate: number
  /** Fewer values are not worth counting. */
  minCopiedValues: number
}

export class Splits {
  readonly #doc: Y.Doc
  readonly #limits: SplitLimits
  readonly #new = new Map<number, NewStructs>()
  /** Client and clock of cuts in new structs, until all structs are read. */
  readonly #waiting: number[] = []
  /** Cuts so far and the last of them, by client. */
  readonly #cuts = new Map<number, { count: number; lastClock: number }>()
  #copied = 0
  #moved = 0

  constructor(doc: Y.Doc, limits: SplitLimits) {
    this.#doc = doc
    this.#limits = limits
  }

  /** A struct of the update. `isValues`: its content is an array. */
  add(clientId: number, clock: number, end: number, isValues: boolean): void {
    let structs = this.#new.get(clientId)
    if (structs === undefined) {
      structs = { count: 0, clocks: [], ends: [], indexes: [], areValues: [] }
      this.#new.set(clientId, structs)
    }
    if (end - clock > 1) {
      structs.clocks.push(clock)
      structs.ends.push(end)
      structs.indexes.push(structs.count)
      structs.areValues.push(isValues)
    }
    structs.count++
  }

  /** A struct refers to the place before `clock`; new ones are counted once all structs are read. @throws Refused splits */
  cut(clientId: number, clock: number): void {
    if (clock < Y.getState(this.#doc.store, clientId)) this.#cutKnown(clientId, clock)
    else this.#waiting.push(clientId, clock)
  }

  /** All structs are read. @throws Refused splits */
  cutNew(): void {
    for (let i = 0; i < this.#waiting.length; i += 2)
      this.#cutNew(this.#waiting[i] as number, this.#waiting[i + 1] as number) // pairs
    this.#waiting.length = 0
  }

  #cutKnown(clientId: number, clock: number): void {
    const structs = this.#doc.store.clients.get(clientId)
    if (structs === undefined) return
    const index = Y.findIndexSS(structs, clock)
    const struct = structs[index]
    if (!(struct instanceof Y.Item) || struct.id.clock === clock) return
    const isValues = struct.content instanceof Y.ContentAny || struct.content instanceof Y.ContentJSON
    const values = isValues ? struct.id.clock + struct.length - clock : 0
    this.#count(clientId, clock, values, structs.length - index + (this.#new.get(clientId)?.count ?? 0))
  }

  #cutNew(clientId: number, clock: number): void {
    const structs = this.#new.get(clientId)
    if (structs === undefined) return
    const { clocks, ends, indexes, areValues, count } = structs
    let low = 0
    let high = clocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((clocks[middle] ?? 0) <= clock) low = middle
      else high = middle - 1
    }
    const from = clocks[low] ?? clock
    const end = ends[low] ?? clock
    if (from >= clock || clock >= end) return
    this.#count(clientId, clock, areValues[low] ? end - clock : 0, count - (indexes[low] ?? 0))
  }

  #count(clientId: number, clock: number, values: number, structsBehind: number): void {
    let cuts = this.#cuts.get(clientId)
    if (cuts === undefined) {
      cuts = { count: 0, lastClock: 0 }
      this.#cuts.set(clientId, cuts)
    }
    if (cuts.lastClock === clock) return // the same place from its other side
    // Cuts come in order, so the pieces of earlier cuts are before this one and do not move.
    this.#moved += structsBehind + (clock < cuts.lastClock ? cuts.count : 0)
    cuts.count++
    cuts.lastClock = clock
    const { maxCopiedValuesPerUpdate, maxMovedStructsPerUpdate, minCopiedValues } = this.#limits
    if (values > minCopiedValues) this.#copied += values
    if (this.#copied > maxCopiedValuesPerUpdate || this.#moved > maxMovedStructsPerUpdate)
      throw new Refused('splits', 'long structs are split into too many pieces')
  }
}
