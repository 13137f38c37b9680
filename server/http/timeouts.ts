// How long a request may take to arrive. For the owner of the HTTP server.
import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * For `http.createServer`: heads within 10 s; whole requests within a minute, because 20 MiB of an image take that
 * long on a slow line. Node looks only every 30 s by default, which would make 40 s of the 10.
 */
export const serverTimeouts = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 1_000,
} as const

const requestMs = 15_000
const uploadPath = /^\/api\/boards\/[^/]+\/(files\/|thumbnail|import)/

/** Ends a request, unless it is an upload, that has not arrived within 15 s, with 408. */
export function endSlowRequest(
  request: IncomingMessage,
  response: ServerResponse,
  withinMs = requestMs,
): void {
  if (request.complete || uploadPath.test(request.url ?? '')) return
  const timer = setTimeout(() => {
    // It arrived, and nobody has read that it ended: the answer is a stream that goes on.
    if (request.complete) return
    if (!response.headersSent) response.writeHead(408, { connection: 'close', 'content-length': 0 }).end()
    request.socket.destroySoon()
  }, withinMs)
  const clear = () => clearTimeout(timer)
  request.once('end', clear).once('close', clear)
}
