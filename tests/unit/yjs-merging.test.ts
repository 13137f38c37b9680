import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { patchYjsMerging } from '../../server/documents/yjs-merging.ts'
import { spentMs } from '../helpers/effort.ts'
import { contentOf, type Struct, writeUpdate } from '../helpers/update-writer.ts'

const merging = suite('what Yjs joins')
const client = 5

/** As many structs as somebody writes who adds values one by one, offline, with updates that are merged unread. */
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

for (const [structs, values] of [
  [50_000, 1],
  [1000, 1000],
] as const) {
  merging(`${structs} structs of ${values} that follow each other are joined in time that is linear`, () => {
    patchYjsMerging()
    const doc = new Y.Doc()
    const begun = spentMs()
    Y.applyUpdate(doc, oneByOne(structs, values))
    const ms = spentMs() - begun
    // Plain Yjs: 40 s and 23 s.
    assert.ok(ms < 5000, `took ${ms} ms`)
    assert.is(doc.getArray('list').length, structs * values)
    const joined = doc.store.clients.get(client)?.length ?? 0
    assert.ok(joined <= Math.ceil((structs * values) / 64_000) + 1, `${joined} structs are left`)
    const copy = new Y.Doc()
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
    assert.equal(Y.encodeStateVector(copy), Y.encodeStateVector(doc))
  })
}

merging('what is joined can be read, cut, joined again and stored', () => {
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

merging('the bound is put on once', () => {
  patchYjsMerging()
  const { mergeWith } = Y.ContentAny.prototype
  patchYjsMerging()
  assert.is(Y.ContentAny.prototype.mergeWith, mergeWith)
})

merging.run()
