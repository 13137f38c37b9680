// Compares edits that somebody else sent under the sender's client id with the sender's own copy of them. The same edit may
// be in other pieces, because documents merge and split structs, and keep only the clocks of deleted content.
import * as Y from 'yjs'
import { varUintBytes, writeVarUint } from '../var-uint.ts'
import { type SharedType, structAt } from './placement.ts'
import { Refused } from './update-reader.ts'
import type { RelayedClocks, Shown, Write } from './verdict.ts'

/** One struct of the update, as its bytes. */
interface StructBytes {
  readonly clientId: number
  readonly clock: number
  readonly end: number
  readonly bytes: Uint8Array
}

/** Thrown if the copies differ. */
export class Contradicted extends Refused {
  readonly clientId: number

  constructor(clientId: number) {
    super(
      'relayed',
      'while you were away, somebody else wrote other edits under your client id; yours are not saved. Open the board again',
    )
    this.clientId = clientId
  }
}

interface Showing {
  readonly relayed: Write
  /** Everything before it was shown. */
  shownTo: number
  isDeleted: boolean
}

/** The relayed clocks that one update shows. */
export class Showings {
  readonly #doc: Y.Doc
  readonly #relayed: RelayedClocks
  readonly #showings = new Map<number, Showing>()
  #current: Showing | null = null

  constructor(doc: Y.Doc, relayed: RelayedClocks) {
    this.#doc = doc
    this.#relayed = relayed
  }

