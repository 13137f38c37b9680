// States of random boards, split into portions: each depends only on those before it, and together they are the
// state.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { cut } from '../../server/documents/cutting.ts'
import { contentOf, YjsEditor, YrsEditor } from '../helpers/editors.ts'
import { countFromEnvironment, Random } from '../helpers/random.ts'

const boards = countFromEnvironment('CUT_BOARDS', 12)
const firstSeed = countFromEnvironment('CUT_SEED', 1)

/** Several people who respond to each other, so that each client's structs depend on another's in turn. */
function boardOf(seed: number): Uint8Array {
  const random = new Random(seed)
  const editors = [new YjsEditor(1 + random.below(1000)), new YjsEditor(2000 + random.below(1000))]
  const third = seed % 4 === 0 ? new YrsEditor(4000) : new YjsEditor(4000)
  const all = [...editors, third]
  for (let i = 0; i < 60; i++) {
    const editor = random.of(all)
    for (let edits = random.below(8); edits >= 0; edits--) editor.edit(random)
    if (random.chance(70)) random.of(all).apply(editor.diff())
  }
  const doc = new Y.Doc()
  for (const editor of all) Y.applyUpdate(doc, editor.diff())
  return Y.encodeStateAsUpdate(doc)
}

const cutting = suite('splitting a state into portions')

cutting('leaves nothing pending in between, and gives the same board', () => {
  let portions = 0
  for (let seed = firstSeed; seed < firstSeed + boards; seed++) {
    const state = boardOf(seed)
    const [whole, built] = [new Y.Doc(), new Y.Doc()]
    Y.applyUpdate(whole, state)
    const parts = cut(state)
    portions += parts.length
    for (const [i, part] of parts.entries()) {
      Y.applyUpdate(built, part)
      assert.is(built.store.pendingStructs, null, `seed ${seed}, portion ${i}: structs are pending`)
      assert.is(built.store.pendingDs, null, `seed ${seed}, portion ${i}: deletes are pending`)
    }
    assert.equal(Y.encodeStateVector(built), Y.encodeStateVector(whole), `seed ${seed}`)
    assert.ok(Y.equalSnapshots(Y.snapshot(built), Y.snapshot(whole)), `seed ${seed}: deletes differ`)
    assert.is(contentOf(built), contentOf(whole), `seed ${seed}`)
  }
  assert.ok(portions > boards * 3, `${portions} portions of ${boards} boards are too few to mean anything`)
})

cutting('returns a state whole that cannot be split', () => {
  const doc = new Y.Doc()
  doc.clientID = 1
  doc.getText('text').insert(0, 'missing')
  const before = Y.encodeStateVector(doc)
  const other = new Y.Doc()
  other.clientID = 2
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  other.getText('text').insert(3, 'rests on it')
  const dangling = Y.encodeStateAsUpdate(other, before)
  assert.equal(cut(dangling), [dangling])
})

cutting.run()
