// Builds the canvas into dist/canvas. Nothing in it may ask another host for anything.
import { cp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const root = fileURLToPath(new URL('.', import.meta.url))
const outDir = join(root, '../dist/canvas')
const excalidraw = dirname(createRequire(import.meta.url).resolve('@excalidraw/excalidraw'))

/** Excalidraw 0.18 always adds esm.sh as a second source of its fonts; with ours there, nobody needs to ask it. */
const noForeignFonts = (): Plugin => ({
  name: 'no-foreign-fonts',
  transform(code, id) {
    if (!id.includes('@excalidraw/excalidraw') || !code.includes('https://esm.sh/')) return null
    // In the middle of a template literal, so that the second source is on this server as well.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is to be evaluated there, in the page
    const changed = code.replaceAll('https://esm.sh/', '${window.location.origin}/')
    return { code: changed, map: null }
  },
})

const ownFonts = (): Plugin => ({
  name: 'own-fonts',
  apply: 'build',
  async closeBundle() {
    await rm(join(outDir, 'fonts'), { recursive: true, force: true })
    await cp(join(excalidraw, 'fonts'), join(outDir, 'fonts'), { recursive: true })
  },
})

export default defineConfig({
  root,
  base: '/',
  plugins: [react(), noForeignFonts(), ownFonts()],
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    // Excalidraw and the diagram languages are large by nature; they are loaded when they are needed.
    chunkSizeWarningLimit: 3000,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What Excalidraw's font worker shares with the page stays out of the page's own chunk: that one needs a DOM.
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
