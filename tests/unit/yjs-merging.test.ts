import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { patchYjsMerging } from '../../server/documents/yjs-merging.ts'
import { assertHarmless } from '../helpers/harmless.ts'
import { contentOf, type Struct, writeUpdate } from '../helpers/update-writer.ts'

const merging = suite('merging in Yjs')
const client = 5

/** The number of structs from somebody who adds values one by one, offline, with updates that are merged unread. */
function oneByOne(structs: number, valuesEach: number): Uint8Array {
  const content = contentOf.any(...Array(valuesEach).fill(null))
  return writeUpdate([
    {
      client,
      clock: 0,
      structs: Array.from(
        { length: structs },
        (_, i): Struct =>
          i === 0
            ? { ref: 8, parent: 'list', content }
            : { ref: 8, origin: { client, clock: i * valuesEach - 1 }, content },
      ),
    },
  ])
}

merging('consecutive structs are merged without copying the rest for each of them', () => {
  const update = oneByOne(300, 2)
  assertHarmless({ kind: 'update', before: [], input: update })
  patchYjsMerging()
  const { concat } = Array.prototype
  let copied = 0
  Array.prototype.concat = function (this: unknown[], ...others: unknown[]) {
    const all = concat.apply(this, others)
    copied += all.length
    return all
  }
  const doc = new Y.Doc()
  try {
    Y.applyUpdate(doc, update)
  } finally {
    Array.prototype.concat = concat
  }
  assert.ok(copied <= 600, `${copied} values copied for 600`)
  assert.is(doc.store.clients.get(client)?.length, 1)
  assert.is(doc.getArray('list').length, 600)
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  assert.equal(copy.getArray('list').toArray(), Array(600).fill(null))
})

merging('a struct takes in no more values than its limit', () => {
  const update = oneByOne(2, 40_000)
  assertHarmless({ kind: 'update', before: [], input: update })
  patchYjsMerging()
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  assert.is(doc.store.clients.get(client)?.length, 2)
})

merging('merged structs can be read, split, merged again and stored', () => {
  patchYjsMerging()
  const doc = new Y.Doc()
  doc.clientID = client
  const list = doc.getArray<number>('list')
  const expected: number[] = []
  for (let i = 0; i < 500; i++) {
    doc.transact(() => {
      list.push([i])
      list.push([-i])
    })
    expected.push(i, -i)
  }
  list.delete(10, 5)
  list.insert(20, [1, 2])
  expected.splice(10, 5)
  expected.splice(20, 0, 1, 2)
  assert.equal(list.toArray(), expected)
  assert.is(doc.store.clients.get(client)?.length, 5)
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  assert.equal(copy.getArray('list').toArray(), expected)
})

merging('the limit is installed once', () => {
  patchYjsMerging()
  const { mergeWith } = Y.ContentAny.prototype
  patchYjsMerging()
  assert.is(Y.ContentAny.prototype.mergeWith, mergeWith)
})

merging.run()
