// What two people do to one thing at the same moment, or one after the other in the undo history: a table of cases.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { mendings } from '../../client/at-rest.ts'
import { Binding } from '../../client/binding.ts'
import { mergeTexts } from '../../client/text-merge.ts'
import type { SceneElement } from '../../shared/element.ts'
import { elementMaps, elementOf, elementsOf, writeElements } from '../../shared/scene.ts'
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
  index: `a${id.length}`,
  ...more,
})
const text = (words: string) =>
  shape('t', { type: 'text', text: words, originalText: words, autoResize: true, containerId: null })

interface Person {
  doc: Y.Doc
  canvas: FakeCanvas
  /** One action by hand, written at once. */
  does(work: (canvas: FakeCanvas) => void): void
  undoes(): 'seen' | 'kept' | 'none'
  redoes(): void
}

/** Two people with one drawing, whose documents exchange updates while they are `together`. */
const pair = (elements: SceneElement[]) => {
  const clock = new HandClock()
  const docs = [new Y.Doc(), new Y.Doc()] as const
  let isTogether = true
  writeElements(docs[0], elements)
  const exchange = () => {
    for (const [from, to] of [docs, [docs[1], docs[0]] as const])
      Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)), 'relay')
  }
  for (const doc of docs)
    doc.on('update', (_update: Uint8Array, origin: unknown) => {
      if (isTogether && origin !== 'relay') exchange()
    })
  exchange()
  const people = docs.map((doc): Person => {
    const canvas = new FakeCanvas()
    const binding = new Binding({ doc, canvas, clock, mayWrite: true, onPending: () => {} })
    canvas.onChange = () => binding.canvasChanged()
    binding.start()
    return {
      doc,
      canvas,
      does: (work) => {
        canvas.step(() => work(canvas))
        binding.flush()
        clock.advance(100)
      },
      undoes: () => {
        // As on the page: continues until a step is visible, or none is left.
        for (;;) {
          const done = binding.undo(() => canvas.undo())
          clock.advance(100)
          if (done !== 'kept') return done
        }
      },
      redoes: () => {
        canvas.redo()
        binding.flush()
        clock.advance(100)
      },
    }
  }) as [Person, Person]
  const [ada, grace] = people
  return {
    ada,
    grace,
    /** Nobody hears of the other until both have finished. */
    apart: (work: () => void) => {
      isTogether = false
      work()
      isTogether = true
      exchange()
      clock.advance(5000)
      assert.equal(elementsOn(grace), elementsOn(ada), 'both see the same')
    },
    rest: () => {
      clock.advance(5000)
      assert.equal(elementsOn(grace), elementsOn(ada), 'both see the same')
    },
  }
}
const elementsOn = ({ canvas, doc }: Person) => {
  const shown = canvas.elements().filter(({ isDeleted }) => isDeleted !== true)
  const kept = elementsOf(doc).filter(({ isDeleted }) => isDeleted !== true)
  assert.equal(
    shown.map(({ id }) => id).sort(),
    kept.map(({ id }) => id).sort(),
    'the canvas is the document',
  )
  return kept
}
const placeOf = ({ doc }: Person, id: string) => elementOf(doc, id)?.x
const wordsOf = ({ doc }: Person) => elementOf(doc, 't')?.originalText

const cases = suite('two people editing the same thing')

cases('a text whose container is deleted while somebody types into it is released', () => {
  const { ada, grace, apart } = pair([
    shape('box', { boundElements: [{ id: 't', type: 'text' }] }),
    { ...text('words'), containerId: 'box' },
  ])
  apart(() => {
    ada.does((canvas) => canvas.change('box', { isDeleted: true }))
    grace.does((canvas) => canvas.change('t', { text: 'more words', originalText: 'more words' }))
  })
  assert.is(elementOf(ada.doc, 't')?.containerId, null)
  assert.is(wordsOf(ada), 'more words')
})

cases(
  'a text whose container another app removes from the document is released, even for later arrivals',
  () => {
    const { ada, grace, rest } = pair([shape('box'), { ...text('words'), containerId: 'box' }])
    elementMaps(ada.doc).delete('box')
    const later = new Y.Doc()
    Y.applyUpdate(later, Y.encodeStateAsUpdate(ada.doc))
    const canvas = new FakeCanvas()
    canvas.show(canvas.restore(elementsOf(later)), new Set())
    assert.equal(mendings(later, canvas.elements()), [{ id: 't', properties: { containerId: null } }])
    rest()
    assert.is(elementOf(grace.doc, 't')?.containerId, null)
  },
)

