// The built client, served from a folder. Only what a listing of the folder found can be asked for, so no path in a
// request ever reaches the file system.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { MiddlewareHandler } from 'hono'
import type { HttpEnv } from './context.ts'
import { workerPolicy } from './security-headers.ts'

const gzipAsync = promisify(gzip)

/** Boards have a page of their own, which starts by asking for the drawing. */
const boardRoute = /^\/b\/[^/]+\/?$/
/** Addresses of the client's other pages: they all get index.html, and the client looks at the address. */
const pageRoutes = [
  /^\/$/,
  /^\/boards\/[^/]+\/audit\/?$/,
  /^\/(setup|sign-in|sign-up|invite|audit|admin|account|trash)(\/[^/]*)?$/,
]

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.ttf': 'font/ttf',
}
const compressible = /^(text\/|application\/(json|manifest|wasm)|image\/svg)/
/** Vite puts a hash of the content into these names: they never change. */
const immutable = /^\/assets\/|-[\w-]{8}\.\w+$/
/** Scripts that the client starts as workers. */
const workerScript = /^\/assets\/[\w.-]*worker[\w.-]*\.js$/
const relistAfterMs = 1_000

/**
 * Serves `folder`, and index.html for the client's own addresses. Compressed files are made once and kept: as much
 * memory as the folder's text takes compressed (about 2 MB).
 * @param folder absolute; it may come into being later, when the client is built while the server runs.
 */
export function staticClient(folder: string): MiddlewareHandler<HttpEnv> {
  let listing: { paths: Map<string, string>; at: number } | undefined
  const compressed = new Map<string, Promise<Buffer>>()

  const find = async (path: string): Promise<string | undefined> => {
    if (listing === undefined || (!listing.paths.has(path) && Date.now() - listing.at > relistAfterMs)) {
      listing = { paths: await listFiles(folder), at: Date.now() }
      compressed.clear() // the client was built anew
    }
    return listing.paths.get(path)
  }

  return async (c, next) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return next()
    const path = c.req.path
    const isBoard = boardRoute.test(path)
    const isPage = isBoard || pageRoutes.some((pattern) => pattern.test(path))
    const wanted = isBoard ? '/board.html' : isPage ? '/index.html' : path
    const file = isPage || !isReserved(path) ? await find(wanted) : undefined
    if (file === undefined) {
      if (!isPage) return next()
      return c.text(
        'The client is not built: run "npm run build:client", or wait until the build is done.\n',
        503,
      )
    }
    if (workerScript.test(path)) c.header('content-security-policy', workerPolicy)
    const type = types[extname(file)] ?? 'application/octet-stream'
    const content = await readFile(file)
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`
    c.header('content-type', type)
    c.header('etag', etag)
    c.header(
      'cache-control',
      !isPage && immutable.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    )
    c.header('vary', 'accept-encoding')
    if (c.req.header('if-none-match')?.split(/,\s*/).includes(etag)) return c.body(null, 304)
    if (
      !compressible.test(type) ||
      content.length < 1024 ||
      !/\bgzip\b/.test(c.req.header('accept-encoding') ?? '')
    ) {
      return c.body(new Uint8Array(content))
    }
    const key = file + etag
    let small = compressed.get(key)
    if (small === undefined) {
      small = gzipAsync(content, { level: 7 })
      compressed.set(key, small)
      small.catch(() => compressed.delete(key))
    }
    c.header('content-encoding', 'gzip')
    return c.body(new Uint8Array(await small))
  }
}

/** Paths that belong to the server and are not worth a look into the folder. */
const isReserved = (path: string): boolean => /^\/(api|ws)(\/|$)/.test(path)

/** URL path -> file. Empty where there is no such folder yet. */
async function listFiles(folder: string): Promise<Map<string, string>> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return new Map(
      entries
        .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
        .map((entry) => {
          const file = join(entry.parentPath, entry.name)
          return [`/${relative(folder, file).split(sep).join('/')}`, file]
        }),
    )
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map()
    throw error
  }
}
