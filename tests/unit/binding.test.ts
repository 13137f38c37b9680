import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { Binding } from '../../client/binding.ts'
import type { SceneElement } from '../../shared/element.ts'
import {
  elementMaps,
  elementOf,
  elementsOf,
  sceneOf,
  storedProperties,
  writeElements,
} from '../../shared/scene.ts'
import { FakeCanvas, HandClock } from '../helpers/canvas.ts'

const shape = (id: string, more: Record<string, unknown> = {}): SceneElement => ({
  id,
  type: 'rectangle',
  x: 0,
  y: 0,
  width: 100,
  height: 50,
  angle: 0,
  isDeleted: false,
  strokeColor: '#000000',
  ...more,
})

interface Page {
  doc: Y.Doc
  canvas: FakeCanvas
  binding: Binding
  clock: HandClock
  pending: boolean[]
}

const page = (doc = new Y.Doc(), { mayWrite = true, clock = new HandClock() } = {}): Page => {
  const canvas = new FakeCanvas()
  const pending: boolean[] = []
  const binding = new Binding({ doc, canvas, clock, mayWrite, onPending: (is) => pending.push(is) })
  canvas.onChange = () => binding.canvasChanged()
  binding.start()
  return { doc, canvas, binding, clock, pending }
}

/** Two pages whose documents receive each other's updates at once. */
const twoPages = (elements: SceneElement[] = []): [Page, Page] => {
  const first = new Y.Doc()
  const second = new Y.Doc()
  writeElements(first, elements)
  Y.applyUpdate(second, Y.encodeStateAsUpdate(first))
  const relay = (from: Y.Doc, to: Y.Doc) =>
    from.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'relay') Y.applyUpdate(to, update, 'relay')
    })
  relay(first, second)
  relay(second, first)
  const clock = new HandClock()
  return [page(first, { clock }), page(second, { clock })]
}

const binding = suite('the binding')

binding('shows on one canvas what is drawn on the other', () => {
  const [a, b] = twoPages()
  a.canvas.draw(shape('r'))
  a.clock.advance(100)
  assert.is(b.canvas.find('r')?.width, 100)
  assert.is(b.canvas.find('r')?.index, a.canvas.find('r')?.index)
})

binding('batches the frames of a drag into few writes and includes the last one', () => {
  const [a, b] = twoPages([shape('r', { index: 'a0' })])
  let updates = 0
  a.doc.on('update', () => updates++)
  for (let frame = 1; frame <= 30; frame++) {
    a.canvas.change('r', { x: frame })
    a.clock.advance(16)
  }
  a.clock.advance(100)
  assert.is(b.canvas.find('r')?.x, 30)
  assert.ok(updates <= 11, `${updates} updates in 480 ms`)
})

binding('makes fewer writes for a drag of thousands', () => {
  const many = Array.from({ length: 1500 }, (_, at) => shape(`r${at}`))
  const a = page()
  for (const element of many) a.canvas.draw(element)
  a.binding.flush()
  a.clock.advance(1000)
  let updates = 0
  a.doc.on('update', () => updates++)
  for (let frame = 1; frame <= 60; frame++) {
    for (const { id } of many) a.canvas.change(id, { x: frame })
    a.clock.advance(16)
  }
  assert.ok(updates <= 3, `${updates} updates in a second`)
  a.binding.flush()
  assert.is(elementOf(a.doc, 'r7')?.x, 60)
})

binding('writes at once when flushed, as at pointer-up', () => {
  const [a] = twoPages()
  a.canvas.draw(shape('r'))
  a.binding.flush()
  assert.ok(elementOf(a.doc, 'r'))
  assert.equal(a.pending, [true, false])
})

binding('never treats an absent element as deleted', () => {
  const [a, b] = twoPages([shape('r', { index: 'a0' }), shape('s', { index: 'a1' })])
  a.canvas.wipe()
  a.clock.advance(1000)
  a.binding.flush()
  assert.is(sceneOf(b.doc).elements.length, 2)
})

binding('deletes on both canvases what one person deletes, and restores it when undone', () => {
  const [a, b] = twoPages([shape('r', { index: 'a0' })])
  a.canvas.change('r', { isDeleted: true })
  a.clock.advance(100)
  assert.is(b.canvas.find('r')?.isDeleted, true)
  a.canvas.change('r', { isDeleted: false })
  a.clock.advance(100)
  assert.is(b.canvas.find('r')?.isDeleted, false)
})

binding('keeps both changes when one person moves what the other recolours at the same time', () => {
  const [a, b] = twoPages([shape('r', { index: 'a0' })])
  a.canvas.change('r', { x: 500 })
  b.canvas.change('r', { strokeColor: '#ff0000' })
  a.clock.advance(200)
  for (const { canvas } of [a, b]) {
    assert.is(canvas.find('r')?.x, 500)
    assert.is(canvas.find('r')?.strokeColor, '#ff0000')
  }
})

