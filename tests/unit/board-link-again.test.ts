// A board that another node has closed and opened again, of which nothing was heard but what it says now.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LinkedBoard } from '../helpers/linked-board.ts'

const again = suite('a board that another node has opened again')

again('is heard from its first number on, though neither its end nor its beginning was heard', () => {
  const linked = new LinkedBoard()
  const { board, applied, left } = linked
  linked.update(1, 10, 1)
  linked.update(2, 20, 1)
  linked.say({ kind: 'state', seq: 2, committed: 2, quietMs: 0, writers: 3, link: 1 })
  assert.is(board.writersElsewhere, 3)
  assert.equal(left, [])
  linked.update(1, 11, 2)
  assert.equal(applied, [10, 20, 11])
  assert.equal([left, board.writersElsewhere], [['other'], 0], 'nobody of the former room is left')
  linked.update(2, 21, 2)
  assert.equal(applied, [10, 20, 11, 21])
  assert.is(left.length, 1)
  board.close()
})

again('shows its people, and none of those who were there before', () => {
  const linked = new LinkedBoard()
  linked.say({ kind: 'presence', isNews: true, entries: [], link: 1 })
  linked.say({ kind: 'presence', isNews: false, entries: [], link: 1 })
  assert.equal(linked.left, [])
  linked.say({ kind: 'presence', isNews: true, entries: [], link: 2 })
  assert.equal(linked.left, ['other'])
  linked.board.close()
})

again('by an older node, which does not say so, is heard as before', () => {
  const linked = new LinkedBoard()
  linked.update(1, 10)
  linked.update(1, 11)
  linked.update(2, 20)
  assert.equal(linked.applied, [10, 20])
  linked.board.close()
})

again.run()
