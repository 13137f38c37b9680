// Server WebSocket frames (RFC 6455: binary, final, unmasked). Each is built once, as one buffer that all sockets of a room
// share. Not allocated from Node's pool, because slow sockets and joins keep them for long.
import { encodePing, MessageType } from '../../shared/protocol.ts'
import { varUintBytes, writeVarUint } from '../documents/var-uint.ts'

const finalBinary = 0x82
const headBytes = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10)

/** A frame with a copy of `payload`. */
export const frameOf = (payload: Uint8Array): Buffer => {
  const frame = Buffer.allocUnsafeSlow(headBytes(payload.length) + payload.length)
  frame.set(payload, writeHead(frame, payload.length))
  return frame
}

/** The bytes before the body in the frame of a sync message, for bodies that are sent without a copy. */
export const syncHead = (step: number, bodyLength: number): Buffer => {
  const payloadLength = 2 + varUintBytes(bodyLength) + bodyLength
  const head = Buffer.allocUnsafeSlow(headBytes(payloadLength) + payloadLength - bodyLength)
  writeSyncHead(head, step, bodyLength, payloadLength)
  return head
}

/** The frame of a sync message with a copy of `body`. */
export const syncFrame = (step: number, body: Uint8Array): Buffer => {
  const payloadLength = 2 + varUintBytes(body.length) + body.length
  const frame = Buffer.allocUnsafeSlow(headBytes(payloadLength) + payloadLength)
  frame.set(body, writeSyncHead(frame, step, body.length, payloadLength))
  return frame
}

/** An awareness frame with encoded entries (client id, clock, state). */
export const awarenessFrame = (entries: readonly Uint8Array[]): Buffer => {
  let bodyLength = varUintBytes(entries.length)
  for (const entry of entries) bodyLength += entry.length
  const payloadLength = 1 + varUintBytes(bodyLength) + bodyLength
  const frame = Buffer.allocUnsafeSlow(headBytes(payloadLength) + payloadLength)
  let at = writeHead(frame, payloadLength)
  frame[at++] = MessageType.awareness
  at = writeVarUint(frame, at, bodyLength)
  at = writeVarUint(frame, at, entries.length)
  for (const entry of entries) {
    frame.set(entry, at)
    at += entry.length
  }
  return frame
}

/** An awareness message without entries: the shortest message that a stock client accepts as a sign of life. */
export const keepAliveFrame: Buffer = awarenessFrame([])

/** The answer to a ping message. */
export const answerToPing: Buffer = frameOf(encodePing())

/** An empty WebSocket ping. */
export const pingFrame: Buffer = Buffer.from([0x89, 0])

function writeSyncHead(frame: Buffer, step: number, bodyLength: number, payloadLength: number): number {
  const at = writeHead(frame, payloadLength)
  frame[at] = MessageType.sync
  frame[at + 1] = step
  return writeVarUint(frame, at + 2, bodyLength)
}

function writeHead(frame: Buffer, payloadLength: number): number {
  frame[0] = finalBinary
  if (payloadLength < 126) {
    frame[1] = payloadLength
    return 2
  }
  if (payloadLength < 65_536) {
    frame[1] = 126
    return frame.writeUInt16BE(payloadLength, 2)
  }
  frame[1] = 127
  frame.writeUInt32BE(0, 2)
  return frame.writeUInt32BE(payloadLength, 6)
}
