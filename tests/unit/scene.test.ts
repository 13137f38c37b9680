import { readdirSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { isSharedKey, type SceneElement } from '../../shared/element.ts'
import {
  byIndex,
  changeOf,
  elementMaps,
  elementOf,
  elementsOf,
  readScene,
  sceneOf,
  writeChanges,
  writeElements,
} from '../../shared/scene.ts'

const boards = new URL('../../../tests/fixtures/boards/', import.meta.url)
const drawings = readdirSync(boards).filter((name) => name.endsWith('.excalidraw'))
const drawing = (name: string): { elements: SceneElement[] } =>
  JSON.parse(readFileSync(new URL(name, boards), 'utf8'))

const rectangle = (id: string, more: Record<string, unknown> = {}): SceneElement => ({
  id,
  type: 'rectangle',
  x: 10,
  y: 20,
  width: 100,
  height: 50,
  angle: 0,
  index: 'a0',
  isDeleted: false,
  strokeColor: '#000000',
  ...more,
})

const exchange = (a: Y.Doc, b: Y.Doc) => {
  const fromA = Y.encodeStateAsUpdate(a, Y.encodeStateVector(b))
  Y.applyUpdate(a, Y.encodeStateAsUpdate(b, Y.encodeStateVector(a)))
  Y.applyUpdate(b, fromA)
}

/** As Excalidraw restores lines: at the same place, given by x and y alone. */
const startingAtItsFirstPoint = (element: SceneElement): SceneElement => {
  const { type, points, x, y } = element
  if ((type !== 'line' && type !== 'arrow') || !Array.isArray(points)) return element
  const [left, top] = points[0]
  if (left === 0 && top === 0) return element
  const moved = points.map(([px, py]: [number, number]) => [px - left, py - top])
  return { ...element, x: Number(x) + left, y: Number(y) + top, points: moved }
}

const scene = suite('the scene in a document')

for (const name of drawings) {
  scene(`gives back ${name} as it was drawn`, () => {
    const file = drawing(name)
    const read = readScene(file)
    assert.ok(read)
    assert.is(read.skipped, 0)
    const doc = new Y.Doc()
    writeElements(doc, read.elements)
    const copy = new Y.Doc()
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
    const live = file.elements.filter((element) => element.isDeleted !== true)
    const after = sceneOf(copy).elements
    assert.equal(
      after.map(({ id }) => id),
      live.map(({ id }) => id),
    )
    for (const [at, drawn] of live.entries()) {
      const before = startingAtItsFirstPoint(drawn)
      for (const key of Object.keys(before).filter((key) => isSharedKey(key) && key !== 'index'))
        assert.equal(
          after[at]?.[key],
          key === 'boundElements' ? (before[key] ?? []) : before[key],
          `${key} of element ${before.id}`,
        )
    }
  })
}

scene('reads an exported file as the same drawing', () => {
  const doc = new Y.Doc()
  writeElements(doc, readScene(drawing('hexagonal-architecture.excalidraw'))?.elements ?? [])
  const exported = sceneOf(doc)
  const again = new Y.Doc()
  writeElements(again, readScene(JSON.parse(JSON.stringify(exported)))?.elements ?? [])
  assert.equal(sceneOf(again), exported)
})

scene('writes only keys whose value changed', () => {
  const doc = new Y.Doc()
  writeElements(doc, [rectangle('a'), rectangle('b')])
  const before = Y.encodeStateVector(doc)
  writeElements(doc, [rectangle('a'), rectangle('b')])
  assert.equal(Y.encodeStateVector(doc), before)
  const changed: string[] = []
  elementMaps(doc).observeDeep((events) => {
    for (const event of events) changed.push(...event.keys.keys())
  })
  writeElements(doc, [rectangle('a', { strokeColor: '#ff0000' }), rectangle('b', { x: 11 })])
  assert.equal(changed, ['strokeColor', 'geo'])
})

scene('keeps a client’s versions and times out of the document', () => {
  const doc = new Y.Doc()
  writeElements(doc, [rectangle('a', { version: 7, versionNonce: 8, updated: 9 })])
  const element = elementOf(doc, 'a')
  assert.is(element?.version, undefined)
  assert.is(element?.versionNonce, undefined)
  assert.is(element?.updated, undefined)
})

scene('keeps both changes when one person moves and the other recolours an element', () => {
  const a = new Y.Doc()
  const b = new Y.Doc()
  const base = rectangle('a')
  writeElements(a, [base])
  exchange(a, b)
  const moved = changeOf(base, { ...base, x: 500 })
  const recoloured = changeOf(base, { ...base, strokeColor: '#00ff00' })
  assert.ok(moved && recoloured)
  writeChanges(a, [moved])
  writeChanges(b, [recoloured])
  exchange(a, b)
  for (const doc of [a, b]) {
    assert.is(elementOf(doc, 'a')?.x, 500)
    assert.is(elementOf(doc, 'a')?.strokeColor, '#00ff00')
  }
})

scene('removes a property that the writer removed, and no other', () => {
  const doc = new Y.Doc()
  const base = rectangle('a', { customData: { note: 1 } })
  writeElements(doc, [base])
  elementMaps(doc).doc?.transact(() =>
    (elementMaps(doc).get('a') as Y.Map<unknown>).set('fromElsewhere', true),
  )
  const change = changeOf(base, rectangle('a'))
  assert.ok(change)
  writeChanges(doc, [change])
  assert.is(elementOf(doc, 'a')?.customData, undefined)
  assert.is(elementOf(doc, 'a')?.fromElsewhere, true)
})

scene('is not changed by a canvas that later mutates what it wrote', () => {
  const doc = new Y.Doc()
  const points = [[0, 0]]
  writeElements(doc, [rectangle('a', { type: 'line', points })])
  points.push([5, 5])
  assert.equal(elementOf(doc, 'a')?.points, [[0, 0]])
})

scene('leaves deleted elements out of the file, but in the document', () => {
  const doc = new Y.Doc()
  writeElements(doc, [rectangle('a'), rectangle('b', { isDeleted: true })])
  assert.equal(
    sceneOf(doc).elements.map(({ id }) => id),
    ['a'],
  )
  assert.equal(
    elementsOf(doc).map(({ id }) => id),
    ['a', 'b'],
  )
})

scene('does not create an element from a change to a missing one', () => {
  const doc = new Y.Doc()
  writeChanges(doc, [{ id: 'gone', properties: { strokeColor: '#000000' } }])
  assert.is(elementMaps(doc).size, 0)
})

scene('orders by index and resolves equal indices by id', () => {
  const doc = new Y.Doc()
  writeElements(doc, [
    rectangle('z', { index: 'a1' }),
    rectangle('b', { index: 'a2' }),
    rectangle('a', { index: 'a2' }),
  ])
  assert.equal(
    elementsOf(doc).map(({ id }) => id),
    ['z', 'a', 'b'],
  )
})

scene('skips invalid elements and keeps the rest', () => {
  const doc = new Y.Doc()
  writeElements(doc, [rectangle('good')])
  const maps = elementMaps(doc)
  maps.set('text', 'not a map')
  maps.set('array', new Y.Array())
  maps.set('empty', new Y.Map())
  const broken: [string, Record<string, unknown>][] = [
    ['infinite', { ...rectangle('i'), x: Number.POSITIVE_INFINITY }],
    ['far', { ...rectangle('f'), y: 1e12 }],
    ['sizeless', { ...rectangle('s'), width: undefined }],
    ['foreign', { ...rectangle('t'), type: 'hologram' }],
    ['pointless', { ...rectangle('l'), type: 'line', points: [] }],
    [
      'crooked',
      {
        ...rectangle('c'),
        type: 'arrow',
        points: [
          [0, 0],
          ['a', null],
        ],
      },
    ],
    ['wordless', { ...rectangle('w'), type: 'text', text: 7 }],
  ]
  for (const [id, element] of broken) writeElements(doc, [{ ...element, id, type: String(element.type) }])
  const geoless = new Y.Map()
  maps.set('geoless', geoless)
  geoless.set('type', 'rectangle')
  geoless.set('geo', 'nowhere')
  assert.equal(
    elementsOf(doc).map(({ id }) => id),
    ['good'],
  )
  assert.is(sceneOf(doc).elements.length, 1)
})

scene('drops a property of the wrong type and keeps the element', () => {
  const doc = new Y.Doc()
  writeElements(doc, [rectangle('a', { groupIds: 'all', opacity: 'none', boundElements: [7], link: {} })])
  const element = elementOf(doc, 'a')
  for (const key of ['groupIds', 'opacity', 'boundElements', 'link'])
    assert.is(element?.[key], undefined, key)
  assert.is(element?.strokeColor, '#000000')
})

scene('takes the id of an element from its key', () => {
  const doc = new Y.Doc()
  writeElements(doc, [rectangle('a')])
  ;(elementMaps(doc).get('a') as Y.Map<unknown>).set('id', 'b')
  assert.is(elementsOf(doc)[0]?.id, 'a')
})

const file = suite('reading a file')

file('refuses anything that is not a drawing', () => {
  for (const value of [null, 7, 'text', [], {}, { elements: 7 }, { type: 'excalidrawlib', elements: [] }])
    assert.is(readScene(value), null, JSON.stringify(value))
})

file('counts what it cannot draw, and keeps both elements with a duplicate id', () => {
  const read = readScene({
    elements: [rectangle('a'), rectangle('a'), null, { id: 'x' }, rectangle('b', { index: 'a1' })],
  })
  assert.equal(
    read?.elements.map(({ id }) => id),
    ['a', 'a-2', 'b'],
  )
  assert.is(read?.skipped, 2)
})

file('gives an order to a large drawing without one, and keeps a valid one', () => {
  const many = Array.from({ length: 5000 }, (_, at) => rectangle(`${at}`, { index: undefined }))
  const read = readScene({ elements: many })?.elements ?? []
  assert.equal(
    read
      .slice()
      .sort(byIndex)
      .map(({ id }) => id),
    many.map(({ id }) => id),
  )
  assert.is(read[0]?.index, 'a0')
  assert.is(read[61]?.index, 'az')
  assert.is(read[62]?.index, 'b00')
  assert.equal(readScene({ elements: read })?.elements, read)
  const unordered = [rectangle('a', { index: 'a2' }), rectangle('b', { index: 'a1' })]
  assert.equal(
    readScene({ elements: unordered })?.elements.map(({ index }) => index),
    ['a0', 'a1'],
  )
})

scene.run()
file.run()
