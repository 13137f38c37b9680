// Honest people at work: documents that are edited at random in every way that Yjs and its Rust port offer.

import * as Y from 'yjs'
import * as Yrs from 'ywasm'
import type { Random } from './random.ts'

// No surrogate pairs: Yjs replaces halves if an edit splits one, but not in the same way in every document.
const words = ['', 'a', 'word', 'ünïcödé', 'x'.repeat(200), '漢字'.repeat(60), '__proto__', '\ufeffbom']
const keys = ['a', 'b', 'geo', 'ключ', '']
const values = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  2 ** 40,
  { big: 123n },
  'text 😀👩‍👩‍👧',
  '__proto__',
  [1, [2, [3]]],
  { x: 1, lacking: undefined, deep: { y: [{}] } },
  new Uint8Array([1, 2, 3]),
]

/** Somebody whose updates a server receives. */
export interface Editor {
  readonly clientId: number
  edit(random: Random): void
  /** Updates since the last call, in order. */
  take(): Uint8Array[]
  apply(update: Uint8Array): void
  stateVector(): Uint8Array
  diff(stateVector?: Uint8Array): Uint8Array
  /** The roots as JSON, to compare. */
  content(): string
}

export class YjsEditor implements Editor {
  readonly doc = new Y.Doc()
  readonly #undo: Y.UndoManager
  #updates: Uint8Array[] = []

  constructor(clientId: number) {
    this.doc.clientID = clientId
    const { map, list, text, xml } = rootsOf(this.doc)
    this.#undo = new Y.UndoManager([map, list, text, xml], { captureTimeout: 0 })
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'server') this.#updates.push(update)
    })
  }

  get clientId(): number {
    return this.doc.clientID
  }

  edit(random: Random) {
    const { map, list, text, xml } = rootsOf(this.doc)
    switch (random.below(9)) {
      case 0:
        return editMap(map, random)
      case 1:
        return editList(list, random)
      case 2:
      case 3:
        return editText(text, random)
      case 4:
        return editXml(xml, random)
      case 5:
        return random.chance(50) ? void this.#undo.undo() : void this.#undo.redo()
      case 6: {
        const inner = map.get(random.of(keys))
        if (inner instanceof Y.Map) return editMap(inner, random)
        if (inner instanceof Y.Array) return editList(inner, random)
        if (inner instanceof Y.Text) return editText(inner, random)
        return editMap(map, random)
      }
      case 7:
        return this.doc.transact(() => {
          for (let i = random.below(6); i >= 0; i--) {
            editText(text, random)
            editMap(map, random)
          }
        })
      default: {
        // Typing, one letter per update.
        const at = random.below(text.length + 1)
        for (let i = 0; i < 3; i++) text.insert(at + i, 'abc'[i]!)
      }
    }
  }

  take(): Uint8Array[] {
    const updates = this.#updates
    this.#updates = []
    return updates
  }

  apply(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, 'server')
  }

  stateVector = (): Uint8Array => Y.encodeStateVector(this.doc)
  diff = (stateVector?: Uint8Array): Uint8Array => Y.encodeStateAsUpdate(this.doc, stateVector)
  content = (): string => contentOf(this.doc)
}

