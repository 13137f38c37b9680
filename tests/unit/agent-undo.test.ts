// Undoing what an agent did: the rows of the journal against the current document.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import type { EditRow } from '../../server/agents/journal-queries.ts'
import { undoIn } from '../../server/agents/undo.ts'

const undo = suite("undo of an agent's edits")

const row = (change: EditRow['change'], old_values: object, new_values: object): EditRow => ({
  ...{ id: '1', board_id: 'b', agent_id: 'a', element_id: 'box', in_trail: true },
  ...{ created_at: new Date(), undone_at: null, change },
  old_values: { ...old_values },
  new_values: { ...new_values },
})
const repainted = (from: string, to: string) => row('updated', { strokeColor: from }, { strokeColor: to })

const boxOf = (values: Record<string, unknown>) => {
  const doc = new Y.Doc()
  const box = new Y.Map(Object.entries(values))
  doc.getMap('elements').set('box', box)
  return { doc, box }
}

undo('steps of one property lead back to what was before the first of them', () => {
  const { doc, box } = boxOf({ strokeColor: 'green' })
  assert.is(undoIn(doc, [repainted('red', 'green'), repainted('black', 'red')]), 0)
  assert.is(box.get('strokeColor'), 'black')
})

undo('what was taken back already counts as nothing kept, in however many steps it was done', () => {
  const { doc, box } = boxOf({ strokeColor: 'black' })
  assert.is(undoIn(doc, [repainted('red', 'green'), repainted('black', 'red')]), 0)
  assert.is(box.get('strokeColor'), 'black')
})

undo('what a person changed since then, or between two steps, stays', () => {
  const since = boxOf({ strokeColor: 'blue' })
  assert.is(undoIn(since.doc, [repainted('black', 'red')]), 1)
  assert.is(since.box.get('strokeColor'), 'blue')
  const between = boxOf({ strokeColor: 'green' })
  assert.is(undoIn(between.doc, [repainted('blue', 'green'), repainted('black', 'red')]), 1)
  assert.is(between.box.get('strokeColor'), 'blue')
})

undo('a property that was not there goes, and an element that was made is deleted', () => {
  const { doc, box } = boxOf({ strokeColor: 'red', note: 'mine', isDeleted: false })
  const rows = [
    row('updated', { isDeleted: true }, { isDeleted: false }),
    row('updated', {}, { note: 'mine' }),
  ]
  assert.is(undoIn(doc, [...rows, row('created', {}, { strokeColor: 'red', isDeleted: true })]), 0)
  assert.equal(box.toJSON(), { strokeColor: 'red', isDeleted: true })
})

undo.run()
