// Builds the canvas into dist/canvas. Nothing in it may contact another host.
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'
import { appTexts } from './texts/app.ts'

const root = fileURLToPath(new URL('.', import.meta.url))
const outDir = join(root, '../dist/canvas')
const packages = createRequire(import.meta.url)
const excalidraw = dirname(packages.resolve('@excalidraw/excalidraw'))

/**
 * Hard-coded behaviour of Excalidraw 0.18 that must be different here:
 * - it always adds esm.sh as a second source for its fonts; ours are on this server, so nobody needs to contact it;
 * - it gives its font worker one second, and then does the work on the page, whose policy forbids that. A slow device
 * needs longer just to load it; an idle worker stays as long;
 * - moving, rotating or scaling many elements builds the set of their ids once for each of them: for 3,000, nine
 * million operations per frame. It is now built once per list;
 * - scaling frames collects all groups on the board once for each of its elements. Once is enough.
 */
const excalidrawHere = (): Plugin => {
  const replacements: [string, string][] = [
    // In the middle of a template literal, so that the second source is on this server as well.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is evaluated there, in the page
    ['https://esm.sh/', '${window.location.origin}/'],
    ['.ttl||1e3', '.ttl||3e4'],
    ['{simultaneouslyUpdated:Array.from(s)}', '{simultaneouslyUpdated:s}'],
    ['n={...n,...Tb(i,n,e)}', 'n.selectedGroupIds[i]||(n={...n,...Tb(i,n,e)})'],
    [
      'fb=e=>new Set((e||[]).map(t=>t.id))',
      'fb=e=>{if(!e)return new Set;let n=(fb.of??=new WeakMap).get(e);return n||fb.of.set(e,n=new Set(Array.from(e,t=>t.id))),n}',
    ],
  ]
  const missing = new Set(replacements.map(([from]) => from))
  return {
    name: 'excalidraw-here',
    transform(code, id) {
      if (!id.includes('@excalidraw/excalidraw')) return null
      let changed = code
      for (const [from, to] of replacements) {
        if (changed.includes(from)) missing.delete(from)
        changed = changed.replaceAll(from, to)
      }
      return changed === code ? null : { code: changed, map: null }
    },
    buildEnd(error) {
      if (error === undefined && missing.size > 0)
        this.error(`Excalidraw has changed: it has no ${[...missing].join(' and no ')} any more`)
    },
  }
}

const ownFonts = (): Plugin => ({
  name: 'own-fonts',
  apply: 'build',
  async closeBundle() {
    await rm(join(outDir, 'fonts'), { recursive: true, force: true })
    await cp(join(excalidraw, 'fonts'), join(outDir, 'fonts'), { recursive: true })
  },
})

/**
 * A board page starts with a small script that requests the drawing; the code that shows it is requested in parallel.
 */
const besideTheStart = (): Plugin => ({
  name: 'beside-the-start',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler(html, { bundle, filename }) {
      if (bundle === undefined || !filename.endsWith('board.html')) return
      const chunks = Object.values(bundle).filter((output) => output.type === 'chunk')
      const files = new Set<string>()
      const add = (chunk: (typeof chunks)[number] | undefined) => {
        if (chunk === undefined || files.has(chunk.fileName)) return
        files.add(chunk.fileName)
        for (const style of chunk.viteMetadata?.importedCss ?? []) files.add(style)
        for (const name of chunk.imports) add(chunks.find(({ fileName }) => fileName === name))
      }
      for (const module of ['main.tsx', 'pages/board.tsx'])
        add(chunks.find(({ moduleIds }) => moduleIds.includes(join(root, module))))
      return [...files]
        .filter((file) => !html.includes(file))
        .map((file) => ({
          tag: 'link',
          attrs: {
            rel: file.endsWith('.css') ? 'stylesheet' : 'modulepreload',
            crossorigin: true,
            href: `/${file}`,
            // After the drawing's picture and the drawing: together they are most of what a slow line transfers.
            fetchpriority: 'low',
          },
          injectTo: 'head',
        }))
    },
  },
})

/** The first content of a page: see client/first-look.html. */
const firstLook = (): Plugin => ({
  name: 'first-look',
  transformIndexHtml: {
    order: 'pre',
    async handler(html) {
      const look = await readFile(join(root, 'first-look.html'), 'utf8')
      const [style = '', body = ''] = look.slice(look.indexOf('<style>')).split(/(?=<div)/)
      return html
        .replace('<!-- first look -->', style.trimEnd())
        .replace(/<!-- first look: (brand|openingBoard) -->/, (_, words: 'brand' | 'openingBoard') =>
          body.trimEnd().replace('<!-- words -->', `${appTexts[words]} …`),
        )
    },
  },
})

/** A page is first painted when the styles named in its head are loaded: they come after its static content. */
const stylesLast = (): Plugin => ({
  name: 'styles-last',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler(html) {
      const styles = /^ *<link rel="stylesheet".*\n/gm
      const links = html.match(styles)?.join('') ?? ''
      return html.replace(styles, '').replace('  </body>', `${links}  </body>`)
    },
  },
})

/**
 * The files that the pages refer to, compressed as well as possible in advance, so that no visitor waits for
 * compression.
 */
const compressed = (): Plugin => ({
  name: 'compressed',
  apply: 'build',
  async writeBundle(_options, bundle) {
    const pages = Object.values(bundle).filter(({ fileName }) => fileName.endsWith('.html'))
    const named = pages.flatMap((page) =>
      'source' in page
        ? [...String(page.source).matchAll(/(?:href|src)="\/(assets\/[^"]+\.(?:js|css))"/g)].map(
            ([, file]) => file ?? '',
          )
        : [],
    )
    await Promise.all(
      [...new Set(named)].map(async (name) => {
        const content = await readFile(join(outDir, name))
        const params = {
          [constants.BROTLI_PARAM_QUALITY]: 10,
          [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
        }
        await writeFile(join(outDir, `${name}.br`), await promisify(brotliCompress)(content, { params }))
        await writeFile(join(outDir, `${name}.gz`), await promisify(gzip)(content, { level: 9 }))
      }),
    )
  },
})

export default defineConfig({
  root,
  base: '/',
  // Yjs' logging: the browser build includes a console rendered as HTML and a schema checker, which nobody calls.
  resolve: {
    alias: { 'lib0/logging': join(dirname(packages.resolve('lib0/package.json')), 'logging.node.js') },
  },
  plugins: [react(), excalidrawHere(), ownFonts(), besideTheStart(), firstLook(), stylesLast(), compressed()],
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    // Excalidraw and the diagram languages are large by nature; they are loaded on demand.
    chunkSizeWarningLimit: 3000,
    reportCompressedSize: false,
    rolldownOptions: {
      input: { index: join(root, 'index.html'), board: join(root, 'board.html') },
      output: {
        codeSplitting: {
          // The code that Excalidraw's font worker shares with the page stays out of the page's own chunk, which
          // needs a DOM.
          groups: [{ name: 'excalidraw-base', test: /excalidraw\/dist\/prod\/chunk-/, maxModuleSize: 4096 }],
        },
      },
    },
  },
  server: {
    port: 4401,
    proxy: { '/api': 'http://127.0.0.1:4400', '/ws': { target: 'ws://127.0.0.1:4400', ws: true } },
  },
})
