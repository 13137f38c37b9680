// Plain HTTP responses written directly to a socket: for upgrades that are refused, and for connections above the limit.
// A file of its own, so that the program can respond before the server is loaded.
import type { Duplex } from 'node:stream'

/**
 * Responds with one line of text and ends the socket.
 * @param status with its reason phrase, such as `404 Not Found`.
 * @param body one line of text, with its newline.
 * @param headers additional header lines, such as `Retry-After: 2`.
 */
export function answerPlainly(socket: Duplex, status: string, body: string, ...headers: string[]): void {
  const head = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    ...headers,
    'Content-Type: text/plain',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.on('error', () => socket.destroy()) // it is not our failure if the peer resets the connection meanwhile
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
