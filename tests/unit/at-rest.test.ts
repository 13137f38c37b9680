// The result for canvas and document while the user is idle.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { Binding } from '../../client/binding.ts'
import type { SceneElement } from '../../shared/element.ts'
import { elementOf, elementsOf, writeElements } from '../../shared/scene.ts'
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
  ...more,
})

const pageOf = (elements: SceneElement[], mayWrite = true) => {
  const doc = new Y.Doc()
  writeElements(doc, elements)
  const canvas = new FakeCanvas()
  const clock = new HandClock()
  const binding = new Binding({ doc, canvas, clock, mayWrite, onPending: () => {} })
  canvas.onChange = () => binding.canvasChanged()
  binding.start()
  return { doc, canvas, clock, binding }
}
const shownOn = (canvas: FakeCanvas): string[] =>
  canvas
    .elements()
    .filter(({ isDeleted }) => isDeleted !== true)
    .map(({ id }) => id)
    .sort()

const rest = suite('while idle')

rest(
  'a canvas whose content was replaced shows the document again, together with what its user added',
  () => {
    const { doc, canvas, clock } = pageOf([shape('a'), shape('b')])
    const added = { ...shape('mine'), version: 1, versionNonce: 1, updated: 1 }
    canvas.show([added], new Set())
    clock.advance(3000)
    assert.equal(shownOn(canvas), ['a', 'b', 'mine'])
    assert.equal(
      elementsOf(doc)
        .filter(({ isDeleted }) => isDeleted !== true)
        .map(({ id }) => id)
        .sort(),
      ['a', 'b', 'mine'],
    )
  },
)

rest('viewers see the board and nothing of their own', () => {
  const { doc, canvas, clock } = pageOf([shape('a')], false)
  canvas.show([{ ...shape('mine'), version: 1, versionNonce: 1, updated: 1 }], new Set())
  clock.advance(3000)
  assert.equal(shownOn(canvas), ['a'])
  assert.is(elementOf(doc, 'mine'), null)
})

rest('elements that a canvas cannot draw are tried once and then left alone', () => {
  const { canvas, clock, binding } = pageOf([shape('a'), shape('b')])
  canvas.unrestorable.add('b')
  canvas.show(
    canvas.elements().filter(({ id }) => id === 'a'),
    new Set(),
  )
  clock.advance(3000)
  const { shows } = canvas
  for (let more = 0; more < 3; more++) {
    binding.canvasChanged()
    clock.advance(3000)
  }
  assert.is(canvas.shows, shows)
  assert.is(clock.waiting, 0)
})

rest('nothing refers to a shape that somebody else deleted meanwhile', () => {
  const { doc, canvas, clock } = pageOf([
    shape('box'),
    shape('frame', { type: 'frame', name: null }),
    shape('text', { type: 'text', text: 'a', containerId: 'box', frameId: 'frame' }),
    shape('arrow', {
      type: 'arrow',
      points: [
        [0, 0],
        [9, 9],
      ],
      startBinding: { elementId: 'box', focus: 0, gap: 1 },
      endBinding: { elementId: 'not heard of yet', focus: 0, gap: 1 },
    }),
  ])
  writeElements(doc, [shape('box', { isDeleted: true }), shape('frame', { type: 'frame', isDeleted: true })])
  clock.advance(3000)
  const text = elementOf(doc, 'text')
  const arrow = elementOf(doc, 'arrow')
  assert.equal([text?.containerId, text?.frameId, text?.isDeleted], [null, null, false])
  assert.is(arrow?.startBinding, null)
  assert.equal(arrow?.endBinding, { elementId: 'not heard of yet', focus: 0, gap: 1 })
  assert.is(canvas.elements().find(({ id }) => id === 'text')?.containerId, null)
})

rest('windows that repair the same thing at the same time agree', () => {
  const pages = [1, 2].map(() => pageOf([]))
  const [one, two] = pages.map(({ doc }) => doc) as [Y.Doc, Y.Doc]
  writeElements(one, [shape('box'), shape('text', { type: 'text', text: 'a', containerId: 'box' })])
  Y.applyUpdate(two, Y.encodeStateAsUpdate(one))
  for (const { clock } of pages) clock.advance(3000)
  writeElements(one, [shape('box', { isDeleted: true })])
  Y.applyUpdate(two, Y.encodeStateAsUpdate(one))
  for (const { clock } of pages) clock.advance(3000)
  Y.applyUpdate(two, Y.encodeStateAsUpdate(one))
  Y.applyUpdate(one, Y.encodeStateAsUpdate(two))
  for (const { doc } of pages) assert.is(elementOf(doc, 'text')?.containerId, null)
  assert.equal(elementsOf(one), elementsOf(two))
})

rest.run()