  /** The structs of this client follow. */
  open(clientId: number): void {
    const relayed = this.#relayed(clientId)
    this.#current = relayed === null ? null : { relayed, shownTo: relayed.fromClock, isDeleted: false }
    if (this.#current !== null) this.#showings.set(clientId, this.#current)
  }

  /** Whether the clocks of a struct of this client are of interest. */
  concerns(clock: number, end: number): boolean {
    const current = this.#current
    return current !== null && clock < current.relayed.toClock && end > current.relayed.fromClock
  }

  /** A struct for which `concerns` is true; bytes are null if it has no content. @throws Contradicted */
  show(struct: Omit<StructBytes, 'bytes'> & { bytes: Uint8Array | null }): void {
    const current = this.#current
    if (current === null) return
    const { clientId, clock, end, bytes } = struct
    if (bytes !== null) {
      const { fromClock, toClock } = current.relayed
      const likeness = compare(this.#doc, { clientId, clock, end, bytes }, fromClock, toClock)
      if (likeness === 'different') throw new Contradicted(clientId)
      if (likeness === 'deleted') current.isDeleted = true
    }
    if (clock <= current.shownTo) current.shownTo = Math.max(current.shownTo, end)
  }

  /**
   * @param extended clients whose clocks the update extends.
   * @returns null if one of them continues without showing what was relayed, because it may depend on something else.
   */
  result(extended: readonly Write[]): Shown[] | null {
    const shown: Shown[] = []
    for (const [clientId, { relayed, shownTo, isDeleted }] of this.#showings) {
      const isExtended = extended.some((write) => write.clientId === clientId)
      if (shownTo >= relayed.toClock) shown.push({ ...relayed, isDeleted, isExtended })
      else if (isExtended) return null
    }
    return shown
  }
}

type Likeness = 'same' | 'deleted' | 'different'

/** Compares the struct's clocks from `fromClock` to `toClock`, all of which the document has, with the document. */
function compare(doc: Y.Doc, struct: StructBytes, fromClock: number, toClock: number): Likeness {
  const { clientId } = struct
  const item = decoded(struct)
  // Deleted by its owner; the update contains the deletion.
  if (!(item instanceof Y.Item) || item.content instanceof Y.ContentDeleted) return 'same'
  const until = Math.min(struct.end, toClock)
  let likeness: Likeness = 'same'
  for (let clock = Math.max(struct.clock, fromClock); clock < until; ) {
    const known = structAt(doc, clientId, clock)
    const next = Math.min(until, known.id.clock + known.length)
    if (!(known instanceof Y.Item) || known.content instanceof Y.ContentDeleted) likeness = 'deleted'
    else if (!isSamePlace(doc, known, item, clock) || !isSameContent(known, item, clock, next))
      return 'different'
    clock = next
  }
  return likeness
}

/** Decodes a struct with Yjs, as an update of its own; the bytes are already validated. */
function decoded({ clientId, clock, bytes }: StructBytes): Y.Item | Y.GC | Y.Skip | undefined {
  const head = 2 + varUintBytes(clientId) + varUintBytes(clock)
  const update = new Uint8Array(head + bytes.length + 1)
  update.set([1, 1])
  writeVarUint(update, writeVarUint(update, 2, clientId), clock)
  update.set(bytes, head)
  return Y.decodeUpdate(update).structs[0]
}

function isSamePlace(doc: Y.Doc, known: Y.Item, item: Y.Item, clock: number): boolean {
  const origin = originAt(known, clock)
  if (!isSameId(origin, originAt(item, clock)) || !isSameId(known.rightOrigin, item.rightOrigin)) return false
  // With an origin, the parent is that of the origin.
  if (origin !== null || known.rightOrigin !== null) return true
  if (known.parentSub !== item.parentSub) return false
  const parent = known.parent as SharedType // the parent of an integrated item is the type itself
  const named: unknown = item.parent // the parent of a decoded one is a root's name or an id
  return typeof named === 'string'
    ? doc.share.get(named) === parent
    : named instanceof Y.ID && parent._item !== null && isSameId(parent._item.id, named)
}

const originAt = ({ id, origin }: Y.Item, clock: number): Y.ID | null =>
  clock === id.clock ? origin : new Y.ID(id.client, clock - 1)

const isSameId = (one: Y.ID | null, other: Y.ID | null): boolean =>
  one === null || other === null ? one === other : one.client === other.client && one.clock === other.clock

function isSameContent(known: Y.Item, item: Y.Item, clock: number, until: number): boolean {
  const [from, to] = [clock - known.id.clock, until - known.id.clock]
  const [itemFrom, itemTo] = [clock - item.id.clock, until - item.id.clock]
  if (known.content instanceof Y.ContentString && item.content instanceof Y.ContentString)
    return isSameText(known.content.str.slice(from, to), item.content.str.slice(itemFrom, itemTo))
  const [values, others] = [valuesOf(known.content), valuesOf(item.content)]
  return isSameValue(values?.slice(from, to), others?.slice(itemFrom, itemTo))
}

/** The contents of structs as one value per clock. Different kinds of content are never equal. */
function valuesOf(content: Y.Item['content']): unknown[] | null {
  if (content instanceof Y.ContentAny || content instanceof Y.ContentJSON) return content.arr
  if (content instanceof Y.ContentBinary) return [{ binary: content.content }]
  if (content instanceof Y.ContentEmbed) return [{ embed: content.embed }]
  if (content instanceof Y.ContentFormat) return [{ key: content.key, value: content.value }]
  if (content instanceof Y.ContentType)
    return [
      { type: content.type.constructor.name, name: 'nodeName' in content.type && content.type.nodeName },
    ]
  return null
}

/** If Yjs splits a surrogate pair, it replaces both halves, which may happen in only one of the documents. */
function isSameText(one: string, other: string): boolean {
  if (one === other) return true
  const isHalf = (unit: number) => unit === 0xfffd || (unit >= 0xd800 && unit <= 0xdfff)
  for (let i = 0; i < one.length; i++) {
    const [a, b] = [one.charCodeAt(i), other.charCodeAt(i)]
    if (a !== b && !(isHalf(a) && isHalf(b))) return false
  }
  return one.length === other.length
}

/** Whether values are equal after encoding: keys may be in any order, integers in any form, and undefined equals null. */
function isSameValue(one: unknown, other: unknown): boolean {
  if (Object.is(one, other) || (one ?? null) === (other ?? null)) return true
  if (isNumeric(one) && isNumeric(other)) return typeof one !== typeof other && Number(one) === Number(other)
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (one instanceof Uint8Array || other instanceof Uint8Array)
    return one instanceof Uint8Array && other instanceof Uint8Array && Buffer.compare(one, other) === 0
  if (Array.isArray(one) || Array.isArray(other))
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((value, i) => isSameValue(value, other[i]))
    )
  const [fields, others] = [one as Record<string, unknown>, other as Record<string, unknown>] // neither array nor bytes
  const keys = new Set([...Object.keys(fields), ...Object.keys(others)])
  return [...keys].every((key) => isSameValue(fields[key], others[key]))
}

const isNumeric = (value: unknown): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint'
