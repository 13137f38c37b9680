// Plain HTTP answers straight to a socket: to upgrades that get no WebSocket, and to connections that are too many.
// Apart from both, so that a program can answer before the server is loaded.
import type { Duplex } from 'node:stream'

/**
 * Answers with one line of text, and ends the socket. Nothing that it asked for is done.
 * @param status with its phrase, as `404 Not Found`.
 * @param body one line of text, with its newline.
 * @param headers whole lines beside the usual ones, as `Retry-After: 2`.
 */
export function answerPlainly(socket: Duplex, status: string, body: string, ...headers: string[]): void {
  const head = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    ...headers,
    'Content-Type: text/plain',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.on('error', () => socket.destroy()) // a peer that resets meanwhile is not our failure
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
