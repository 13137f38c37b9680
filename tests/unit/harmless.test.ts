// The check that keeps harmful inputs out of the tests: it detects a document that no longer works, and one that is
// slow.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { harmTo } from '../helpers/harm.ts'
import { assertHarmless, harmOf } from '../helpers/harmless.ts'

const harmless = suite('inputs for tests')

/** From one writer, with a map and a text. */
function board(): Y.Doc {
  const doc = new Y.Doc()
  doc.getMap('map').set('a', new Y.Map([['b', 1]]))
  doc.getText('text').insert(0, 'hello')
  return doc
}

harmless(
  'an honest update and its state vector are harmless, and so is input that raises an ordinary error',
  () => {
    const update = Y.encodeStateAsUpdate(board())
    assertHarmless({ kind: 'update', before: [], input: update })
    assertHarmless({ kind: 'state vector', before: [update], input: Y.encodeStateVector(board()) })
    assertHarmless({ kind: 'update', before: [], input: update.subarray(0, 5) })
  },
)

harmless('input that exceeds its time limit is reported, and the next one is tried in a new thread', () => {
  const doc = board()
  for (let i = 0; i < 5000; i++) doc.getMap('map').set(`key ${i}`, { i })
  const input = Y.encodeStateAsUpdate(doc)
  assert.match(harmOf({ kind: 'update', before: [], input }, 1) ?? '', /more than 1 ms/)
  assertHarmless({ kind: 'update', before: [], input: Y.encodeStateAsUpdate(board()) })
})

harmless('a document that no longer reports its edits has been harmed', () => {
  const doc = board()
  assert.is(harmTo(board(), []), null)
  doc.emit = () => undefined
  assert.match(harmTo(doc, []) ?? '', /stops edits/)
})

harmless('a document that swallows edits, or cannot be emptied, has been harmed', () => {
  const writer = 5
  const swallowing = board()
  swallowing.on('beforeObserverCalls', (transaction) => {
    const last = swallowing.store.clients.get(writer)?.at(-1)
    if (last instanceof Y.Item && !last.deleted) last.delete(transaction)
  })
  assert.match(harmTo(swallowing, [writer]) ?? '', /swallows the next edit/)
  const stuck = board()
  const item = stuck.getMap('map')._map.get('a') as Y.Item // set above
  item.delete = () => {
    throw new Error('it stays')
  }
  assert.match(harmTo(stuck, []) ?? '', /cannot be copied or emptied/)
})

harmless.run()
