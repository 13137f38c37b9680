// What a node tells others about its own commits.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LinkedBoard } from '../helpers/linked-board.ts'
import { settle } from '../helpers/rooms.ts'

const commits = suite('the commits of a node')

commits('are announced once per transaction, up to the first missing one', async () => {
  const { board, log, sent } = new LinkedBoard()
  log.isHandMade = true
  const tell = (byte: number) => {
    const update = Uint8Array.of(byte)
    board.tellUpdate(update, { authors: [], sideRows: null }, log.append('b', update, []))
  }
  for (const byte of [1, 2, 3]) tell(byte)
  const said = () => sent.flatMap((message) => (message.kind === 'committed' ? [message.committed] : []))
  const [, second, third] = log.queue
  second?.resolve()
  third?.resolve()
  await settle()
  assert.equal(said(), [])
  log.commit(1)
  await settle()
  assert.equal(said(), [3])
  tell(4)
  tell(5)
  log.commit()
  await settle()
  assert.equal(said(), [3, 5])
  board.close()
})

commits('of a crashed node are made here, with their side rows', async () => {
  const linked = new LinkedBoard()
  const { log } = linked
  log.isHandMade = true
  const edit = { elementId: 'e', change: 'created', oldValues: {}, newValues: { x: 1 } } as const
  const sideRows = {
    id: '7d9f0b0e-3b0c-4a55-9d3f-0d1f3f3a2b11',
    byAgents: [{ agentId: 'a', edits: [edit] }],
    trail: [{ action: 'restore' }],
    undone: ['7'],
  }
  linked.say({
    kind: 'update',
    seq: 1,
    committed: 0,
    update: Uint8Array.of(1),
    authors: [],
    link: 7,
    sideRows,
  })
  linked.say({ kind: 'update', seq: 2, committed: 0, update: Uint8Array.of(2), authors: [], link: 7 })
  assert.is(log.queue.length, 0)
  linked.heard.gone('other')
  assert.equal(
    log.queue.map((each) => [each.update[0], each.sideRows]),
    [
      [1, sideRows],
      [2, null],
    ],
  )
})

commits.run()
