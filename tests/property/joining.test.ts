// Snapshots of random boards and the logs that follow them, concatenated as bytes: the same board as a document would
// give.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { joined as joinedByDocument } from '../../server/documents/folding.ts'
import { joinedByBytes } from '../../server/documents/joining.ts'
import { contentOf, YjsEditor, YrsEditor } from '../helpers/editors.ts'
import { countFromEnvironment, Random } from '../helpers/random.ts'

const boards = countFromEnvironment('JOINED_BOARDS', 12)
const firstSeed = countFromEnvironment('JOINED_SEED', 1)

/**
 * What a server stored while several people worked: a snapshot from somewhere in the middle, and the later updates.
 */
function storedBoard(seed: number): { snapshot: Uint8Array; rows: Uint8Array[] } {
  const random = new Random(seed)
  const third = seed % 4 === 0 ? new YrsEditor(4000) : new YjsEditor(4000)
  const editors = [new YjsEditor(1 + random.below(1000)), new YjsEditor(2000 + random.below(1000)), third]
  const server = new Y.Doc()
  let snapshot = Y.encodeStateAsUpdate(server)
  let rows: Uint8Array[] = []
  server.on('update', (update: Uint8Array) => rows.push(update))
  const foldAt = random.below(60)
  for (let i = 0; i < 60; i++) {
    const editor = random.of(editors)
    for (let edits = random.below(8); edits >= 0; edits--) editor.edit(random)
    server.transact(() => {
      for (const update of editor.take()) Y.applyUpdate(server, update)
    })
    if (random.chance(70)) random.of(editors).apply(Y.encodeStateAsUpdate(server))
    if (i !== foldAt) continue
    snapshot = Y.encodeStateAsUpdate(server)
    rows = []
  }
  return { snapshot, rows }
}

const joining = suite('a snapshot and its log, concatenated as bytes')

joining('give the same board as a document', async () => {
  let byBytes = 0
  for (let seed = firstSeed; seed < firstSeed + boards; seed++) {
    const { snapshot, rows } = storedBoard(seed)
    const joined = await joinedByBytes([snapshot, ...rows])
    if (joined === null) continue
    byBytes++
    const [built, wanted] = [new Y.Doc(), new Y.Doc()]
    Y.applyUpdate(built, joined)
    Y.applyUpdate(wanted, joinedByDocument(snapshot, rows))
    assert.is(built.store.pendingStructs, null, `seed ${seed}: structs are pending`)
    assert.is(built.store.pendingDs, null, `seed ${seed}: deletes are pending`)
    assert.is(contentOf(built), contentOf(wanted), `seed ${seed}`)
    assert.ok(
      Y.equalSnapshots(Y.snapshot(built), Y.snapshot(wanted)),
      `seed ${seed}: clocks or deletes differ`,
    )
    assert.equal(Y.encodeStateVectorFromUpdate(joined), Y.encodeStateVector(wanted), `seed ${seed}`)
  }
  assert.ok(byBytes > boards / 4, `${byBytes} of ${boards} are too few to mean anything`)
})

joining('are left to a document if the log does not simply follow', async () => {
  const doc = new Y.Doc()
  const rows: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => rows.push(update))
  for (const word of ['a', 'b', 'c']) doc.getText('text').insert(0, word)
  const other = new Y.Doc()
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  const before = Y.encodeStateVector(other)
  other.getText('text').insert(1, 'rests on the others')
  const resting = Y.encodeStateAsUpdate(other, before)
  other.getText('text').delete(0, 1)
  const deleting = Y.encodeStateAsUpdate(other, Y.encodeStateVector(other))
  const [first, second, third] = rows as [Uint8Array, Uint8Array, Uint8Array] // three were made
  assert.is.not(await joinedByBytes([first, second, third, resting, deleting]), null)
  for (const [what, updates] of Object.entries({
    gap: [first, third],
    twice: [first, first],
    'missing origin': [first, second, resting],
    'missing what is deleted': [first, second, deleting],
    skip: [Y.mergeUpdates([first, third])],
    'cut off': [first.subarray(0, first.length - 3)],
    'bytes behind': [Buffer.concat([first, Uint8Array.of(1)])],
  }))
    assert.is(await joinedByBytes(updates), null, what)
})

joining.run()
