// Hocuspocus: every message starts with the document name; an auth message comes first.

import { OP_BINARY } from '../load/light-socket.mjs'
import { cursor, readVarUint } from '../load/varint.mjs'
import { AWARENESS, message, readMessages, SYNC } from './yws.mjs'

const AUTH = 2
const AUTH_TOKEN = 0
const SYNC_REPLY = 4
const SYNC_STATUS = 8
const EMPTY_STATE_VECTOR = Uint8Array.of(0)

export const hocuspocus = {
  name: 'hocuspocus',
  crdt: true,
  opcode: OP_BINARY,
  path: () => '/',
  hello: (room, stateVector = EMPTY_STATE_VECTOR) => [
    message(room, AUTH, AUTH_TOKEN, 'token', '4.0.0'),
    message(room, SYNC, 0, stateVector),
  ],
  update: (room, update) => message(room, SYNC, 2, update),
  step2: (room, update) => message(room, SYNC, 1, update),
  awareness: (room, clientId, clock, state) =>
    message(room, AWARENESS, message(1, clientId, clock, JSON.stringify(state))),
  parse(buf, start, end, handlers) {
    cursor.pos = start
    const nameLength = readVarUint(buf)
    cursor.pos += nameLength
    if (buf[cursor.pos] === SYNC_REPLY) {
      // The same body as a sync message; sent in response to step 1.
      if (buf[cursor.pos + 1] === 0) handlers.step1()
      return
    }
    if (buf[cursor.pos] === SYNC_STATUS) handlers.acked()
    else readMessages(buf, end, handlers)
  },
}
