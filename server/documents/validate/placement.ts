// Determines in which shared type new structs are, and how deeply nested. For updates with several structs this needs
// memory, because a struct may refer to one in the same update, even a later one.
import * as Y from 'yjs'
import type { Block, Blocks } from './blocks.ts'
import type { MapEntry } from './map-entries.ts'
import { Refused } from './update-reader.ts'

/** Any shared type, whatever its events. */
export type SharedType = NonNullable<ReturnType<Y.Doc['share']['get']>>

/** How a struct identifies its place. A neighbour is its left or right origin, with which it shares the parent. */
export const Anchor = { none: 0, root: 1, parent: 2, neighbour: 3 } as const

/** What a struct means to those with it as parent: not allowed, a type, or deleted, in which case they are too. */
export const Role = { leaf: 0, type: 1, gone: 2 } as const

/** The place of one struct, as far as the struct itself tells. */
export interface Place {
  role: number
  anchor: number
  /** The id of the parent or neighbour. */
  anchorClient: number
  anchorClock: number
  /** It has a map key of its own. With a neighbour, the neighbour's applies. */
  isKeyed: boolean
  /** Content that can be split: several clocks, not deleted. */
  isSplittable: boolean
}

/** A place whose parent is deleted: Yjs stores structs there as GC. */
const nowhere = -1
const unresolved = -2

/** Rows in the order of reading: ascending clocks within a client's part. */
export class Placements {
  #count = 0
  #clocks = new Int32Array(16)
  #anchors = new Uint8Array(16)
  #roles = new Uint8Array(16)
  #anchorClients = new Float64Array(16)
  #anchorClocks = new Int32Array(16)
  /** Depth of the list that a struct is in: 0 in a root. */
  #depths = new Int16Array(16)
  /** 1 if the struct is a map entry; for neighbours only once `#depths` is resolved. */
  #keyed = new Uint8Array(16)
  #splittable = new Uint8Array(16)
  #isWorthChecking = false
  readonly #firstRow = new Map<number, number>()
  readonly #endRow = new Map<number, number>()

  /** A new client's structs follow. */
  open(clientId: number): void {
    this.#firstRow.set(clientId, this.#count)
  }

  close(clientId: number): void {
    this.#endRow.set(clientId, this.#count)
  }