cases('an arrow bound to a shape that the other person deletes ends where it was drawn', () => {
  const points = [
    [0, 0],
    [50, 50],
  ]
  const { ada, grace, apart } = pair([shape('s')])
  apart(() => {
    ada.does((canvas) => canvas.change('s', { isDeleted: true }))
    grace.does((canvas) =>
      canvas.draw(
        shape('arrow', {
          type: 'arrow',
          points,
          startBinding: { elementId: 's', focus: 0, gap: 1 },
          endBinding: null,
        }),
      ),
    )
  })
  assert.is(elementOf(ada.doc, 'arrow')?.startBinding, null)
})

cases('several windows make the same repair once: the document converges', () => {
  const { ada, grace, rest } = pair([shape('box'), { ...text('words'), containerId: 'box' }])
  ada.does((canvas) => canvas.change('box', { isDeleted: true }))
  rest()
  const before = Y.encodeStateVector(ada.doc)
  rest()
  assert.equal(Y.encodeStateVector(ada.doc), before)
  assert.is(elementOf(grace.doc, 't')?.containerId, null)
})

cases('undoing a deletion restores the shape, and repairs are kept', () => {
  const { ada, grace, rest } = pair([shape('box'), { ...text('words'), containerId: 'box' }])
  ada.does((canvas) => canvas.change('box', { isDeleted: true }))
  rest()
  assert.is(ada.undoes(), 'seen')
  rest()
  assert.equal(
    elementsOn(grace)
      .map(({ id }) => id)
      .sort(),
    ['box', 't'],
  )
  assert.is(elementOf(grace.doc, 't')?.containerId, null)
})

cases('an undo keeps a shape where the other person has moved it since', () => {
  const { ada, grace, rest } = pair([shape('s')])
  ada.does((canvas) => canvas.change('s', { x: 100 }))
  grace.does((canvas) => canvas.change('s', { x: 300 }))
  assert.is(ada.undoes(), 'none')
  rest()
  assert.is(placeOf(grace, 's'), 300)
})

cases('a redo of that step restores one’s own value, and its undo the other person’s', () => {
  const { ada, grace, rest } = pair([shape('s')])
  ada.does((canvas) => canvas.change('s', { x: 100 }))
  grace.does((canvas) => canvas.change('s', { x: 300 }))
  ada.undoes()
  ada.redoes()
  rest()
  assert.is(placeOf(grace, 's'), 100)
  assert.is(ada.undoes(), 'seen')
  rest()
  assert.is(placeOf(grace, 's'), 300)
})

cases('of a step with two shapes, only the one that nobody else has touched is reverted', () => {
  const { ada, grace, rest } = pair([shape('s'), shape('other')])
  ada.does((canvas) => {
    canvas.change('s', { x: 100 })
    canvas.change('other', { x: 100 })
  })
  grace.does((canvas) => canvas.change('s', { x: 300 }))
  assert.is(ada.undoes(), 'seen')
  rest()
  assert.equal([placeOf(ada, 's'), placeOf(ada, 'other')], [300, 0])
})

cases('an undo continues in the same press if the other person has overwritten the step', () => {
  const { ada, grace, rest } = pair([shape('s'), shape('other')])
  ada.does((canvas) => canvas.change('other', { x: 100 }))
  ada.does((canvas) => canvas.change('s', { x: 100 }))
  grace.does((canvas) => canvas.change('s', { x: 300 }))
  assert.is(ada.undoes(), 'seen')
  rest()
  assert.equal([placeOf(grace, 's'), placeOf(grace, 'other')], [300, 0])
})

cases('an undo skips the steps of a shape that the other person has deleted', () => {
  const { ada, grace, rest } = pair([shape('s'), shape('other')])
  ada.does((canvas) => canvas.change('other', { x: 100 }))
  ada.does((canvas) => canvas.change('s', { x: 100 }))
  ada.does((canvas) => canvas.change('s', { strokeColor: '#ff0000' }))
  grace.does((canvas) => canvas.change('s', { isDeleted: true }))
  assert.is(ada.undoes(), 'seen')
  rest()
  assert.is(placeOf(grace, 'other'), 0)
  assert.is(elementOf(grace.doc, 's')?.isDeleted, true)
  assert.is(ada.undoes(), 'none')
})

cases('an undo of one’s own later step restores the other person’s value, and goes no further', () => {
  const { ada, grace, rest } = pair([shape('s')])
  ada.does((canvas) => canvas.change('s', { x: 100 }))
  grace.does((canvas) => canvas.change('s', { x: 300 }))
  ada.does((canvas) => canvas.change('s', { x: 400 }))
  assert.is(ada.undoes(), 'seen')
  rest()
  assert.is(placeOf(grace, 's'), 300)
  assert.is(ada.undoes(), 'none')
  rest()
  assert.is(placeOf(grace, 's'), 300)
})

