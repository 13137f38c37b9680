// The runner of these tests, on files that uvu would silently pass.
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withFolder } from '../helpers/folder.ts'

const runner = suite('the test runner')
const program = fileURLToPath(import.meta.resolve('../run.js'))
const header = `import { suite } from '${import.meta.resolve('uvu')}'\nconst s = suite('x')\n`

interface Ran {
  output: string
  code: number
}

const runWith = (args: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...args],
      { env: { ...process.env, CI: '', ...env } },
      (_error, output) => resolve({ output, code: child.exitCode ?? -1 }),
    )
  })

/** Runs files with these bodies, by name. */
const run = (bodies: Record<string, string>, args: readonly string[] = [], env?: Record<string, string>) =>
  withFolder(async (folder) => {
    await mkdir(path.join(folder, 'unit'))
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}')
    for (const [name, body] of Object.entries(bodies))
      await writeFile(path.join(folder, 'unit', `${name}.test.js`), header + body)
    return runWith(['--folder', folder, ...args], env)
  })
const lastLine = ({ output }: Ran): string | undefined => output.trimEnd().split('\n').at(-1)

/** Name, body, what the runner counts, and words of its report. */
const cases: [name: string, body: string, counts: string, words: string][] = [
  ['passes what passes', `s('a', () => {}); s.run()`, '1 passed', ''],
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
    'fails where a file ends early',
    `s('a', () => {}); s('b', () => process.exit(0)); s.run()`,
    '0 passed, 1 failed',
    'without a report (exit code 1): x, test 2',
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
    '1 passed, 2 skipped',
    '',
  ],
  ['fails where something does not load', `import './missing.js'`, '0 passed, 1 failed', 'missing.js'],
]
// All in one run: starting the runner is most of the work.
const fileOf = (at: number): string => `case-${String(at).padStart(2, '0')}`
const all = await run(Object.fromEntries(cases.map(([, body], at) => [fileOf(at), body])))
for (const [at, [name, , counts, words]] of cases.entries()) {
  runner(name, () => {
    const about = all.output.split(/^(?=(?:ok {4}|FAIL {2})unit\/)/m)
    const said = about.find((text) => text.split(/\s+/)[1] === `unit/${fileOf(at)}`) ?? ''
    assert.match(
      said.split('\n')[0] ?? '',
      new RegExp(`^${/failed/.test(counts) ? 'FAIL' : 'ok  '} .*  ${counts}, [0-9.]+ s$`),
    )
    assert.match(said, words)
  })
}

runner('adds everything up in the last line, and in its exit code', () => {
  assert.is(lastLine(all), '5 passed, 10 failed, 2 skipped')
  assert.is(all.code, 1)
})

runner('says at the end again, in short, what failed and why', () => {
  const end = all.output.slice(all.output.lastIndexOf('\nFailed:\n'))
  assert.match(end, `  unit/${fileOf(1)}  x  "b"\n      broken\n`)
  assert.match(end, `  unit/${fileOf(4)}: s.run() is missing\n`)
  assert.not.match(end, 'unit/case-00')
  assert.not.match(end, / {4}at /)
})

runner('does not mention failures if there are none, and ends with 0', async () => {
  const result = await run({ it: `s('a', () => {}); s.run()` })
  assert.is(lastLine(result), '1 passed, 0 failed')
  assert.not.match(result.output, /^Failed:/m)
  assert.is(result.code, 0)
})

runner('fails if something is left open', async () => {
  const body = `setInterval(() => {}, 1000); s('a', () => {}); s.run()`
  const result = await run({ it: body }, ['--ending-ms', '100'])
  assert.is(lastLine(result), '1 passed, 1 failed')
  assert.match(result.output, 'unit/it: its tests ended, but the process did not: something was left open')
  assert.is(result.code, 1)
})

runner('fails if a test hangs, and says which', async () => {
  const body = `setInterval(() => {}, 1000); s('a', () => {}); s('b', () => new Promise(() => {})); s.run()`
  // However slow the machine: a file that has not reached its second test has not ended either.
  const result = await run({ it: body }, ['--limit-ms', '2000'])
  assert.is(lastLine(result), '0 passed, 1 failed')
  assert.match(result.output, /unit\/it: did not end within 2 s/)
  assert.is(result.code, 1)
})

runner('lets nothing be skipped in CI', async () => {
  const body = `console.log('# skipped 1: no browser'); s('a', () => {}); s.run()`
  const result = await run({ it: body }, [], { CI: 'true' })
  assert.is(lastLine(result), '1 passed, 1 failed')
  assert.is(result.code, 1)
})

runner('fails if a filter matches nothing', async () => {
  const { output, code } = await runWith(['no-such-file'])
  assert.is(code, 1)
  assert.match(output, /no test file matches no-such-file\n0 passed, 1 failed\n$/)
})

runner.run()
