// What a user wrote and the server has not confirmed, compared with what others do to it meanwhile.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { Unsaved } from '../../client/unsaved.ts'
import { elementMaps } from '../../shared/scene.ts'

const unsaved = suite('what the server has not confirmed')

/** A board with a text, as seen by a page and by somebody else; `meet` exchanges their updates. */
const twoOf = () => {
  const [own, other] = [new Y.Doc(), new Y.Doc()]
  const text = (doc: Y.Doc) => elementMaps(doc).get('note') as Y.Map<unknown>
  elementMaps(own).set(
    'note',
    new Y.Map(Object.entries({ type: 'text', originalText: 'Zebra', isDeleted: false })),
  )
  Y.applyUpdate(other, Y.encodeStateAsUpdate(own))
  const waiting = new Unsaved()
  const noted: number[] = []
  const whose = (origin: unknown) => (origin === 'page' || origin === 'device' ? origin : 'other')
  waiting.observe(own, whose, () => noted.push(waiting.size))
  return {
    ...{ own, other, waiting, noted },
    write: (values: Record<string, unknown>, origin: 'page' | 'device' = 'page') =>
      own.transact(() => {
        for (const [key, value] of Object.entries(values)) text(own).set(key, value)
      }, origin),
    deleteElsewhere: () => text(other).set('isDeleted', true),
    meet() {
      Y.applyUpdate(own, Y.encodeStateAsUpdate(other), 'network')
      Y.applyUpdate(other, Y.encodeStateAsUpdate(own))
      const [mine, theirs] = [text(own).toJSON(), text(other).toJSON()]
      assert.equal(mine, theirs)
      return mine
    },
  }
}

unsaved('words in a text that somebody else deletes meanwhile restore it, and wait with it', () => {
  const { write, deleteElsewhere, meet, waiting, noted } = twoOf()
  write({ originalText: 'Zebra crossing' })
  deleteElsewhere()
  assert.equal(meet(), { type: 'text', originalText: 'Zebra crossing', isDeleted: false })
  assert.is(waiting.size, 1)
  assert.is(noted.length, 2)
})

unsaved('words restore a text that another app removes from the document', () => {
  const { own, other, write, waiting } = twoOf()
  write({ originalText: 'Zebra crossing' })
  elementMaps(other).delete('note')
  Y.applyUpdate(own, Y.encodeStateAsUpdate(other), 'network')
  Y.applyUpdate(other, Y.encodeStateAsUpdate(own))
  const back = { note: { type: 'text', originalText: 'Zebra crossing', isDeleted: false } }
  assert.equal(elementMaps(own).toJSON(), back)
  assert.equal(elementMaps(other).toJSON(), back)
  assert.is(waiting.size, 1)
  waiting.confirm()
  elementMaps(other).delete('note')
  Y.applyUpdate(own, Y.encodeStateAsUpdate(other), 'network')
  assert.equal(elementMaps(own).toJSON(), {}, 'once they are saved, it is deleted')
})

unsaved('words that the device stored in an earlier visit do, too', () => {
  const { write, deleteElsewhere, meet } = twoOf()
  deleteElsewhere()
  meet()
  write({ originalText: 'Zebra crossing' }, 'device')
  assert.equal(meet(), { type: 'text', originalText: 'Zebra crossing', isDeleted: false })
})

unsaved('a text whose words are saved stays deleted when somebody deletes it', () => {
  const { write, deleteElsewhere, meet, waiting } = twoOf()
  write({ originalText: 'Zebra crossing' })
  waiting.confirm()
  deleteElsewhere()
  assert.is(meet().isDeleted, true)
})

unsaved('what the user deleted, or only moved, stays deleted', () => {
  const deleted = twoOf()
  deleted.write({ originalText: 'Zebra crossing' })
  deleted.write({ isDeleted: true })
  deleted.deleteElsewhere()
  assert.is(deleted.meet().isDeleted, true)
  const moved = twoOf()
  moved.write({ geo: { x: 5, y: 5 } })
  moved.deleteElsewhere()
  assert.is(moved.meet().isDeleted, true)
})

unsaved('a change is reported when it is being sent, so that it does not count as saved', () => {
  const doc = new Y.Doc()
  const heard: string[] = []
  new Unsaved().observe(
    doc,
    () => 'device',
    () => heard.push('noted'),
  )
  doc.on('update', () => heard.push('sent'))
  elementMaps(doc).set('note', new Y.Map())
  assert.equal(heard, ['sent', 'noted'])
})

unsaved.run()
