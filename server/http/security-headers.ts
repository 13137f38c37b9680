// The headers that keep a page and an answer from being used against their reader. A route may set a stricter
// policy of its own (uploaded files do); it is never overwritten.
import type { MiddlewareHandler } from 'hono'
import type { HttpEnv } from '../routing/context.ts'

export interface SecurityHeaderSettings {
  /** Where people reach the server; https makes browsers remember to use nothing else. */
  publicUrl: string
  /** Origins that may show the pages in a frame; none by default. */
  frameAncestors: readonly string[]
}

/** Sets the headers on every answer. Pages get {@link pagePolicy}, everything else a policy that allows nothing. */
export function securityHeaders(settings: SecurityHeaderSettings): MiddlewareHandler<HttpEnv> {
  const ancestors =
    settings.frameAncestors.length === 0 ? "'none'" : ["'self'", ...settings.frameAncestors].join(' ')
  const forPages = `${pagePolicy}; frame-ancestors ${ancestors}`
  const forAnswers = `default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`
  const https = settings.publicUrl.startsWith('https:')
  return async (c, next) => {
    await next()
    const { headers } = c.res
    const isPage = headers.get('content-type')?.startsWith('text/html') ?? false
    if (!headers.has('content-security-policy')) {
      headers.set('content-security-policy', isPage ? forPages : forAnswers)
    }
    headers.set('x-content-type-options', 'nosniff')
    headers.set('referrer-policy', 'no-referrer')
    // On plain http only the machine itself counts as trustworthy; elsewhere browsers complain about the header.
    if (https || loopback.test(c.req.header('host') ?? ''))
      headers.set('cross-origin-opener-policy', 'same-origin')
    headers.set('permissions-policy', 'camera=(), microphone=(), geolocation=(), payment=()')
    if (isPage && settings.frameAncestors.length === 0) headers.set('x-frame-options', 'DENY')
    if (https) headers.set('strict-transport-security', 'max-age=31536000')
  }
}

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/

/**
 * For scripts that run as workers, which take their policy from their own answer. Cutting fonts for SVG export makes
 * JavaScript from strings (its WebAssembly glue does); a worker has no page that this could be turned against.
 */
export const workerPolicy = [
  `default-src 'none'`,
  `script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'`,
  `connect-src 'self' data: blob:`,
].join('; ')

/**
 * What the canvas needs and no more. Styles: Excalidraw sets style attributes. WebAssembly: it cuts fonts for SVG
 * export. Blobs and data URLs: images of a drawing, exports, workers made by the bundler.
 */
const pagePolicy = [
  `default-src 'self'`,
  `script-src 'self' 'wasm-unsafe-eval'`,
  `style-src 'self' 'unsafe-inline'`,
  `img-src 'self' data: blob:`,
  `font-src 'self' data:`,
  `connect-src 'self' data: blob:`,
  `worker-src 'self' blob:`,
  `manifest-src 'self'`,
  `object-src 'none'`,
  `frame-src 'none'`,
  `base-uri 'none'`,
  `form-action 'self'`,
].join('; ')
