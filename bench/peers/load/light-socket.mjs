// A minimal WebSocket client on a raw TCP socket.
//
// The load generator has one core and must receive more cheaply than the server sends, so the
// bulk clients avoid a general WebSocket library: all sockets share one read buffer, frames are
// parsed in place, and outgoing frames are built once and written as they are.

import { randomBytes } from 'node:crypto'
import net from 'node:net'

const READ_BUFFER = Buffer.allocUnsafe(256 * 1024)

export const OP_TEXT = 1
export const OP_BINARY = 2
export const OP_CLOSE = 8
const OP_PING = 9
const OP_PONG = 10

/**
 * Builds a client-to-server frame. The mask key is zero: the frame is valid, the server does its
 * usual unmasking work, and the generator saves the XOR.
 */
export function clientFrame(payload, opcode = OP_BINARY) {
  const length = payload.length
  const extra = length < 126 ? 0 : length < 65536 ? 2 : 8
  const frame = Buffer.allocUnsafe(6 + extra + length)
  frame[0] = 0x80 | opcode
  if (extra === 0) {
    frame[1] = 0x80 | length
  } else if (extra === 2) {
    frame[1] = 0x80 | 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 0x80 | 127
    frame.writeUInt32BE(0, 2)
    frame.writeUInt32BE(length, 6)
  }
  frame.fill(0, 2 + extra, 6 + extra)
  frame.set(payload, 6 + extra)
  return frame
}

export class LightSocket {
  /**
   * @param {object} options
   * @param {number} options.port
   * @param {string} options.path
   * @param {string} [options.subprotocol] offered in the handshake
   * @param {(buf: Buffer, start: number, end: number) => void} options.onMessage
   * @param {() => void} [options.onClose]
   */
  constructor({ port, path, subprotocol, onMessage, onClose }) {
    this.onMessage = onMessage
    this.onClose = onClose
    this.closed = false
    this.frames = 0
    this.bytes = 0
    this.rest = null // bytes of an incomplete header
    this.big = null // payload of a frame that spans several reads
    this.bigFilled = 0
    this.bigOpcode = 0
    this.upgraded = false
    this.opened = new Promise((resolve, reject) => {
      this.resolveOpened = resolve
      this.rejectOpened = reject
    })
    this.opened.catch(() => {})
    this.socket = net.connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: READ_BUFFER,
        callback: (size, buf) => {
          this.bytes += size
          this.read(buf, 0, size)
          return true
        },
      },
    })
    this.socket.on('connect', () => {
      this.socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          (subprotocol ? `Sec-WebSocket-Protocol: ${subprotocol}\r\n` : '') +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
      )
    })
    this.socket.on('error', (error) => this.rejectOpened(error))
    this.socket.on('close', () => {
      this.closed = true
      this.rejectOpened(new Error('closed before open'))
      this.onClose?.()
    })
  }

  /** Writes a frame made by `clientFrame`. */
  send(frame) {
    if (!this.closed) this.socket.write(frame)
  }

  close() {
    this.socket.destroy()
  }

  read(buf, start, end) {
    if (!this.upgraded) {
      const from = this.rest === null ? start : 0
      if (this.rest !== null) {
        buf = Buffer.concat([this.rest, buf.subarray(start, end)])
        end = buf.length
        this.rest = null
      }
      const headEnd = buf.subarray(from, end).indexOf('\r\n\r\n')
      if (headEnd < 0) {
        this.rest = Buffer.from(buf.subarray(from, end))
        return
      }
      const head = buf.latin1Slice(from, from + headEnd)
      if (!head.startsWith('HTTP/1.1 101')) {
        this.rejectOpened(new Error(`upgrade refused: ${head.split('\r\n')[0]}`))
        this.socket.destroy()
        return
      }
      this.upgraded = true
      this.resolveOpened()
      start = from + headEnd + 4
    }
    if (this.big !== null) {
      const take = Math.min(this.big.length - this.bigFilled, end - start)
      buf.copy(this.big, this.bigFilled, start, start + take)
      this.bigFilled += take
      start += take
      if (this.bigFilled < this.big.length) return
      const big = this.big
      this.big = null
      this.frame(this.bigOpcode, big, 0, big.length)
    }
    if (this.rest !== null) {
      buf = Buffer.concat([this.rest, buf.subarray(start, end)])
      start = 0
      end = buf.length
      this.rest = null
    }
    while (end - start >= 2) {
      const first = buf[start]
      let length = buf[start + 1]
      let headSize = 2
      if (length === 126) {
        headSize = 4
        if (end - start < headSize) break
        length = (buf[start + 2] << 8) | buf[start + 3]
      } else if (length === 127) {
        headSize = 10
        if (end - start < headSize) break
        length = buf.readUInt32BE(start + 6)
      } else if (length > 127) {
        throw new Error('masked frame from server')
      }
      if ((first & 0x80) === 0 || (first & 0x0f) === 0) throw new Error('fragmented frame from server')
      const payload = start + headSize
      if (payload + length > end) {
        this.big = Buffer.allocUnsafe(length)
        this.bigFilled = end - payload
        this.bigOpcode = first & 0x0f
        buf.copy(this.big, 0, payload, end)
        return
      }
      this.frame(first & 0x0f, buf, payload, payload + length)
      start = payload + length
    }
    if (start < end) this.rest = Buffer.from(buf.subarray(start, end))
  }

  frame(opcode, buf, start, end) {
    if (opcode === OP_BINARY || opcode === OP_TEXT) {
      this.frames++
      this.onMessage(buf, start, end)
    } else if (opcode === OP_PING) {
      this.send(clientFrame(buf.subarray(start, end), OP_PONG))
    } else if (opcode === OP_CLOSE) {
      this.socket.destroy()
    }
  }
}