  /** One new struct that starts at `clock`, in clock order within its client. */
  add(clock: number, place: Place): void {
    const row = this.#count++
    if (row === this.#clocks.length) this.#grow()
    this.#clocks[row] = clock
    this.#roles[row] = place.role
    this.#anchors[row] = place.anchor
    this.#anchorClients[row] = place.anchorClient
    this.#anchorClocks[row] = place.anchorClock
    this.#keyed[row] = place.isKeyed ? 1 : 0
    this.#splittable[row] = place.isSplittable ? 1 : 0
    this.#depths[row] = unresolved
    if (place.role === Role.type || place.anchor === Anchor.parent || place.isSplittable)
      this.#isWorthChecking = true
  }

  /**
   * Resolves every place that matters. Must only be called when the dependencies are known to be complete and without
   * cycles; otherwise it would not terminate.
   * @returns the map entries of several clocks, which the update must delete.
   * @throws Refused type_nesting | parent
   */
  check(blocks: Blocks, doc: Y.Doc, maxTypeNesting: number): MapEntry[] {
    const entries: MapEntry[] = []
    if (!this.#isWorthChecking) return entries
    for (const [clientId, first] of this.#firstRow) {
      const end = this.#endRow.get(clientId) ?? first
      for (let row = first; row < end; row++) {
        const isType = this.#roles[row] === Role.type
        if (!isType && this.#anchors[row] !== Anchor.parent && this.#splittable[row] === 0) continue
        const depth = this.#resolve(row, blocks, doc)
        if (isType && depth + 1 > maxTypeNesting) throw tooDeep(maxTypeNesting)
        if (this.#splittable[row] === 0 || this.#keyed[row] === 0) continue
        const block = blocks.blockOf(clientId)!
        const fromClock = Math.max(this.#clocks[row]!, block.known)
        entries.push({ clientId, fromClock, toClock: row + 1 < end ? this.#clocks[row + 1]! : block.reached })
      }
    }
    return entries
  }

  /** @returns the depth of the list that the struct of a row is in, or `nowhere`. */
  #resolve(start: number, blocks: Blocks, doc: Y.Doc): number {
    // Follows rows to one with a known depth, which then applies to all rows on the way. Without recursion, because chains
    // of neighbours are as long as a text.
    const path: number[] = []
    let row = start
    let depth: number
    for (;;) {
      depth = this.#depths[row]!
      if (depth !== unresolved) break
      const anchor = this.#anchors[row]!
      if (anchor === Anchor.root || anchor === Anchor.none) {
        depth = anchor === Anchor.root ? 0 : nowhere
        this.#depths[row] = depth
        break
      }
      const client = this.#anchorClients[row]!
      const clock = this.#anchorClocks[row]!
      const block = blocks.blockOf(client)
      if (block === undefined || clock < block.known) {
        depth = depthInDocument(doc, client, clock, anchor === Anchor.parent)
        this.#depths[row] = depth
        if (anchor === Anchor.neighbour) this.#keyed[row] = isEntryAt(doc, client, clock) ? 1 : 0
        break
      }
      path.push(row)
      row = this.#rowOf(block, clock)
    }
    for (let i = path.length - 1; i >= 0; i--) {
      const child = path[i]!
      if (this.#anchors[child] === Anchor.parent) {
        const role = this.#roles[row]
        if (role === Role.leaf) throw notAType()
        // Clamped to 16 bits: how far it is above the limit does not matter.
        if (role === Role.gone) depth = nowhere
        else if (depth !== nowhere) depth = Math.min(depth + 1, 30_000)
      } else this.#keyed[child] = this.#keyed[row]!
      this.#depths[child] = depth
      row = child
    }
    return depth
  }

  /** The row whose struct contains `clock`; usually the one found last, or the next. */
  #rowOf(block: Block, clock: number): number {
    let low = this.#firstRow.get(block.clientId)!
    let high = this.#endRow.get(block.clientId)! - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#clocks[middle]! <= clock) low = middle
      else high = middle - 1
    }
    return low
  }

  #grow(): void {
    const capacity = this.#count * 2
    const grown = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from)
      return to
    }
    this.#clocks = grown(new Int32Array(capacity), this.#clocks)
    this.#anchors = grown(new Uint8Array(capacity), this.#anchors)
    this.#roles = grown(new Uint8Array(capacity), this.#roles)
    this.#anchorClients = grown(new Float64Array(capacity), this.#anchorClients)
    this.#anchorClocks = grown(new Int32Array(capacity), this.#anchorClocks)
    this.#keyed = grown(new Uint8Array(capacity), this.#keyed)
    this.#splittable = grown(new Uint8Array(capacity), this.#splittable)
    this.#depths = grown(new Int16Array(capacity), this.#depths)
  }
}

/**
 * The same for an update with a single struct, which can only refer to the document.
 * @returns whether it is a map entry of several clocks.
 * @throws Refused type_nesting | parent
 */
export function checkPlace(place: Place, doc: Y.Doc, maxTypeNesting: number): boolean {
  const { role, anchor, anchorClient, anchorClock } = place
  if (anchor !== Anchor.none && anchor !== Anchor.root && (anchor === Anchor.parent || role === Role.type)) {
    const depth = depthInDocument(doc, anchorClient, anchorClock, anchor === Anchor.parent)
    if (role === Role.type && depth + 1 > maxTypeNesting) throw tooDeep(maxTypeNesting)
  }
  if (!place.isSplittable) return false
  return anchor === Anchor.neighbour ? isEntryAt(doc, anchorClient, anchorClock) : place.isKeyed
}

/** The struct of the document that contains a clock, which must exist. */
export function structAt(doc: Y.Doc, clientId: number, clock: number): Y.Item | Y.GC {
  const structs = doc.store.clients.get(clientId)!
  return structs[Y.findIndexSS(structs, clock)]!
}

/**
 * The depth of the list that contains a struct of the document, or of the list in it.
 * @throws Refused parent if the struct has no type and is not deleted.
 */
function depthInDocument(doc: Y.Doc, clientId: number, clock: number, inside: boolean): number {
  const type = inside ? typeInside(doc, clientId, clock) : typeAround(doc, clientId, clock)
  return type === null ? nowhere : nestingOf(type)
}

/** The type in an item; null if the item is deleted. @throws Refused parent */
export function typeInside(doc: Y.Doc, clientId: number, clock: number): SharedType | null {
  const struct = structAt(doc, clientId, clock)
  if (!(struct instanceof Y.Item) || struct.content instanceof Y.ContentDeleted) return null
  if (!(struct.content instanceof Y.ContentType)) throw notAType()
  return struct.content.type
}

/** The type that contains an item; null if that is deleted. */
export function typeAround(doc: Y.Doc, clientId: number, clock: number): SharedType | null {
  const struct = structAt(doc, clientId, clock)
  // The parent of an integrated item is the type itself, not its id or name.
  return struct instanceof Y.Item ? (struct.parent as SharedType) : null
}

/** The map key of an item; null in lists and for deleted ones. */
export function keyAt(doc: Y.Doc, clientId: number, clock: number): string | null {
  const struct = structAt(doc, clientId, clock)
  return struct instanceof Y.Item ? struct.parentSub : null
}

const isEntryAt = (doc: Y.Doc, clientId: number, clock: number): boolean =>
  keyAt(doc, clientId, clock) !== null

function nestingOf(type: SharedType): number {
  let depth = 0
  for (let item = type._item; item !== null; depth++) item = (item.parent as SharedType)._item
  return depth
}

const notAType = (): Refused => new Refused('parent', 'a parent is not a shared type')

const tooDeep = (maxTypeNesting: number): Refused =>
  new Refused('type_nesting', `shared types are nested more than ${maxTypeNesting} deep`)
