#!/usr/bin/env bash
# Excalidraw: with any options, restore keeps a text inside a deleted shape, and an arrow bound to it
#
# One would guess: restoreElements with repairBindings repairs references to missing elements, so that every
#   remaining element can be used.
# What happens: It repairs references to elements that are not in the list. If a deleted element is still listed,
#   as in every collaborative scene, the text keeps its containerId and the arrow its binding: such a text is drawn
#   but cannot be selected.
# Who runs into it: Shared boards: one person deletes a shape while another adds a text to it.
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
const bound = [{ id: 'text', type: 'text' }, { id: 'arrow', type: 'arrow' }]
const shape = element({ id: 'shape', type: 'rectangle', isDeleted: true, boundElements: bound })
const text = element({ id: 'text', type: 'text', text: 'hi', originalText: 'hi', fontSize: 20, fontFamily: 1, textAlign: 'left', verticalAlign: 'top', containerId: 'shape', lineHeight: 1.25, autoResize: true })
const arrow = element({ id: 'arrow', type: 'arrow', points: [[0, 0], [100, 0]], startBinding: { elementId: 'shape', focus: 0, gap: 1 }, endBinding: null, startArrowhead: null, endArrowhead: 'arrow', lastCommittedPoint: null, elbowed: false })
const references = (elements) => {
  const restored = restoreElements(elements, null, { repairBindings: true, refreshDimensions: true, deleteInvisibleElements: true })
  const of = (id) => restored.find((one) => one.id === id)
  return { container: of('text').containerId, 'start of the arrow': of('arrow').startBinding?.elementId ?? null }
}
const seen = { 'the shape is missing': references([text, arrow]), 'the shape is deleted': references([shape, text, arrow]) }
console.table(seen)
assert.deepEqual(Object.values(seen), [
  { container: null, 'start of the arrow': null },
  { container: 'shape', 'start of the arrow': 'shape' },
])
process.exit()
JS
npx esbuild show.mjs --bundle --platform=node --format=esm --outfile=bundle.mjs --external:jsdom --loader:.woff2=empty --log-level=error "--banner:js=import {createRequire} from 'node:module'; const require = createRequire(import.meta.url);"
node bundle.mjs
