#!/usr/bin/env bash
# Excalidraw: if two elements have the same id, restore gives the second a new id each time, and its label to the first
#
# One would guess: Restoring the same drawing twice gives the same drawing, and a shape keeps the text inside it.
# What happens: The second shape gets a random id, a different one at every restore. The text that belongs to it
#   still refers to the old id, so the first shape now has two texts and the second has none.
# Who runs into it: Shared boards: two windows that open the same file hold different elements, and both add
#   theirs. Files with duplicate ids come from programs that copy parts of a drawing.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --legacy-peer-deps @excalidraw/excalidraw@0.18.1 react@19.3.1 react-dom@19.3.1 jsdom@29.1.1 esbuild@0.28.2 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { JSDOM } from 'jsdom'

// As much of a browser as the package asks for while it loads.
const { window } = new JSDOM('<!doctype html><body></body>', { url: 'http://localhost/' })
window.matchMedia = () => ({ matches: false, addEventListener() {}, addListener() {} })
window.HTMLCanvasElement.prototype.getContext = () => ({ filter: 'none', measureText: (text) => ({ width: 8 * text.length }) })
window.FontFace = class {}
const names = ['document', 'navigator', 'HTMLElement', 'Element', 'Node', 'DOMParser', 'localStorage', 'location', 'FontFace', 'matchMedia', 'devicePixelRatio']
Object.defineProperty(globalThis, 'window', { value: window, configurable: true })
for (const name of names) Object.defineProperty(globalThis, name, { value: window[name], configurable: true })
const { restoreElements } = await import('@excalidraw/excalidraw')

console.log('@excalidraw/excalidraw', JSON.parse(readFileSync('node_modules/@excalidraw/excalidraw/package.json')).version)
const common = { x: 0, y: 0, width: 100, height: 50, angle: 0, strokeColor: '#000', backgroundColor: 'transparent', fillStyle: 'solid', strokeWidth: 1 }
const more = { strokeStyle: 'solid', roughness: 1, opacity: 100, groupIds: [], frameId: null, roundness: null, seed: 1, version: 1, versionNonce: 1 }
const element = (own) => ({ ...common, ...more, isDeleted: false, boundElements: null, updated: 1, link: null, locked: false, ...own })
const shape = (x, text) => element({ id: 'shape', type: 'rectangle', x, boundElements: [{ id: text, type: 'text' }] })
const label = (id, x) => element({ id, x, type: 'text', text: id, originalText: id, fontSize: 20, fontFamily: 1, textAlign: 'left', verticalAlign: 'top', containerId: 'shape', lineHeight: 1.25, autoResize: true })
const drawing = [shape(0, 'one'), label('one', 0), shape(500, 'two'), label('two', 500)]
const restore = () => restoreElements(structuredClone(drawing), null, { repairBindings: true })
const [once, again] = [restore(), restore()]
const second = (elements) => elements.filter(({ type }) => type === 'rectangle')[1].id
const seen = {
  'ids are unique': new Set(once.map(({ id }) => id)).size === drawing.length,
  'the second shape has one id in both': second(once) === second(again),
  'the text of the second shape names it': once.find(({ id }) => id === 'two').containerId === second(once),
}
console.table(seen)
assert.deepEqual(Object.values(seen), [true, false, false])
process.exit()
JS
npx esbuild show.mjs --bundle --platform=node --format=esm --outfile=bundle.mjs --external:jsdom --loader:.woff2=empty --log-level=error "--banner:js=import {createRequire} from 'node:module'; const require = createRequire(import.meta.url);"
node bundle.mjs
