// Computes the edit that makes one document's content equal to another's with ordinary Yjs operations. Equal parts are not
// touched, so that concurrent work is kept and a restored board merges like any edit.
import * as Y from 'yjs'
import { runsBetween } from './alignment.ts'
import { documentOf, fingerprint, partsOf, type RootParts, type SharedType } from './content.ts'

/**
 * @param current Yjs v1 state to change.
 * @param target Yjs v1 state with the desired content.
 * @param only the roots to compare; all by default.
 * @returns a v1 update for `current`, or null if the content is already equal.
 */
export function difference(
  current: Uint8Array,
  target: Uint8Array,
  only?: ReadonlySet<string>,
): Uint8Array | null {
  const clientId = new Y.Doc().clientID
  const updates: Uint8Array[] = []
  let state = current
  // A root can be opened only as one type, but its map and list parts need two, so each part gets a fresh document.
  for (const equalise of [equaliseMapOf, clearListOfOtherKind, equaliseListOf]) {
    const doc = documentOf(state)
    doc.clientID = clientId
    let update: Uint8Array | null = null
    doc.on('update', (bytes) => {
      update = bytes
    })
    const wanted = documentOf(target)
    const names = [...new Set([...doc.share.keys(), ...wanted.share.keys()])]
    doc.transact(() => {
      for (const name of names) if (only === undefined || only.has(name)) equalise(doc, wanted, name)
    })
    if (update === null) continue
    updates.push(update)
    state = Y.encodeStateAsUpdate(doc)
  }
  return updates.length === 0 ? null : Y.mergeUpdates(updates)
}

/** Before the root is opened: afterwards `get` has typed it. */
const partsIn = (doc: Y.Doc, name: string): RootParts => {
  const root = doc.share.get(name)
  return root === undefined ? { hasMap: false, list: null } : partsOf(root)
}

function equaliseMapOf(doc: Y.Doc, wanted: Y.Doc, name: string): void {
  if (!partsIn(doc, name).hasMap && !partsIn(wanted, name).hasMap) return
  equaliseMap(doc.getMap(name), wanted.getMap(name))
}

/** A root that changes between text and list is emptied as its current type. */
function clearListOfOtherKind(doc: Y.Doc, wanted: Y.Doc, name: string): void {
  const mine = partsIn(doc, name).list
  const theirs = partsIn(wanted, name).list
  if (mine === null || theirs === null || (mine === 'text') === (theirs === 'text')) return
  const root = mine === 'text' ? doc.getText(name) : doc.getArray(name)
  root.delete(0, root.length)
}

function equaliseListOf(doc: Y.Doc, wanted: Y.Doc, name: string): void {
  const kind = partsIn(wanted, name).list ?? partsIn(doc, name).list
  if (kind === 'text') equaliseText(doc.getText(name), wanted.getText(name))
  else if (kind !== null) equaliseList(doc.getArray(name), wanted.getArray(name))
}

const isSameKind = (mine: unknown, wanted: unknown): boolean =>
  mine instanceof Y.AbstractType &&
  wanted instanceof Y.AbstractType &&
  mine.constructor === wanted.constructor &&
  (!(mine instanceof Y.XmlElement) ||
    !(wanted instanceof Y.XmlElement) ||
    mine.nodeName === wanted.nodeName) &&
  (!(mine instanceof Y.XmlHook) || !(wanted instanceof Y.XmlHook) || mine.hookName === wanted.hookName)

/** Both of one kind. */
function equaliseType(mine: unknown, wanted: unknown): void {
  if (mine instanceof Y.Map && wanted instanceof Y.Map) equaliseMap(mine, wanted)
  else if (mine instanceof Y.Array && wanted instanceof Y.Array) equaliseList(mine, wanted)
  else if (mine instanceof Y.Text && wanted instanceof Y.Text) equaliseText(mine, wanted)
  else if (mine instanceof Y.XmlFragment && wanted instanceof Y.XmlFragment) {
    if (mine instanceof Y.XmlElement && wanted instanceof Y.XmlElement) equaliseAttributes(mine, wanted)
    equaliseList(mine, wanted)
  }
}

function equaliseMap(mine: Y.Map<unknown>, wanted: Y.Map<unknown>): void {
  for (const key of [...mine.keys()]) if (!wanted.has(key)) mine.delete(key)
  for (const [key, value] of wanted.entries()) {
    const old = mine.get(key)
    if (isSameKind(old, value)) equaliseType(old, value)
    else if (!mine.has(key) || fingerprint(old) !== fingerprint(value)) mine.set(key, copyOf(value))
  }
}

interface List {
  toArray(): unknown[]
  insert(at: number, content: never[]): void
  delete(at: number, length: number): void
}

function equaliseList(mine: List, wanted: List): void {
  const before = mine.toArray()
  const after = wanted.toArray()
  // From the end, so that earlier positions remain valid.
  for (const run of runsBetween(before.map(fingerprint), after.map(fingerprint)).reverse()) {
    const olds = before.slice(run.at, run.at + run.removed)
    const news = after.slice(run.from, run.from + run.inserted)
    const paired = Math.min(olds.length, news.length)
    const canPair = news.slice(0, paired).some((value, at) => isSameKind(olds[at], value))
    const kept = canPair ? paired : 0
    replace(mine, run.at + kept, olds.length - kept, news.slice(kept))
    for (let at = kept - 1; at >= 0; at--) {
      if (isSameKind(olds[at], news[at])) equaliseType(olds[at], news[at])
      else replace(mine, run.at + at, 1, [news[at]])
    }
  }
}

