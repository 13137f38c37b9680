// A board that is drawn on continuously at another node, while its room here ends.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { encodeBoardMessage } from '../../server/rooms/nodes/messages.ts'
import type { BoardListener, Nodes } from '../../server/rooms/nodes/ports.ts'
import { settle, TestRooms } from '../helpers/rooms.ts'

const elsewhere = suite('a board that is drawn on elsewhere')

elsewhere('is closed here when the last person leaves, whatever is still drawn there', async () => {
  let heard: BoardListener | null = null
  const nodes: Nodes = {
    open(_boardId, listener) {
      heard = listener
      return {
        ready: Promise.resolve(),
        maxBytes: 1000,
        send: () => undefined,
        close: () => {
          heard = null
        },
      }
    },
  }
  const test = new TestRooms({}, { nodes })
  const { rooms, log } = test
  const { client } = await test.join()
  log.isHandMade = true
  const there = new Y.Doc()
  let seq = 0
  there.on('update', (update: Uint8Array) =>
    heard?.message(
      'other',
      encodeBoardMessage({ kind: 'update', seq: ++seq, committed: 0, update, authors: [] }),
    ),
  )
  const drawThere = () => there.getMap('elements').set('key', seq)
  drawThere()
  client.leave()
  await settle()
  drawThere()
  assert.is(log.queue.length, 1, 'what was applied here before is committed from here')
  log.commit()
  await settle()
  assert.is(rooms.stats().rooms, 0)
  assert.is(heard, null)
  assert.equal(log.committed('board').getMap('elements').toJSON(), { key: 0 })
})

elsewhere.run()
