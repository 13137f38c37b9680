// Serves the built client from a folder. Only files found when listing the folder are served, so the path of a request
// never reaches the file system.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { MiddlewareHandler } from 'hono'
import type { HttpEnv } from '../routing/context.ts'
import { workerPolicy } from './security-headers.ts'

const gzipAsync = promisify(gzip)

/** Boards have their own page, which requests the drawing first. */
const boardRoute = /^\/(b|embed)\/[^/]+\/?$/
/** Paths of the client's other pages: they all get index.html, and the client routes by the path. */
const pageRoutes = [
  /^\/$/,
  /^\/boards\/[^/]+\/(audit|record)\/?$/,
  /^\/(folders|admin)\/[^/]+\/?$/,
  /^\/(setup|sign-in|sign-up|invite|reset|audit|admin|account|trash|agents|consent|templates|records)\/?$/,
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
/** Vite puts a content hash into these names, and Excalidraw into those of its fonts, so the files never change. */
const immutable = /^\/assets\/|-[\w-]{8}\.\w+$|^\/fonts\/.+-[0-9a-f]{32}\.woff2$/
/** The worker that cuts fonts: the only script that needs more than pages may. */
const workerScript = /^\/assets\/subset-worker[\w.-]*\.js$/
/** Encodings that the build has precompressed, best first, with their file extensions. */
const ready = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const
const relistAfterMs = 1_000

interface Answer {
  body: Uint8Array<ArrayBuffer>
  etag: string
  encoding: string | null
}

/**
 * Serves `folder`, and its pages for the paths of the client; precompressed by the build, or compressed once here.
 * Files that never change are cached as sent: about 2 MB once every script of the client was requested.
 * @param folder absolute; it may be created later, if the client is built while the server runs.
 */
export function staticClient(folder: string): MiddlewareHandler<HttpEnv> {
  let listing: { paths: Map<string, string>; at: number } | undefined
  const kept = new Map<string, Promise<Answer>>()

  const find = async (path: string): Promise<string | undefined> => {
    if (listing === undefined || (!listing.paths.has(path) && Date.now() - listing.at > relistAfterMs)) {
      listing = { paths: await listFiles(folder), at: Date.now() }
      kept.clear() // the client was rebuilt
    }
    return listing.paths.get(path)
  }

  /** The file in the best `accepted` encoding. */
  const encode = async (path: string, file: string, accepted: string): Promise<Answer> => {
    const type = typeOf(file)
    if (compressible.test(type)) {
      for (const [encoding, ending] of ready) {
        const small = takes(accepted, encoding) ? listing?.paths.get(path + ending) : undefined
        if (small !== undefined) return answerOf(await readFile(small), encoding)
      }
    }
    const content = await readFile(file)
    return compressible.test(type) && content.length >= 1024 && takes(accepted, 'gzip')
      ? answerOf(await gzipAsync(content, { level: 7 }), 'gzip')
      : answerOf(content, null)
  }

  const answer = (path: string, file: string, accepted: string): Promise<Answer> => {
    if (!immutable.test(path) || !compressible.test(typeOf(file))) return encode(path, file, accepted)
    const key = `${ready.filter(([encoding]) => takes(accepted, encoding)).join()} ${path}`
    let known = kept.get(key)
    if (known === undefined) {
      known = encode(path, file, accepted)
      kept.set(key, known)
      known.catch(() => kept.delete(key))
    }
    return known
  }

  /** Null if a new build has removed the file; then the folder is listed again. */
  const ifThere = (error: unknown): null => {
    if (!isMissing(error)) throw error
    listing = undefined
    return null
  }

  return async (c, next) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return next()
    const { path } = c.req
    const isBoard = boardRoute.test(path)
    const isPage = isBoard || pageRoutes.some((pattern) => pattern.test(path))
    let wanted = isBoard ? '/board.html' : isPage ? '/index.html' : path
    let file = isPage || !isReserved(path) ? await find(wanted) : undefined
    // A mistyped address in a browser gets a page, not JSON.
    if (file === undefined && !isPage && !isReserved(path) && isNavigation(c.req.header('accept'))) {
      wanted = '/index.html'
      file = await find(wanted)
      c.status(404)
    }
    const found =
      file === undefined
        ? null
        : await answer(wanted, file, c.req.header('accept-encoding') ?? '').catch(ifThere)
    if (found === null) {
      if (!isPage) return next()
      return c.text(
        'The client is not built: run "npm run build:client", or wait until the build is done.\n',
        503,
      )
    }
    if (workerScript.test(path)) c.header('content-security-policy', workerPolicy)
    const { body, etag, encoding } = found
    c.header('content-type', typeOf(wanted))
    c.header('etag', etag)
    c.header('cache-control', immutable.test(wanted) ? 'public, max-age=31536000, immutable' : 'no-cache')
    c.header('vary', 'accept-encoding')
    if (c.req.header('if-none-match')?.split(/,\s*/).includes(etag)) return c.body(null, 304)
    if (encoding !== null) c.header('content-encoding', encoding)
    return c.body(body)
  }
}

const typeOf = (file: string): string => types[extname(file)] ?? 'application/octet-stream'

const takes = (accepted: string, encoding: string): boolean =>
  accepted
    .split(',')
    .some((part) => part.trim().split(';')[0] === encoding && !/;\s*q=0(\.0*)?\s*$/.test(part))

const answerOf = (content: Buffer, encoding: string | null): Answer => ({
  body: new Uint8Array(content),
  etag: `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`,
  encoding,
})

const isNavigation = (accept: string | undefined): boolean => accept?.includes('text/html') === true

/** Paths that belong to the server, for which the folder is not consulted. */
const isReserved = (path: string): boolean => /^\/(api|ws)(\/|$)/.test(path)

/** URL path -> file. Empty if the folder does not exist yet. */
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
    if (isMissing(error)) return new Map()
    throw error
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'
