// A board that another node has closed and opened again, of which nothing was heard but what it says now.
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BoardLink, type LinkedRoom } from '../../server/rooms/nodes/board-link.ts'
import { type BoardMessage, encodeBoardMessage } from '../../server/rooms/nodes/messages.ts'
import type { BoardListener } from '../../server/rooms/nodes/ports.ts'
import { HandClock, HandLog } from '../helpers/rooms.ts'

const again = suite('a board that another node has opened again')

function linked() {
  let listener: BoardListener | null = null
  const applied: number[] = []
  const left: string[] = []
  const board = new BoardLink({
    boardId: 'b',
    log: new HandLog(),
    logger: pino({ level: 'silent' }),
    clock: new HandClock(),
    nodes: {
      open: (_, heard) => {
        listener = heard
        return { ready: Promise.resolve(), maxBytes: 1000, send: () => undefined, close: () => undefined }
      },
    },
  })
  const room: LinkedRoom = {
    applyForeign: (updates) => applied.push(...updates.map(([first]) => first ?? -1)),
    isIncomplete: false,
    foreignPresence: () => undefined,
    foreignNodeLeft: (nodeId) => left.push(nodeId),
    foreignEvent: () => undefined,
    foreignWriters: () => undefined,
    ownPresence: () => [],
    ownWriters: 0,
  }
  board.attach(room)
  const say = (message: BoardMessage) => listener?.message('other', encodeBoardMessage(message))
  const update = (seq: number, byte: number, link?: number) =>
    say({ kind: 'update', seq, committed: 0, update: Uint8Array.of(byte), authors: [], link })
  return { board, applied, left, say, update }
}

again('is heard from its first number on, though neither its end nor its beginning was heard', () => {
  const { board, applied, left, say, update } = linked()
  update(1, 10, 1)
  update(2, 20, 1)
  say({ kind: 'state', seq: 2, committed: 2, quietMs: 0, writers: 3, link: 1 })
  assert.is(board.writersElsewhere, 3)
  assert.equal(left, [])
  update(1, 11, 2)
  assert.equal(applied, [10, 20, 11])
  assert.equal([left, board.writersElsewhere], [['other'], 0], 'nobody of the former room is left')
  update(2, 21, 2)
  assert.equal(applied, [10, 20, 11, 21])
  assert.is(left.length, 1)
  board.close()
})

again('shows its people, and none of those who were there before', () => {
  const { board, left, say } = linked()
  say({ kind: 'presence', isNews: true, entries: [], link: 1 })
  say({ kind: 'presence', isNews: false, entries: [], link: 1 })
  assert.equal(left, [])
  say({ kind: 'presence', isNews: true, entries: [], link: 2 })
  assert.equal(left, ['other'])
  board.close()
})

again('by an older node, which does not say so, is heard as before', () => {
  const { board, applied, update } = linked()
  update(1, 10)
  update(1, 11)
  update(2, 20)
  assert.equal(applied, [10, 20])
  board.close()
})

again.run()