binding('keeps others’ changes to an element that is being edited, and shows them afterwards', () => {
  const [a, b] = twoPages([shape('r', { index: 'a0' })])
  a.canvas.inHand.add('r')
  a.canvas.change('r', { x: 10 })
  b.canvas.change('r', { strokeColor: '#ff0000' })
  a.clock.advance(300)
  assert.is(a.canvas.find('r')?.strokeColor, '#000000')
  a.canvas.change('r', { x: 20 })
  a.clock.advance(300)
  a.canvas.inHand.clear()
  a.clock.advance(600)
  for (const { canvas } of [a, b]) {
    assert.is(canvas.find('r')?.x, 20)
    assert.is(canvas.find('r')?.strokeColor, '#ff0000')
  }
})

binding(
  'moves the canvas’ own object if others only move the element, because its rendering is cached with it',
  () => {
    const [a, b] = twoPages([shape('r', { index: 'a0' })])
    const own = b.canvas.find('r')
    a.canvas.change('r', { x: 70, angle: 1 })
    a.clock.advance(200)
    assert.is(b.canvas.find('r'), own)
    assert.equal([own?.x, own?.angle], [70, 1])
    a.canvas.change('r', { x: 90, width: 30 })
    a.clock.advance(200)
    assert.is.not(b.canvas.find('r'), own)
    assert.equal([b.canvas.find('r')?.x, b.canvas.find('r')?.width], [90, 30])
  },
)

binding('leaves the window as much time as drawing others’ changes takes', () => {
  const [a] = twoPages([shape('r', { index: 'a0' })])
  const hands = new HandClock()
  let lostMs = 0
  let drawingMs = 0
  // Drawing happens after everything is shown, and delays the next timer.
  const late = (call: () => void) => () => {
    lostMs += drawingMs
    drawingMs = 0
    call()
  }
  const clock = {
    now: () => hands.now() + lostMs,
    after: (delayMs: number, call: () => void) => hands.after(delayMs, late(call)),
  }
  const canvas = new FakeCanvas()
  const slow = new Binding({ doc: a.doc, canvas, clock, mayWrite: true, onPending: () => {} })
  slow.start()
  canvas.onChange = () => {
    drawingMs = 400
  }
  const shown = canvas.shows
  const moveTo = (x: number) => writeElements(a.doc, [shape('r', { index: 'a0', x })])
  moveTo(10)
  hands.advance(20)
  assert.is(canvas.shows, shown + 1)
  moveTo(20)
  hands.advance(300)
  assert.is(canvas.shows, shown + 1)
  hands.advance(200)
  assert.is(canvas.shows, shown + 2)
  assert.is(canvas.find('r')?.x, 20)
  slow.stop()
})

binding('writes nothing for viewers, and still shows changes', () => {
  const doc = new Y.Doc()
  const viewer = page(doc, { mayWrite: false })
  viewer.canvas.draw(shape('mine'))
  viewer.clock.advance(500)
  viewer.binding.flush()
  assert.is(elementMaps(doc).size, 0)
  writeElements(doc, [shape('theirs', { index: 'a0' })], 'remote')
  viewer.clock.advance(100)
  assert.ok(viewer.canvas.find('theirs'))
})

binding('stops writing when the permission is removed', () => {
  const a = page()
  a.canvas.draw(shape('r'))
  a.binding.setMayWrite(false)
  a.clock.advance(500)
  assert.is(elementMaps(a.doc).size, 0)
  assert.equal(a.pending, [true, false])
})

binding('shows everything else when one element cannot be drawn', () => {
  const doc = new Y.Doc()
  writeElements(doc, [shape('good', { index: 'a0' }), shape('bad', { index: 'a1' })])
  const canvas = new FakeCanvas()
  canvas.unrestorable.add('bad')
  const clock = new HandClock()
  const bound = new Binding({ doc, canvas, clock, mayWrite: true, onPending: () => {} })
  bound.start()
  assert.equal(
    canvas.elements().map(({ id }) => id),
    ['good'],
  )
  clock.advance(500)
  assert.is(elementsOf(doc).length, 2)
})

binding('survives anything that another client writes into the document', () => {
  const a = page()
  a.canvas.draw(shape('mine'))
  a.binding.flush()
  a.doc.transact(() => {
    const maps = elementMaps(a.doc)
    maps.set('text', 'nonsense')
    const odd = new Y.Map()
    maps.set('odd', odd)
    odd.set('type', 'rectangle')
    odd.set('geo', { x: Number.NaN, y: 0, width: 1, height: 1 })
    odd.set('index', 'not an index')
    const badIndex = new Y.Map()
    maps.set('badIndex', badIndex)
    badIndex.set('type', 'rectangle')
    badIndex.set('index', '!!')
    badIndex.set('geo', { x: 1, y: 2, width: 3, height: 4, angle: 0 })
  }, 'remote')
  a.clock.advance(100)
  assert.is(a.canvas.find('odd'), undefined)
  assert.ok(a.canvas.find('badIndex'))
  a.canvas.change('mine', { x: 9 })
  a.clock.advance(100)
  assert.is(elementOf(a.doc, 'mine')?.x, 9)
})