function replace(list: List, at: number, removed: number, values: unknown[]): void {
  if (removed > 0) list.delete(at, removed)
  // An XML list accepts only XML nodes, which is what the target XML list contains.
  if (values.length > 0) list.insert(at, values.map(copyOf) as never[])
}

interface TextOp {
  insert: unknown
  attributes?: Record<string, unknown>
}

/** One code point, never half of a surrogate pair, which Yjs would replace; or one embed. */
interface TextUnit {
  key: string
  length: number
  op: TextOp
}

const deltaOf = (text: Y.Text): TextOp[] => text.toDelta() as TextOp[] // documented shape, typed any by Yjs

const unitsOf = (text: Y.Text): TextUnit[] =>
  deltaOf(text).flatMap((op) => {
    const suffix = op.attributes === undefined ? '' : `\u0000${fingerprint(op.attributes)}`
    if (typeof op.insert !== 'string')
      return [{ key: `\u0000${fingerprint(op.insert)}${suffix}`, length: 1, op }]
    return Array.from(op.insert, (point) => ({
      key: point + suffix,
      length: point.length,
      op: { ...op, insert: point },
    }))
  })

function equaliseText(mine: Y.Text, wanted: Y.Text): void {
  const before = unitsOf(mine)
  const after = unitsOf(wanted)
  const runs = runsBetween(
    before.map((unit) => unit.key),
    after.map((unit) => unit.key),
  )
  const lengthOf = (units: TextUnit[]) => units.reduce((sum, unit) => sum + unit.length, 0)
  const delta: unknown[] = []
  let at = 0
  for (const run of runs) {
    if (run.at > at) delta.push({ retain: lengthOf(before.slice(at, run.at)) })
    if (run.removed > 0) delta.push({ delete: lengthOf(before.slice(run.at, run.at + run.removed)) })
    for (const op of joined(after.slice(run.from, run.from + run.inserted))) delta.push(op)
    at = run.at + run.removed
  }
  if (delta.length > 0) mine.applyDelta(delta, { sanitize: false })
  // Formatting that overlaps kept text may spill over; then the whole text is rewritten.
  if (delta.length > 0 && fingerprint(mine.toDelta()) !== fingerprint(wanted.toDelta())) {
    mine.delete(0, mine.length)
    mine.applyDelta(copiedDelta(wanted), { sanitize: false })
  }
  equaliseAttributes(mine, wanted)
}

function joined(units: TextUnit[]): TextOp[] {
  const ops: TextOp[] = []
  let attributes = ''
  for (const { op } of units) {
    const last = ops.at(-1)
    const own = fingerprint(op.attributes)
    if (
      last !== undefined &&
      typeof last.insert === 'string' &&
      typeof op.insert === 'string' &&
      own === attributes
    )
      last.insert += op.insert
    else ops.push(copiedOp(op))
    attributes = own
  }
  return ops
}

/** Yjs modifies the attributes it is given, so they are copied. */
const copiedOp = (op: TextOp): TextOp => ({
  insert: copyOf(op.insert),
  ...(op.attributes === undefined ? {} : { attributes: { ...op.attributes } }),
})

const copiedDelta = (text: Y.Text): TextOp[] => deltaOf(text).map(copiedOp)

interface Attributed {
  getAttributes(): Record<string, unknown>
  setAttribute(name: string, value: never): void
  removeAttribute(name: string): void
}

function equaliseAttributes(mine: Attributed, wanted: Attributed): void {
  const before = mine.getAttributes()
  const after = wanted.getAttributes()
  for (const name in before) if (!(name in after)) mine.removeAttribute(name)
  for (const name in after) {
    if (name in before && fingerprint(before[name]) === fingerprint(after[name])) continue
    mine.setAttribute(name, copyOf(after[name]) as never) // an attribute value of the same kind of type
  }
}

/** A value that belongs to no document yet. Plain values are never changed by Yjs and are shared. */
function copyOf(value: unknown): unknown {
  if (!(value instanceof Y.AbstractType)) return value
  const copy = emptyOf(value)
  if (value instanceof Y.Map && copy instanceof Y.Map) {
    for (const [key, entry] of value.entries()) copy.set(key, copyOf(entry))
  } else if (value instanceof Y.Array && copy instanceof Y.Array) {
    copy.push(value.toArray().map(copyOf))
  } else if (value instanceof Y.Text && copy instanceof Y.Text) {
    copy.applyDelta(copiedDelta(value), { sanitize: false })
    copyAttributes(value, copy)
  } else if (value instanceof Y.XmlFragment && copy instanceof Y.XmlFragment) {
    if (value instanceof Y.XmlElement && copy instanceof Y.XmlElement) copyAttributes(value, copy)
    copy.insert(0, value.toArray().map(copyOf) as never[]) // children of an XML list are XML nodes
  }
  return copy
}

function copyAttributes(from: Attributed, to: Attributed): void {
  const attributes = from.getAttributes()
  for (const name in attributes) to.setAttribute(name, copyOf(attributes[name]) as never)
}

function emptyOf(value: SharedType): SharedType {
  if (value instanceof Y.XmlHook) return new Y.XmlHook(value.hookName)
  if (value instanceof Y.XmlElement) return new Y.XmlElement(value.nodeName)
  if (value instanceof Y.XmlText) return new Y.XmlText()
  if (value instanceof Y.Text) return new Y.Text()
  if (value instanceof Y.XmlFragment) return new Y.XmlFragment()
  if (value instanceof Y.Array) return new Y.Array()
  return new Y.Map()
}
