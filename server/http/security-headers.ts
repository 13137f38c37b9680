// Security headers of pages and responses. A route may set a stricter policy itself (uploaded files do), which is never
// overwritten.
import type { MiddlewareHandler } from 'hono'
import type { HttpEnv } from '../routing/context.ts'

export interface SecurityHeaderSettings {
  /** The public address; with https, browsers are told to use nothing else (HSTS). */
  publicUrl: string
  /** Origins that may embed the pages in a frame; none by default. */
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
    // Over plain http only localhost counts as trustworthy; elsewhere browsers complain about the header.
    if (https || loopback.test(c.req.header('host') ?? ''))
      headers.set('cross-origin-opener-policy', 'same-origin')
    headers.set('permissions-policy', 'camera=(), microphone=(), geolocation=(), payment=()')
    if (isPage && settings.frameAncestors.length === 0) headers.set('x-frame-options', 'DENY')
    if (https) headers.set('strict-transport-security', 'max-age=31536000')
  }
}

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/

/**
 * For worker scripts, whose policy comes from their own response. Subsetting fonts for SVG export evaluates strings as
 * JavaScript (its WebAssembly glue does); a worker has no page that this could be used against.
 */
export const workerPolicy = [
  `default-src 'none'`,
  `script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'`,
  `connect-src 'self' data: blob:`,
].join('; ')

/**
 * Only what the canvas needs. Styles: Excalidraw sets style attributes. WebAssembly: subsets fonts for SVG export.
 * Blobs and data URLs: images in drawings, exports, workers created by the bundler.
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
