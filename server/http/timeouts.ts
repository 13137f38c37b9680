// How long a request may take to arrive. For whoever creates the HTTP server.
import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * For `http.createServer`: headers within 10 s; whole requests within a minute, because an image of 20 MiB takes that
 * long on a slow connection. By default Node checks only every 30 s, which would turn the 10 s into 40.
 */
export const serverTimeouts = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 1_000,
} as const

const requestMs = 15_000
const uploadPath = /^\/api\/boards\/[^/]+\/(files\/|thumbnail|import)/

/** Ends a request with 408 if it has not arrived within 15 s, unless it is an upload. */
export function endSlowRequest(
  request: IncomingMessage,
  response: ServerResponse,
  withinMs = requestMs,
): void {
  if (request.complete || uploadPath.test(request.url ?? '')) return
  const timer = setTimeout(() => {
    // It has arrived, but its end was not read: the response is a stream that is still open.
    if (request.complete) return
    if (!response.headersSent) response.writeHead(408, { connection: 'close', 'content-length': 0 }).end()
    request.socket.destroySoon()
  }, withinMs)
  const clear = () => clearTimeout(timer)
  request.once('end', clear).once('close', clear)
}
