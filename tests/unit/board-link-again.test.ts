// A board that another node has closed and opened again, of which only its current message was received.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LinkedBoard } from '../helpers/linked-board.ts'

const again = suite('a board reopened by another node')

again(
  'is followed from its first number on, even if neither its closing nor its opening was received',
  () => {
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
  },
)

again('shows its people, and none of the previous ones', () => {
  const linked = new LinkedBoard()
  linked.say({ kind: 'presence', isNews: true, entries: [], link: 1 })
  linked.say({ kind: 'presence', isNews: false, entries: [], link: 1 })
  assert.equal(linked.left, [])
  linked.say({ kind: 'presence', isNews: true, entries: [], link: 2 })
  assert.equal(linked.left, ['other'])
  linked.board.close()
})

again('by an older node, which does not announce it, is followed as before', () => {
  const linked = new LinkedBoard()
  linked.update(1, 10)
  linked.update(1, 11)
  linked.update(2, 20)
  assert.equal(linked.applied, [10, 20])
  linked.board.close()
})

again('during a read of the log: updates not committed since the reopening are still missing', async () => {
  const linked = new LinkedBoard()
  const { log, clock, board } = linked
  const nothing = { updates: [], authors: [], mark: null }
  let finish = () => {}
  log.readSince = () =>
    new Promise((resolve) => {
      log.looks++
      finish = () => resolve(nothing)
    })
  linked.say({ kind: 'state', seq: 5, committed: 5, quietMs: 0, writers: 0, link: 1 })
  await clock.advance(0)
  assert.is(log.looks, 1)
  linked.say({ kind: 'state', seq: 3, committed: 2, quietMs: 0, writers: 0, link: 2 })
  finish()
  log.readSince = async () => {
    log.looks++
    return nothing
  }
  await linked.pass(5)
  const before = log.looks
  await linked.pass(3)
  assert.ok(log.looks > before, 'the log is read until number 3 is committed')
  linked.say({ kind: 'committed', seq: 3, committed: 3, link: 2 })
  await linked.pass(3)
  const after = log.looks
  await linked.pass(3)
  assert.is(log.looks, after)
  board.close()
})

again.run()
