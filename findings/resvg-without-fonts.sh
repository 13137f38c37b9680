#!/usr/bin/env bash
# resvg: without system fonts, text is silently left out of the picture
#
# One would guess: If no font is found, text is drawn in a fallback font, or rendering fails, or there is at least
#   a warning.
# What happens: render() succeeds and the picture is empty where text should be. Containers often have no fonts at
#   all; `loadSystemFonts: false` has the same effect on any machine.
# Who runs into it: Thumbnails and exports made on a server: fine on a laptop, without text in production.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @resvg/resvg-js@2.6.2 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { Resvg } from '@resvg/resvg-js'

console.log('@resvg/resvg-js', JSON.parse(readFileSync('node_modules/@resvg/resvg-js/package.json')).version)
const draw = (content) => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="50">${content}</svg>`
  const { pixels } = new Resvg(svg, { font: { loadSystemFonts: false } }).render()
  return pixels.filter((_value, index) => index % 4 === 3).filter((alpha) => alpha > 0).length
}
const seen = {
  'a rectangle': draw('<rect x="5" y="5" width="20" height="10"/>'),
  'a rectangle and a text': draw('<rect x="5" y="5" width="20" height="10"/><text x="50" y="35" font-size="30">Hello</text>'),
}
console.log('inked pixels:', seen)
assert.deepEqual(Object.values(seen), [200, 200])
JS
node show.mjs
