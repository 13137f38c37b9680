#!/usr/bin/env bash
# DOMPurify: a stricter rule for URLs also removes allowed attributes that contain no URL
#
# One would guess: ALLOWED_URI_REGEXP says which URLs href and src may have; an attribute that is in ALLOWED_ATTR
#   and contains no URL stays.
# What happens: Every attribute that is not listed as safe must match the rule, so with /^https:/ the allowed
#   target, rel and colspan are silently removed. ADD_URI_SAFE_ATTR brings them back.
# Who runs into it: Pages that show formatted text and allow only https links: the links lose their rel="noopener",
#   and tables their merged cells.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund dompurify@3.5.0 jsdom@29.1.1 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import createDOMPurify from 'dompurify'
import { JSDOM } from 'jsdom'

console.log('dompurify', JSON.parse(readFileSync('node_modules/dompurify/package.json')).version)
const purify = createDOMPurify(new JSDOM('').window)
const link = '<a href="https://example.org/" target="_blank" rel="noopener">a link</a>'
const table = '<table><tbody><tr><td colspan="2">a cell</td></tr></tbody></table>'
const allowed = { ALLOWED_TAGS: ['a', 'table', 'tbody', 'tr', 'td'], ALLOWED_ATTR: ['href', 'target', 'rel', 'colspan'] }
const attributes = (options) =>
  [link, table].flatMap((html) => [...purify.sanitize(html, { ...allowed, ...options }).matchAll(/(\w+)="/g)].map(([, name]) => name)).join(' ')
const seen = {
  'the rule that comes with it': attributes({}),
  'https alone': attributes({ ALLOWED_URI_REGEXP: /^https:/i }),
  'https alone, the others called safe': attributes({ ALLOWED_URI_REGEXP: /^https:/i, ADD_URI_SAFE_ATTR: ['target', 'rel', 'colspan'] }),
}
console.table(seen)
assert.deepEqual(Object.values(seen), ['href target rel colspan', 'href', 'href target rel colspan'])
process.exit()
JS
node show.mjs
