// Restoring and importing both depend on this: whatever two documents contain, the difference makes one equal to the
// other.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { documentOf, fingerprint, hasPending, jsonOf, partsOf } from '../../server/documents/content.ts'
import { difference } from '../../server/documents/difference.ts'
import { writeElements } from '../../shared/scene.ts'
import { seeded } from '../helpers/seeded.ts'

const contentOf = (state: Uint8Array): Record<string, string> => {
  const content: Record<string, string> = {}
  for (const name of documentOf(state).share.keys()) {
    const root = () => documentOf(state)
    const { hasMap, list } = partsOf(root().get(name))
    if (hasMap) content[`${name} map`] = fingerprint(root().getMap(name))
    if (list === 'text') content[`${name} list`] = fingerprint(root().getText(name))
    else if (list !== null) content[`${name} list`] = fingerprint(root().getArray(name))
  }
  return content
}

const differing = suite('the difference of two documents')

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  differing(`makes any document equal any other (seed ${seed})`, () => {
    const random = seeded(seed)
    for (let round = 0; round < 12; round++) {
      const [current, target] = twoDocuments(random)
      const update = difference(current, target)
      const doc = documentOf(current)
      if (update !== null) Y.applyUpdate(doc, update)
      assert.not(hasPending(doc))
      assert.equal(contentOf(Y.encodeStateAsUpdate(doc)), contentOf(target), `round ${round}`)
      assert.is(difference(Y.encodeStateAsUpdate(doc), target), null, `round ${round}: nothing is left to do`)
    }
  })
}

differing('touches only the changed elements of a drawing', () => {
  const doc = new Y.Doc()
  const element = (at: number) => ({
    id: `e${at}`,
    type: 'rectangle',
    index: `a${at}`,
    x: at,
    y: 0,
    width: 5,
    height: 5,
  })
  writeElements(
    doc,
    Array.from({ length: 200 }, (_, at) => element(at)),
  )
  const version = Y.encodeStateAsUpdate(doc)
  writeElements(doc, [{ ...element(7), x: 700 }])
  const update = difference(Y.encodeStateAsUpdate(doc), version)
  const touched = new Set<string>()
  doc.getMap('elements').observeDeep((events) => {
    for (const event of events) touched.add(String(event.path[0]))
  })
  assert.ok(update !== null)
  Y.applyUpdate(doc, update)
  assert.equal([...touched], ['e7'])
  assert.ok(update.length < 200, `${update.length} bytes`)
})

differing('keeps the characters of a text that are in both', () => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, 'The quick brown fox 🦊 jumps')
  const version = Y.encodeStateAsUpdate(doc)
  doc.getText('t').insert(9, ' and very')
  const cursor = Y.createRelativePositionFromTypeIndex(doc.getText('t'), 26)
  Y.applyUpdate(doc, difference(Y.encodeStateAsUpdate(doc), version) ?? new Uint8Array())
  assert.is(doc.getText('t').toString(), 'The quick brown fox 🦊 jumps')
  assert.is(Y.createAbsolutePositionFromRelativePosition(cursor, doc)?.index, 17)
})

differing('does not touch roots that it is not about', () => {
  const one = new Y.Doc()
  one.getMap('a').set('x', 1)
  one.getMap('b').set('x', 1)
  const two = new Y.Doc()
  two.getMap('a').set('x', 2)
  Y.applyUpdate(
    one,
    difference(Y.encodeStateAsUpdate(one), Y.encodeStateAsUpdate(two), new Set(['a'])) ?? new Uint8Array(),
  )
  assert.is(jsonOf(Y.encodeStateAsUpdate(one)), '{"a":{"x":2},"b":{"x":1}}')
})

differing('turns a text into a list where clients disagree about a root', () => {
  const one = new Y.Doc()
  one.getText('r').insert(0, 'text')
  const two = new Y.Doc()
  two.getArray('r').push([1, 2])
  Y.applyUpdate(one, difference(Y.encodeStateAsUpdate(one), Y.encodeStateAsUpdate(two)) ?? new Uint8Array())
  assert.is(jsonOf(Y.encodeStateAsUpdate(one)), '{"r":[1,2]}')
})

type Random = ReturnType<typeof seeded>

