#!/usr/bin/env bash
# uvu: a file whose hook throws, or whose suite is never run, exits with code 0
#
# One would guess: A test runner fails if a test or a hook throws. Tests that throw do fail.
# What happens: If before or after.each throws, uvu prints "0 / 1", does not mention the error, and exits with 0. A
#   suite without its .run() at the end is not even printed.
# Who runs into it: Suites whose database does not start in a before hook: they pass in continuous integration.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund uvu@0.5.6 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

console.log('uvu', JSON.parse(readFileSync('node_modules/uvu/package.json')).version)
const fail = `() => { throw new Error('on purpose') }`
const files = {
  'a test throws': `t('one', ${fail}); t.run()`,
  'before throws': `t.before(${fail}); t('one', () => {}); t.run()`,
  'after.each throws': `t.after.each(${fail}); t('one', () => {}); t.run()`,
  'a test throws, without .run()': `t('one', ${fail})`,
}
const seen = {}
for (const [what, body] of Object.entries(files)) {
  writeFileSync('one.test.mjs', `import { suite } from 'uvu'\nconst t = suite('hooks')\n${body}\n`)
  const { status, stdout } = spawnSync(process.execPath, ['one.test.mjs'], { encoding: 'utf8' })
  seen[what] = { exit: status, error: stdout.includes('on purpose'), passed: /Passed:\s+(\d+)/.exec(stdout)?.[1] ?? 'nothing printed' }
}
console.table(seen)
assert.deepEqual(Object.values(seen).map(({ exit }) => exit), [1, 0, 0, 0])
assert.deepEqual(Object.values(seen).map(({ error }) => error), [true, false, false, false])
JS
node show.mjs
