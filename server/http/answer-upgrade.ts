// Plain HTTP answers to upgrades that get no WebSocket. Apart from the joins, so that a program can answer before the
// server is loaded.
import type { Duplex } from 'node:stream'

/**
 * Answers an upgrade with a plain HTTP response, and ends its socket.
 * @param status with its phrase, as `404 Not Found`.
 * @param body one line of text, with its newline.
 * @param headers whole lines beside the usual ones, as `Retry-After: 2`.
 */
export function answerUpgrade(socket: Duplex, status: string, body: string, ...headers: string[]): void {
  const head = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    ...headers,
    'Content-Type: text/plain',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.on('error', () => socket.destroy())
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