/** The roots of a document as JSON; defines their types. */
export function contentOf(doc: Y.Doc): string {
  const { map, list, text, xml } = rootsOf(doc)
  const content = [map.toJSON(), list.toJSON(), text.toDelta(), xml.toString()]
  return JSON.stringify(content, (_key, value) => {
    if (typeof value === 'bigint') return `${value}n`
    // Concurrent edits may create keys in a different order.
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

const rootsOf = (doc: Y.Doc) => ({
  map: doc.getMap('map'),
  list: doc.getArray('list'),
  text: doc.getText('text'),
  xml: doc.getXmlFragment('xml'),
})

function newShared(random: Random): Y.Map<unknown> | Y.Array<unknown> | Y.Text {
  switch (random.below(3)) {
    case 0:
      return new Y.Map([['geo', random.of(values)]])
    case 1:
      return Y.Array.from<unknown[] | null>([null, []]) as Y.Array<unknown>
    default:
      return new Y.Text(random.of(words))
  }
}

const newValue = (random: Random): unknown => (random.chance(30) ? newShared(random) : random.of(values))

function editMap(map: Y.Map<unknown>, random: Random) {
  if (random.chance(20)) map.delete(random.of(keys))
  else map.set(random.of(keys), newValue(random))
}

function editList(list: Y.Array<unknown>, random: Random) {
  const at = random.below(list.length + 1)
  if (random.chance(30) && at < list.length) list.delete(at, 1 + random.below(list.length - at))
  else if (random.chance(20)) list.unshift([newValue(random)])
  else list.insert(at, [newValue(random), random.of(values)])
}

function editText(text: Y.Text, random: Random) {
  const at = random.below(text.length + 1)
  const length = random.below(text.length - at + 1)
  switch (random.below(6)) {
    case 0:
      return text.delete(at, length)
    case 1:
      return text.format(at, length, { bold: random.chance(70) ? true : null })
    case 2:
      return text.insertEmbed(at, { image: 'x', nested: [{}] })
    case 3:
      return text.insert(at, random.of(words), { color: random.of(['red', 'blue', null]) })
    default:
      return text.insert(at, random.of(words))
  }
}

function editXml(xml: Y.XmlFragment, random: Random) {
  const at = random.below(xml.length + 1)
  if (random.chance(30) && at < xml.length) return xml.delete(at, 1)
  const first = xml.length > 0 ? xml.get(0) : null
  if (first instanceof Y.XmlElement && random.chance(40)) {
    if (random.chance(50)) return first.setAttribute(random.of(['class', 'id']), random.of(words))
    return first.insert(0, [new Y.XmlText('inside')])
  }
  xml.insert(at, [random.chance(50) ? new Y.XmlElement('p') : new Y.XmlText(random.of(words))])
}

/**
 * The same with Yrs, limited to what both write in the same way: Yrs keeps no undo here, and has no bare `undefined`.
 */
export class YrsEditor implements Editor {
  readonly clientId: number
  readonly #doc: Yrs.YDoc
  #sent: Uint8Array

  constructor(clientId: number) {
    this.clientId = clientId
    this.#doc = new Yrs.YDoc({ clientID: clientId })
    this.#sent = Yrs.encodeStateVector(this.#doc)
  }

  edit(random: Random) {
    const text = this.#doc.getText('text')
    const list = this.#doc.getArray('list')
    const map = this.#doc.getMap('map')
    const none = undefined
    const at = random.below(text.length(none) + 1)
    const value = random.of(['text', 1, 1.5, true, null, [1, [2]], { x: { y: 1 } }])
    switch (random.below(8)) {
      case 0:
        return map.set(random.of(keys), value, none)
      case 1:
        return map.set(random.of(keys), new Yrs.YMap({ geo: value }), none)
      case 2:
        return map.delete(random.of(keys), none)
      case 3:
        return list.insert(random.below(list.length(none) + 1), [value, value], none)
      case 4:
        if (list.length(none) > 0) list.delete(random.below(list.length(none)), 1, none)
        return
      case 5:
        if (at < text.length(none)) text.delete(at, 1 + random.below(text.length(none) - at), none)
        return
      case 6:
        return text.insert(at, random.of(words) || 'y', random.chance(50) ? { bold: true } : none, none)
      default:
        return text.insert(at, 'yrs', none, none)
    }
  }

  take(): Uint8Array[] {
    const update = this.diff(this.#sent)
    this.#sent = this.stateVector()
    return [update]
  }

  apply(update: Uint8Array): void {
    Yrs.applyUpdate(this.#doc, update, 'server')
  }

  stateVector = (): Uint8Array => Yrs.encodeStateVector(this.#doc)
  diff = (stateVector?: Uint8Array): Uint8Array => Yrs.encodeStateAsUpdate(this.#doc, stateVector)

  content(): string {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, this.diff())
    return contentOf(doc)
  }
}