cases('undo and redo of one’s own steps work as usual if nobody else changed anything', () => {
  const { ada, grace, rest } = pair([shape('s')])
  ada.does((canvas) => canvas.change('s', { x: 100 }))
  ada.does((canvas) => canvas.change('s', { x: 200 }))
  ada.undoes()
  assert.is(placeOf(grace, 's'), 100)
  ada.undoes()
  assert.is(placeOf(grace, 's'), 0)
  ada.redoes()
  ada.redoes()
  rest()
  assert.is(placeOf(grace, 's'), 200)
})

cases('when two people recolour and move one shape, both changes are kept, and each undoes their own', () => {
  const { ada, grace, apart, rest } = pair([shape('s')])
  apart(() => {
    ada.does((canvas) => canvas.change('s', { x: 100 }))
    grace.does((canvas) => canvas.change('s', { strokeColor: '#ff0000' }))
  })
  ada.undoes()
  rest()
  assert.equal([placeOf(grace, 's'), elementOf(grace.doc, 's')?.strokeColor], [0, '#ff0000'])
})

cases('two people who type in one text at the same time lose no words', () => {
  const { ada, grace, apart } = pair([text('the fox')])
  apart(() => {
    ada.does((canvas) => canvas.change('t', { text: 'the brown fox', originalText: 'the brown fox' }))
    grace.does((canvas) => canvas.change('t', { text: 'the fox jumps', originalText: 'the fox jumps' }))
  })
  assert.is(wordsOf(ada), 'the brown fox jumps')
})

cases('a person still typing when the other’s words arrive keeps both', () => {
  const { ada, grace, rest } = pair([text('the fox')])
  ada.canvas.inHand.add('t')
  ada.does((canvas) => canvas.change('t', { text: 'the b fox', originalText: 'the b fox' }))
  grace.does((canvas) => canvas.change('t', { text: 'the b fox jumps', originalText: 'the b fox jumps' }))
  ada.does((canvas) => canvas.change('t', { text: 'the brown fox', originalText: 'the brown fox' }))
  ada.canvas.inHand.clear()
  rest()
  assert.is(wordsOf(grace), 'the brown fox jumps')
  assert.is(ada.canvas.find('t')?.originalText, 'the brown fox jumps')
  assert.is(ada.undoes(), 'none')
  assert.is(wordsOf(grace), 'the brown fox jumps')
})

for (const [what, container] of [
  ['a text', null],
  ['a text with its container', 'box'],
] as const)
  cases(`${what} that somebody deletes while another types in it comes back with the words`, () => {
    const { ada, grace, rest } = pair([
      shape('box', { boundElements: container === null ? [] : [{ id: 't', type: 'text' }] }),
      { ...text('words'), containerId: container },
    ])
    grace.canvas.inHand.add('t')
    ada.does((canvas) => {
      canvas.change('t', { isDeleted: true })
      if (container !== null) canvas.change('box', { isDeleted: true })
    })
    grace.does((canvas) => canvas.change('t', { text: 'more words', originalText: 'more words' }))
    grace.canvas.inHand.clear()
    rest()
    assert.equal([wordsOf(ada), elementOf(ada.doc, 't')?.isDeleted], ['more words', false])
    assert.is(elementOf(ada.doc, 't')?.containerId, null)
  })

cases('a text that another app removes from the document comes back with the words typed into it', () => {
  const { ada, grace, rest } = pair([text('words')])
  grace.canvas.inHand.add('t')
  elementMaps(ada.doc).delete('t')
  grace.does((canvas) => canvas.change('t', { text: 'more words', originalText: 'more words' }))
  grace.canvas.inHand.clear()
  rest()
  assert.equal([wordsOf(ada), elementOf(ada.doc, 't')?.isDeleted], ['more words', false])
  assert.is(ada.canvas.find('t')?.isDeleted, false)
  assert.is(grace.canvas.find('t')?.isDeleted, false)
})

cases('a text that somebody deletes stays deleted if nobody types in it any more', () => {
  const { ada, grace, rest } = pair([text('words')])
  grace.canvas.inHand.add('t')
  ada.does((canvas) => canvas.change('t', { isDeleted: true }))
  grace.canvas.inHand.clear()
  grace.does((canvas) => canvas.change('t', { x: 5 }))
  rest()
  assert.is(elementOf(grace.doc, 't')?.isDeleted, true)
})

for (const [base, mine, theirs, merged] of [
  ['', 'mine', '', 'mine'],
  ['same', 'same', 'other', 'other'],
  ['a b c', 'A b c', 'a b C', 'A b C'],
  ['one two', 'one', 'one two three', 'one three'],
] as const)
  cases(`“${base}”, made “${mine}” and “${theirs}”, becomes “${merged}”`, () => {
    assert.is(mergeTexts(base, mine, theirs).replace(/ +/g, ' '), merged)
  })

cases.run()
