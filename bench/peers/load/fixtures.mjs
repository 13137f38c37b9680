// Deterministic inputs: writer update streams, a large board and a long history.
import * as Y from 'yjs'

/** A small seeded generator (mulberry32), so that every run uses the same input. */
export function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export const writerClientId = (writer) => 2_000_000_011 + writer * 7919
export const elementId = (writer) => `element-${writer}`
const positionX = (writer, n) => writer + n * 1.5
const positionY = (writer, n) => writer - n * 2.5

/** Clocks that one drag update (x and y) takes. */
export const CLOCKS_PER_UPDATE = 2

/** The element position that must be visible after update n (0 = created, not moved yet). */
export const positionAfter = (writer, n) => ({ x: positionX(writer, n), y: positionY(writer, n) })

/** One writer: its first update creates an element, each later one drags it. */
export class WriterStream {
  constructor(writer) {
    this.writer = writer
    this.doc = new Y.Doc()
    this.doc.clientID = writerClientId(writer)
    this.updates = []
    this.doc.on('update', (update) => this.updates.push(update))
    this.element = new Y.Map()
    this.doc.transact(() => {
      this.element.set('type', 'rect')
      this.element.set('x', positionX(writer, 0))
      this.element.set('y', positionY(writer, 0))
      this.doc.getMap('elements').set(elementId(writer), this.element)
    })
    /** The clock right after creation; update n ends at base + n * CLOCKS_PER_UPDATE. */
    this.baseClock = Y.getState(this.doc.store, this.doc.clientID)
  }

  /** Update n (n = 0 creates the element), generated on demand and kept. */
  update(n) {
    while (this.updates.length <= n) {
      const next = this.updates.length
      this.doc.transact(() => {
        this.element.set('x', positionX(this.writer, next))
        this.element.set('y', positionY(this.writer, next))
      })
    }
    return this.updates[n]
  }
}

/** The updates of a board of `count` canvas elements, a hundred elements in each. */
export function boardUpdates(count) {
  const next = random(1)
  const doc = new Y.Doc()
  doc.clientID = 1_500_000_001
  const updates = []
  doc.on('update', (update) => updates.push(update))
  for (let i = 0; i < count; i += 100) {
    doc.transact(() => {
      for (let j = i; j < Math.min(count, i + 100); j++) addElement(doc, `shape-${j.toString(36)}`, j, next)
    })
  }
  return updates
}

/** Small single updates: each writer adds an element, then moves it nine times, and so on. */
export function historyUpdates(writers, editsEach, firstWriter = 0) {
  const updates = []
  for (let w = firstWriter; w < firstWriter + writers; w++) {
    const next = random(100 + w)
    const doc = new Y.Doc()
    doc.clientID = writerClientId(w)
    doc.on('update', (update) => updates.push(update))
    let element
    for (let n = 0; n < editsEach; n++) {
      doc.transact(() => {
        if (n % 10 === 0) element = addElement(doc, `w${w}-${n}`, n, next)
        else for (const axis of ['x', 'y']) element.set(axis, Math.round(next() * 1e6) / 4)
      })
    }
  }
  return updates
}

/** The state that results from these updates. (Y.mergeUpdates takes quadratic time for many updates.) */
export function stateOf(updates) {
  const doc = new Y.Doc()
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update)
  })
  return Y.encodeStateAsUpdate(doc)
}

/** A canvas element of ten properties, about 220 bytes as an update. */
function addElement(doc, id, n, next) {
  const element = new Y.Map()
  element.set('type', next() < 0.5 ? 'rect' : 'text')
  element.set('x', Math.round(next() * 1e6) / 4)
  element.set('y', Math.round(next() * 1e6) / 4)
  element.set('width', Math.round(next() * 400))
  element.set('height', Math.round(next() * 400))
  element.set(
    'fill',
    `#${Math.floor(next() * 0xffffff)
      .toString(16)
      .padStart(6, '0')}`,
  )
  element.set('stroke', '#1e1e1e')
  element.set('opacity', 1)
  element.set('index', `a${n.toString(36).padStart(5, '0')}`)
  element.set('text', `Note ${n}: ${Math.floor(next() * 1e9).toString(36)}`)
  doc.getMap('elements').set(id, element)
  return element
}