/** With a common history, and sometimes without one. */
function twoDocuments(random: Random): [Uint8Array, Uint8Array] {
  const one = new Y.Doc()
  const two = new Y.Doc()
  for (let step = 0; step < random.below(30); step++) edit(one, random)
  if (random.below(4) > 0) Y.applyUpdate(two, Y.encodeStateAsUpdate(one))
  for (let step = 0; step < random.below(30); step++) edit(one, random)
  for (let step = 0; step < random.below(30); step++) edit(two, random)
  return [Y.encodeStateAsUpdate(one), Y.encodeStateAsUpdate(two)]
}

function edit(doc: Y.Doc, random: Random): void {
  const kind = random.below(5)
  if (kind === 0) editMap(doc.getMap('map'), random, 3)
  else if (kind === 1) editList(doc.getArray('array'), random, 3)
  else if (kind === 2) editText(doc.getText('text'), random)
  else if (kind === 3) editXml(doc.getXmlFragment('xml'), random, 3)
  else editMap(doc.getMap('elements'), random, 2)
}

const anyValue = (random: Random, depth: number): unknown => {
  const kind = random.below(depth > 0 ? 9 : 6)
  if (kind === 0) return random.below(100)
  if (kind === 1) return `word ${random.below(9)} 🦊`
  if (kind === 2) return { b: random.below(3), a: [1, null, true] }
  if (kind === 3) return new Uint8Array([random.below(256), 2])
  if (kind === 4) return null
  if (kind === 5) return -0.5
  if (kind === 6) return new Y.Map([['n', anyValue(random, depth - 1)]])
  if (kind === 7) return Y.Array.from([anyValue(random, depth - 1) as string, 2])
  return new Y.Text(`note ${random.below(9)}`)
}

function editMap(map: Y.Map<unknown>, random: Random, depth: number): void {
  const key = `k${random.below(6)}`
  const old = map.get(key)
  if (random.below(5) === 0) map.delete(key)
  else if (old instanceof Y.Map && random.below(2) === 0) editMap(old, random, depth - 1)
  else if (old instanceof Y.Array && random.below(2) === 0) editList(old, random, depth - 1)
  else if (old instanceof Y.Text && random.below(2) === 0) editText(old, random)
  else map.set(key, anyValue(random, depth))
}

function editList(list: Y.Array<unknown>, random: Random, depth: number): void {
  const at = random.below(list.length + 1)
  const old = list.get(at)
  if (list.length > at && random.below(3) === 0)
    list.delete(at, Math.min(1 + random.below(3), list.length - at))
  else if (old instanceof Y.Map) editMap(old, random, depth - 1)
  else
    list.insert(
      at,
      Array.from({ length: 1 + random.below(3) }, () => anyValue(random, depth)),
    )
}

function editText(text: Y.Text, random: Random): void {
  const at = random.below(text.toString().replace(/🦊.*/su, '').length + 1)
  const kind = random.below(5)
  if (kind === 0 && text.length > at)
    text.delete(at, Math.min(1, text.toString().replace(/🦊.*/su, '').length - at))
  else if (kind === 1 && text.length > at)
    text.format(at, Math.min(3, text.length - at), { bold: random.below(2) === 0 ? true : null })
  else if (kind === 2) text.insertEmbed(at, { image: random.below(3) })
  else if (kind === 3) text.setAttribute(`a${random.below(2)}`, random.below(5))
  else
    text.insert(
      at,
      ['some ', 'words', '🦊'][random.below(3)] ?? '',
      random.below(2) === 0 ? { italic: true } : {},
    )
}

function editXml(fragment: Y.XmlFragment, random: Random, depth: number): void {
  const at = random.below(fragment.length + 1)
  const old = fragment.length > at ? fragment.get(at) : undefined
  const kind = random.below(5)
  if (kind === 0 && old !== undefined) fragment.delete(at, 1)
  else if (old instanceof Y.XmlElement && kind < 3) {
    if (depth > 0 && random.below(2) === 0) editXml(old, random, depth - 1)
    else old.setAttribute(`a${random.below(3)}`, `v${random.below(5)}`)
  } else if (kind === 3) fragment.insert(at, [new Y.XmlText(`text ${random.below(5)}`)])
  else fragment.insert(at, [new Y.XmlElement(`node${random.below(2)}`)])
}

differing.run()
