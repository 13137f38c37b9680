// Where a log removes much, and the previous state of the board.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { documentOf } from '../../server/documents/content.ts'
import { statesBeforeRemovals as lookFor, mayHaveLostMuch } from '../../server/documents/removals.ts'
import { updateOf } from '../helpers/storage.ts'

const removals = suite('removals')

/** Whatever is found by checking every step must be considered possible from the end state alone. */
function statesBeforeRemovals(...[snapshot, updates, times]: Parameters<typeof lookFor>) {
  const states = lookFor(snapshot, updates, times)
  const doc = documentOf(snapshot)
  for (const update of updates) Y.applyUpdate(doc, update)
  assert.ok(states.length === 0 || mayHaveLostMuch(doc))
  return states
}

/** A log written by edits with times in seconds. */
class Written {
  readonly doc = new Y.Doc()
  readonly updates: Uint8Array[] = []
  readonly times: number[] = []

  at(second: number, edit: (doc: Y.Doc) => void): this {
    this.updates.push(updateOf(this.doc, edit))
    this.times.push(second * 1000)
    return this
  }

  draw(second: number, ...ids: string[]): this {
    for (const id of ids)
      this.at(second, (doc) => doc.getMap('elements').set(id, new Y.Map([['type', 'rectangle']])))
    return this
  }

  erase(second: number, ...ids: string[]): this {
    for (const id of ids)
      this.at(second, (doc) => (doc.getMap('elements').get(id) as Y.Map<unknown>).set('isDeleted', true))
    return this
  }

  found(snapshot: Uint8Array | null = null): { at: number; visible: string[] }[] {
    return statesBeforeRemovals(snapshot, this.updates, this.times).map(({ state, at }) => ({
      at: at / 1000,
      visible: [...documentOf(state).getMap('elements').entries()]
        .filter(([, element]) => (element as Y.Map<unknown>).get('isDeleted') !== true)
        .map(([id]) => id)
        .sort(),
    }))
  }
}

const six = ['a', 'b', 'c', 'd', 'e', 'f']
const many = Array.from({ length: 40 }, (_, at) => `e${at}`)

removals('are detected when a board is cleared, in one edit or one element after the other', () => {
  assert.equal(
    new Written()
      .draw(0, ...six)
      .erase(30, ...six)
      .found(),
    [{ at: 30, visible: six }],
  )
  const atOnce = new Written().draw(0, ...six).at(40, (doc) => {
    for (const element of doc.getMap('elements').values()) (element as Y.Map<unknown>).set('isDeleted', true)
  })
  assert.equal(atOnce.found(), [{ at: 40, visible: six }])
})

removals('are detected if elements are plain values marked as deleted, as other clients store them', () => {
  const written = new Written()
  for (const id of six) written.at(0, (doc) => doc.getMap('elements').set(id, { type: 'rectangle' }))
  written.at(30, (doc) => {
    for (const id of six) doc.getMap('elements').set(id, { type: 'rectangle', isDeleted: true })
  })
  const found = statesBeforeRemovals(null, written.updates, written.times)
  assert.equal(
    found.map(({ state }) => Object.values(documentOf(state).getMap('elements').toJSON())),
    [six.map(() => ({ type: 'rectangle' }))],
  )
})

removals('are detected if the removed content was folded already', () => {
  const before = new Written().draw(0, ...six)
  const later = new Written()
  Y.applyUpdate(later.doc, Y.encodeStateAsUpdate(before.doc))
  assert.equal(later.erase(30, ...six).found(Y.encodeStateAsUpdate(before.doc)), [{ at: 30, visible: six }])
})

removals('of a fifth count, those of a few elements among many do not', () => {
  assert.is(
    new Written()
      .draw(0, ...many)
      .erase(9, ...many.slice(0, 7))
      .found().length,
    0,
  )
  assert.equal(
    new Written()
      .draw(0, ...many)
      .erase(9, ...many.slice(0, 8))
      .found(),
    [{ at: 9, visible: [...many].sort() }],
  )
})

removals('that continue are one, and clearing what is drawn later is another', () => {
  const written = new Written().draw(0, ...many).erase(9, ...many)
  assert.is(written.found().length, 1)
  written.draw(200, ...six).erase(210, ...six)
  assert.equal(
    written.found().map(({ at }) => at),
    [9, 210],
  )
})

removals('that are spread over hours do not count as one', () => {
  const written = new Written().draw(0, ...many)
  for (const [at, id] of many.slice(0, 30).entries()) written.erase(3600 * (at + 1), id)
  assert.equal(written.found(), [])
})

removals('keep the states with the most content, at most five', () => {
  const written = new Written().draw(0, ...many).erase(1, ...many)
  for (let round = 1; round <= 8; round++) written.draw(round * 500, ...six).erase(round * 500 + 1, ...six)
  const found = written.found()
  assert.is(found.length, 5)
  assert.is(found[0]?.visible.length, 40)
})

removals('are detected in documents of other clients: maps, lists and texts', () => {
  const text = new Written()
    .at(0, (doc) => doc.getText('notes').insert(0, 'word '.repeat(100)))
    .at(5, (doc) => doc.getText('notes').delete(0, 400))
  assert.is(text.found().length, 1)
  const typed = new Written()
    .at(0, (doc) => doc.getText('notes').insert(0, 'hello world'))
    .at(5, (doc) => doc.getText('notes').delete(0, 11))
  assert.is(typed.found().length, 0)
  const list = new Written()
    .at(0, (doc) => doc.getArray('tasks').push([1, 2, 3, 4, 5, 6]))
    .at(5, (doc) => doc.getArray('tasks').delete(0, 6))
  assert.is(list.found().length, 1)
})

removals('are not searched for if nothing can have been removed: elements were drawn and dragged', () => {
  const drawn = new Written().draw(0, ...many)
  for (const id of many)
    for (const x of [1, 2, 3])
      drawn.at(1, (doc) => (doc.getMap('elements').get(id) as Y.Map<unknown>).set('x', x))
  assert.not(mayHaveLostMuch(drawn.doc))
})

removals('are searched for if everything is back at the end', () => {
  const cleared = new Written().draw(0, ...six).erase(10, ...six)
  for (const id of six)
    cleared.at(90, (doc) => (doc.getMap('elements').get(id) as Y.Map<unknown>).set('isDeleted', false))
  assert.ok(mayHaveLostMuch(cleared.doc))
  assert.is(cleared.found().length, 1)
  const removed = new Written().draw(0, ...six)
  for (const id of six) removed.at(10, (doc) => doc.getMap('elements').delete(id))
  removed.draw(90, ...six)
  assert.ok(mayHaveLostMuch(removed.doc))
  assert.is(removed.found().length, 1)
})

removals.run()
