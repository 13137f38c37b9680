// The plain y-websocket protocol: [0 sync | 1 awareness] + body. The room is the URL path.
import * as encoding from 'lib0/encoding'
import { OP_BINARY } from '../load/light-socket.mjs'
import { cursor, readVarUint } from '../load/varint.mjs'

export const SYNC = 0
export const AWARENESS = 1
const STEP1 = 0
const STEP2 = 1
const UPDATE = 2

const EMPTY_STATE_VECTOR = Uint8Array.of(0)

/** Builds a message from small numbers and byte arrays (byte arrays get a length prefix). */
export function message(...parts) {
  const encoder = encoding.createEncoder()
  for (const part of parts) {
    if (typeof part === 'number') encoding.writeVarUint(encoder, part)
    else if (typeof part === 'string') encoding.writeVarString(encoder, part)
    else encoding.writeVarUint8Array(encoder, part)
  }
  return encoding.toUint8Array(encoder)
}

/** Reads one awareness update that starts at the cursor, reporting each client's clock. */
export function readAwareness(buf, handlers) {
  readVarUint(buf) // byte length
  const count = readVarUint(buf)
  for (let i = 0; i < count; i++) {
    const clientId = readVarUint(buf)
    const clock = readVarUint(buf)
    const length = readVarUint(buf)
    cursor.pos += length
    handlers.cursor(clientId, clock)
  }
}

/** Reads sync and awareness messages until `end`; several may share one frame. */
export function readMessages(buf, end, handlers) {
  while (cursor.pos < end) {
    const type = readVarUint(buf)
    if (type === SYNC) {
      const step = readVarUint(buf)
      const length = readVarUint(buf)
      const start = cursor.pos
      cursor.pos = start + length
      if (step === UPDATE) handlers.update(buf, start, start + length)
      else if (step === STEP2) handlers.step2(buf, start, start + length)
      else if (step === STEP1) handlers.step1()
      cursor.pos = start + length
    } else if (type === AWARENESS) {
      readAwareness(buf, handlers)
    } else {
      if (type === handlers.adapter.ackType) handlers.acked()
      return
    }
  }
}

export const yws = {
  name: 'y-websocket',
  crdt: true,
  opcode: OP_BINARY,
  path: (room) => `/${room}`,
  hello: (_room, stateVector = EMPTY_STATE_VECTOR) => [message(SYNC, STEP1, stateVector)],
  update: (_room, update) => message(SYNC, UPDATE, update),
  step2: (_room, update) => message(SYNC, STEP2, update),
  awareness: (_room, clientId, clock, state) =>
    message(AWARENESS, message(1, clientId, clock, JSON.stringify(state))),
  parse(buf, start, end, handlers) {
    cursor.pos = start
    readMessages(buf, end, handlers)
  },
}
