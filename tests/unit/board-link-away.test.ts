// What a node did with a board while nobody heard it: the others find out, whatever was lost.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LinkedBoard } from '../helpers/linked-board.ts'

const away = suite('a board of a node that was away')

const state = { kind: 'state', seq: 1, committed: 1, quietMs: 0, writers: 1, link: 1 } as const

/** Another node has the board, and all of its messages were received. */
async function withOther(): Promise<LinkedBoard> {
  const linked = new LinkedBoard()
  linked.update(1, 10, 1)
  linked.say(state)
  await linked.pass(1)
  assert.equal([linked.left, linked.log.looks], [[], 0])
  return linked
}

away(
  'counts as closed there, unless the node announces it: its people disappear, and the log is checked',
  async () => {
    const linked = await withOther()
    linked.heard.otherBackAgain('other')
    await linked.pass(2)
    assert.equal(linked.left, [], 'it may be about to speak')
    await linked.pass(3)
    assert.equal(linked.left, ['other'])
    assert.ok(linked.log.looks > 0)
    assert.is(linked.board.writersElsewhere, 0)
    linked.board.close()
  },
)

away('counts as open there if the node announces it: its people stay', async () => {
  const linked = await withOther()
  linked.heard.otherBackAgain('other')
  linked.say(state)
  await linked.pass(10)
  assert.equal([linked.left, linked.board.writersElsewhere], [[], 1])
  linked.board.close()
})

away('is doubted in the same way by a node that heard nobody', async () => {
  const linked = await withOther()
  linked.say({ ...state, seq: 0, committed: 0 }, 'third')
  linked.heard.backAgain()
  assert.ok(linked.sent.some(({ kind }) => kind === 'opened'))
  linked.say({ ...state, seq: 0, committed: 0 }, 'third')
  await linked.pass(5)
  assert.equal(linked.left, ['other'])
  linked.board.close()
})

away(
  'that stops cleanly needs no log check if all messages were received, and one if any was lost',
  async () => {
    const linked = await withOther()
    linked.say({ kind: 'closed', seq: 1, link: 1 })
    await linked.pass(3)
    assert.is(linked.log.looks, 0)
    linked.update(1, 10, 2)
    linked.say({ kind: 'closed', seq: 3, link: 2 })
    await linked.pass(1)
    assert.ok(linked.log.looks > 0)
    linked.say({ kind: 'closed' }, 'older')
    linked.board.close()
  },
)

away('is checked for a moment more: the node’s last update may appear in the log late', async () => {
  const linked = await withOther()
  linked.heard.gone('other')
  await linked.pass(1)
  const { looks } = linked.log
  await linked.pass(2)
  assert.ok(looks > 0 && linked.log.looks > looks)
  const last = linked.log.looks
  await linked.pass(5)
  assert.ok(linked.log.looks <= last + 1, 'and not for ever')
  linked.board.close()
})

away(
  'is committed from here as far as it was received, under a number whose gap other nodes notice',
  async () => {
    const linked = new LinkedBoard()
    linked.update(1, 10, 1)
    linked.update(2, 20, 1)
    linked.heard.gone('other')
    await linked.pass(1)
    assert.is(linked.log.boards.get('b')?.updates.length, 2)
    const committed = linked.sent.filter(({ kind }) => kind === 'committed').at(-1)
    assert.equal(committed?.kind === 'committed' && [committed.seq, committed.committed], [2, 2])
    assert.not.ok(
      linked.sent.some(({ kind }) => kind === 'update'),
      'and is not sent round again',
    )
    linked.board.close()
  },
)

away.run()
