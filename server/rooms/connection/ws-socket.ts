// A `ws` WebSocket as rooms use it: ws receives, checks and closes. Frames, which are built once for a whole room, are
// written directly to the TCP socket, because the sender of ws would build a header for every receiver.
import type { Socket as NetSocket } from 'node:net'
import type { RawData, WebSocket } from 'ws'
import type { Socket, SocketEvents } from '../ports.ts'

export class WsSocket implements Socket {
  readonly #ws: WebSocket
  readonly #net: NetSocket
  #isClosing = false

  /**
   * Takes over a socket whose upgrade is done, and pauses it: until `resume`, nothing is read.
   * @param net the socket that was upgraded; compression must be off.
   */
  constructor(ws: WebSocket, net: NetSocket) {
    this.#ws = ws
    this.#net = net
    ws.pause()
    // `close` follows every error and is handled there.
    ws.on('error', () => undefined)
  }

  get bufferedBytes(): number {
    return this.#net.writableLength
  }

  listen(events: SocketEvents): void {
    const ws = this.#ws
    if (ws.readyState === ws.CLOSED) {
      queueMicrotask(() => events.closed(1006, ''))
      return
    }
    const drained = () => events.drained()
    ws.on('message', (data, isBinary) => events.message(bytesOf(data), isBinary))
    ws.on('pong', () => events.heard())
    // ws refuses messages over its limit, invalid frames, and text that is not UTF-8. `close` follows.
    ws.on('error', (error) => {
      if ('code' in error && String(error.code).startsWith('WS_ERR_')) events.unreadable()
    })
    this.#net.on('drain', drained)
    ws.once('close', (code, reason) => {
      this.#net.off('drain', drained)
      this.#isClosing = true
      events.closed(code, reason.toString())
    })
  }

  write(...pieces: readonly Buffer[]): void {
    if (this.#isClosing || this.#ws.readyState !== this.#ws.OPEN) return
    const net = this.#net
    const [only] = pieces
    if (pieces.length === 1 && only !== undefined) {
      net.write(only)
      return
    }
    net.cork()
    for (const piece of pieces) net.write(piece)
    net.uncork()
  }

  pause(): void {
    if (!this.#isClosing) this.#ws.pause()
  }

  resume(): void {
    this.#ws.resume()
  }

  close(code: number, reason: string): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#ws.close(code, reason)
    // The peer's answer to the close must be read.
    this.#ws.resume()
  }

  terminate(): void {
    this.#isClosing = true
    this.#ws.terminate()
  }
}

const bytesOf = (data: RawData): Uint8Array => {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}
