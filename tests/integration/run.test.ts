// The runner of these tests, on files that uvu would pass in silence.
import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withFolder } from '../helpers/folder.ts'

const runner = suite('the test runner')
const program = fileURLToPath(import.meta.resolve('../run.js'))
const header = `import { suite } from '${import.meta.resolve('uvu')}'\nconst s = suite('x')\n`

/** Runs a file with `body` and returns the last line, everything printed and the exit code. */
const run = (body: string, env: Record<string, string> = {}) =>
  withFolder(async (folder) => {
    await mkdir(path.join(folder, 'unit'))
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}')
    await writeFile(path.join(folder, 'unit', 'it.test.js'), header + body)
    const result = spawnSync(process.execPath, [program, '--folder', folder, '--limit-ms', '700'], {
      encoding: 'utf8',
      env: { ...process.env, CI: '', ...env },
    })
    return { last: result.stdout.trimEnd().split('\n').at(-1), output: result.stdout, code: result.status }
  })

const cases: [name: string, body: string, last: string, words: string][] = [
  ['passes what passes', `s('a', () => {}); s.run()`, '1 passed, 0 failed', ''],
  [
    'fails what fails, and shows why',
    `s('a', () => {}); s('b', () => { throw new Error('broken') }); s.run()`,
    '1 passed, 1 failed',
    'broken',
  ],
  [
    'fails where a hook throws before the tests',
    `s.before(() => { throw new Error('no') }); s('a', () => {}); s.run()`,
    '0 passed, 1 failed',
    'a hook threw',
  ],
  [
    'fails where a hook throws after a test',
    `s.after.each(() => { throw new Error('no') }); s('a', () => {}); s('b', () => {}); s.run()`,
    '0 passed, 2 failed',
    '',
  ],
  ['fails where .run() is forgotten', `s('a', () => {})`, '0 passed, 1 failed', 's.run() is missing'],
  [
    'fails where one of two suites is forgotten',
    `s('a', () => {}); s.run()\nconst t = suite('y')\nt('b', () => {})`,
    '1 passed, 1 failed',
    't.run() is missing',
  ],
  ['fails where there is no test', `s.run()`, '0 passed, 1 failed', 'has no tests'],
  [
    'fails where something is left open',
    `setInterval(() => {}, 1000); s('a', () => {}); s.run()`,
    '1 passed, 1 failed',
    'something was left open',
  ],
  [
    'fails where a test hangs',
    `setInterval(() => {}, 1000); s('a', () => new Promise(() => {})); s.run()`,
    '0 passed, 1 failed',
    'did not end within',
  ],
  [
    'fails where a file ends early',
    `s('a', () => process.exit(0)); s.run()`,
    '0 passed, 1 failed',
    'without a report',
  ],
  [
    'fails where a promise is left to reject',
    `s('a', () => { setTimeout(() => Promise.reject(new Error('late')), 50) }); s.run()`,
    '1 passed, 1 failed',
    'late',
  ],
  [
    'counts what a file says it skipped',
    `console.log('# skipped 2: no browser'); s('a', () => {}); s.run()`,
    '1 passed, 0 failed, 2 skipped',
    '',
  ],
  ['fails where something does not load', `import './missing.js'`, '0 passed, 1 failed', 'missing.js'],
]
for (const [name, body, last, words] of cases) {
  runner(name, async () => {
    const result = await run(body)
    assert.is(result.last, last, result.output)
    assert.is(result.code, / 0 failed/.test(last) ? 0 : 1)
    assert.match(result.output, words)
  })
}

runner('lets nothing be skipped in CI', async () => {
  const result = await run(`console.log('# skipped 1: no browser'); s('a', () => {}); s.run()`, {
    CI: 'true',
  })
  assert.is(result.last, '1 passed, 1 failed')
  assert.is(result.code, 1)
})

runner('fails where a filter matches nothing', async () => {
  const result = spawnSync(process.execPath, [program, 'no-such-file'], { encoding: 'utf8' })
  assert.is(result.status, 1)
  assert.match(result.stdout, /no test file matches no-such-file\n0 passed, 1 failed\n$/)
})

runner.run()