binding('removes an element from the canvas that another client removed from the document', () => {
  const a = page()
  a.canvas.draw(shape('r'))
  a.binding.flush()
  a.doc.transact(() => elementMaps(a.doc).delete('r'), 'remote')
  a.clock.advance(100)
  assert.is(a.canvas.find('r')?.isDeleted, true)
  assert.is(elementMaps(a.doc).size, 0)
})

binding('does not share a click that drew nothing', () => {
  const a = page()
  a.canvas.draw(shape('r', { width: 0, height: 0 }))
  a.clock.advance(100)
  assert.is(elementMaps(a.doc).size, 0)
  a.canvas.change('r', { width: 5, height: 5 })
  a.clock.advance(100)
  assert.is(elementMaps(a.doc).size, 1)
})

binding('withholds an image until its file is uploaded', () => {
  const a = page()
  a.canvas.unshared.add('i')
  a.canvas.draw(shape('i', { type: 'image', fileId: null }))
  a.clock.advance(200)
  assert.is(elementMaps(a.doc).size, 0)
  a.canvas.unshared.clear()
  a.canvas.change('i', { fileId: 'f'.repeat(64) })
  a.clock.advance(200)
  assert.is(elementOf(a.doc, 'i')?.fileId, 'f'.repeat(64))
})

binding('shares changes to somebody else’s image whose file is missing', () => {
  const a = page()
  writeElements(a.doc, [shape('i', { type: 'image', fileId: 'f'.repeat(64), status: 'saved' })])
  a.clock.advance(200)
  a.canvas.unshared.add('i')
  a.canvas.change('i', { x: 30, status: 'error' })
  a.clock.advance(200)
  assert.is(elementOf(a.doc, 'i')?.x, 30)
  assert.is(elementOf(a.doc, 'i')?.status, 'saved')
  assert.is(a.pending.at(-1), false)
})

binding('restores an arrow that a concurrent change removed from the list of its shape', () => {
  const [a, b] = twoPages([shape('s', { index: 'a0', boundElements: [] })])
  const arrow = (id: string) =>
    shape(id, {
      type: 'arrow',
      points: [
        [0, 0],
        [50, 50],
      ],
      startBinding: { elementId: 's', focus: 0, gap: 1 },
      endBinding: null,
    })
  for (const [{ canvas }, id] of [
    [a, 'p'],
    [b, 'q'],
  ] as const) {
    canvas.draw(arrow(id))
    canvas.change('s', { boundElements: [{ id, type: 'arrow' }] })
  }
  a.clock.advance(2000)
  for (const { canvas } of [a, b]) {
    const bound = canvas.find('s')?.boundElements
    assert.ok(Array.isArray(bound))
    assert.equal(bound.map(({ id }) => id).sort(), ['p', 'q'])
  }
  assert.equal(storedProperties(a.canvas.find('s')!), storedProperties(b.canvas.find('s')!))
})

binding('shows only the document when it starts on a canvas that holds more', () => {
  const doc = new Y.Doc()
  writeElements(doc, [shape('kept', { index: 'a0' })])
  const canvas = new FakeCanvas()
  canvas.draw(shape('refused'))
  const bound = new Binding({ doc, canvas, clock: new HandClock(), mayWrite: true, onPending: () => {} })
  bound.start()
  assert.equal(
    canvas.elements().map(({ id }) => id),
    ['kept'],
  )
})

binding('converges: updates do not trigger each other for ever', () => {
  const [a, b] = twoPages([shape('r', { index: 'a0' }), shape('s', { index: 'a0' })])
  a.clock.advance(5000)
  const before = Y.encodeStateVector(a.doc)
  a.clock.advance(5000)
  assert.equal(Y.encodeStateVector(a.doc), before)
  assert.is(a.clock.waiting, 0)
  assert.equal(
    a.canvas.elements().map(({ id }) => id),
    b.canvas.elements().map(({ id }) => id),
  )
})

binding('leaves no timer and no observer behind when stopped', () => {
  const a = page()
  a.canvas.draw(shape('r'))
  a.binding.stop()
  assert.is(a.clock.waiting, 0)
  writeElements(a.doc, [shape('s', { index: 'a1' })], 'remote')
  assert.is(a.clock.waiting, 0)
})

binding.run()
