// Runs the tests: node dist/tests/run.js [unit | integration | property | e2e | part of a file name …]
//      [--database outside | pooled: on Debian's Postgres over TCP, or behind its PgBouncer, instead of the embedded one]
//
// Without names and without --database, the tests of trail, backup and outages also run on the other two.
// Each file is a separate process, four at a time (most wait for sockets and clocks), all with one real Postgres
// and one browser.
// uvu silently passes if a hook throws, if `.run()` is forgotten or if there is no test, and waits for ever if
// something was left open: here each of these fails. A test file that skips something reports it with a line
// `# skipped N: reason`; with CI=true that is a failure. Failures are repeated briefly at the end, because the end is
// what people see of a long log. The last line is `N passed, N failed`, or `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { browserVariable, startBrowser } from './helpers/browser.ts'
import { chromiumEnvironment, findChromium } from './helpers/chromium.ts'
import { type ClusterAddress, clusterVariable, startCluster } from './helpers/cluster.ts'
import { dataVariable, makeDataFolder } from './helpers/command-line.ts'
import {
  addressBy,
  findPgBouncer,
  type OutsideWay,
  outsideWays,
  startOutside,
  whyNot,
} from './helpers/outside-postgres.ts'
import { isReported, readReport } from './helpers/report.ts'

const kinds = ['unit', 'integration', 'property', 'e2e'] as const
type Kind = (typeof kinds)[number]

/** A file that takes longer hangs, however busy the machine, and is killed with everything it started. */
const limitMs: Record<Kind, number> = { unit: 120_000, integration: 300_000, property: 300_000, e2e: 480_000 }
/** How long a process may live after its tests have finished. */
const endingMs = 30_000
const filesAtOnce = 4
/** Files that share a browser, and files that begin with a data folder that was used before. */
const browserFiles = /^e2e\/(canvas|comments-elsewhere|page)/
const programFiles = /^e2e\/(backup|commands|outage-real|drain|limits|bodies|program|secrets)/
/**
 * Files that also run on an external Postgres; directly on it only those that test a whole server, if it can be
 * pooled.
 */
const outsideFiles = /^(integration\/(trail|chain|audit-http|backup)|e2e\/(trail|outage))$/
const straightFiles = /^e2e\//

/** How long each file took when it last ran, so that no long file runs alone at the end. */
const remembered = new URL('../last-run.json', import.meta.url)

interface TestFile {
  kind: Kind
  /** `unit/levels`; followed by the database if that is another one. */
  name: string
  path: string
  database?: OutsideWay
}

interface Outcome {
  passed: number
  failed: number
  skipped: number
  /** Why it failed, if uvu does not say. */
  problems: string[]
  /** Failed tests, each with the first lines of the error. */
  failures: string[][]
  output: string
  seconds: number
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    database: { type: 'string' },
    // For the tests of this file: other test files, and shorter time limits.
    folder: { type: 'string' },
    'limit-ms': { type: 'string' },
    'ending-ms': { type: 'string' },
  },
})
const folder = flags.folder ?? path.dirname(fileURLToPath(import.meta.url))
const limitOf = (kind: Kind): number => Number(flags['limit-ms'] ?? limitMs[kind])
const running = new Set<number>()

process.exitCode = await main(positionals)

async function main(filters: string[]): Promise<number> {
  const isWhole = filters.length === 0 && flags.database === undefined && flags.folder === undefined
  const ownFiles = await chosenFiles(filters)
  const elsewhere = isWhole ? onOthers(ownFiles) : { files: [], skipped: 0 }
  const files = [...ownFiles, ...elsewhere.files]
  if (files.length === 0) {
    console.log(`no test file matches ${filters.join(' ') || folder}\n0 passed, 1 failed`)
    return 1
  }
  const isNeeded = (what: RegExp) => files.some(({ name }) => what.test(name))
  // Looked for once: if none can be downloaded, finding that out takes a while.
  const chromium = isNeeded(browserFiles) ? findChromium() : null
  const [cluster, browser, data, outside] = await Promise.all([
    isNeeded(/^(?!unit)/) ? clusterFor(flags.database) : null,
    chromium === null ? null : startBrowser(chromium),
    isNeeded(programFiles) ? makeDataFolder() : null,
    elsewhere.files.length > 0 ? startOutside(findPgBouncer() === null ? 'outside' : 'pooled') : null,
  ])
  const env = {
    ...process.env,
    ...(cluster === null ? {} : { [clusterVariable]: JSON.stringify(cluster.address) }),
    ...(isNeeded(browserFiles) ? chromiumEnvironment(chromium) : {}),
    ...(browser === null ? {} : { [browserVariable]: browser.wsEndpoint() }),
    ...(data === null ? {} : { [dataVariable]: data.folder }),
  }
  const environmentOf = ({ database }: TestFile): NodeJS.ProcessEnv =>
    database === undefined || outside === null
      ? env
      : { ...env, [clusterVariable]: JSON.stringify(addressBy(database, outside)) }
  const endShared = () => Promise.all([cluster?.stop(), browser?.close(), data?.remove(), outside?.stop()])
  const stop = () => {
    for (const pid of running) killGroup(pid)
    void endShared().finally(() => process.exit(130))
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  const total = { passed: 0, failed: 0, skipped: elsewhere.skipped }
  const told: string[] = []
  const seconds = await readRemembered()
  try {
    const queue = await inOrder(files, seconds)
    const worker = async () => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
        const outcome = await runFile(file, environmentOf(file))
        seconds[file.name] = outcome.seconds
        total.passed += outcome.passed
        total.failed += outcome.failed
        total.skipped += outcome.skipped
        told.push(...inShort(file, outcome))
      }
    }
    await Promise.all(Array.from({ length: filesAtOnce }, worker))
  } finally {
    await endShared()
  }
  if (flags.folder === undefined && flags.database === undefined)
    await writeFile(remembered, JSON.stringify(seconds)).catch(() => undefined)
  if (process.env.CI === 'true' && total.skipped > 0) {
    console.log(`${total.skipped} skipped, which CI=true does not allow`)
    total.failed += total.skipped
    total.skipped = 0
  }
  if (told.length > 0) console.log(`\nFailed:\n${told.join('\n')}\n`)
  console.log(
    `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`,
  )
  return total.failed === 0 ? 0 : 1
}

function clusterFor(database = 'embedded'): Promise<{ address: ClusterAddress; stop(): Promise<void> }> {
  if (database === 'embedded') return startCluster()
  if (database !== 'outside' && database !== 'pooled')
    throw new Error(`--database is embedded, outside or pooled, and not ${database}`)
  const reason = whyNot(database)
  if (reason !== null) throw new Error(reason)
  return startOutside(database)
}

async function chosenFiles(filters: string[]): Promise<TestFile[]> {
  const wantedKinds = filters.filter((filter): filter is Kind =>
    (kinds as readonly string[]).includes(filter),
  )
  const wantedNames = filters.filter((filter) => !(kinds as readonly string[]).includes(filter))
  const found: TestFile[] = []
  for (const kind of wantedKinds.length > 0 ? wantedKinds : kinds) {
    const names = await readdir(path.join(folder, kind), { recursive: true }).catch(() => [])
    for (const entry of names.filter((entry) => entry.endsWith('.test.js')).sort()) {
      const name = `${kind}/${entry.replace(/\.test\.js$/, '')}`
      if (wantedNames.length > 0 && !wantedNames.some((wanted) => name.includes(wanted))) continue
      found.push({ kind, name, path: path.join(folder, kind, entry) })
    }
  }
  return found
}

/** The same files on external databases, if there are any here; reports what is skipped and why. */
function onOthers(files: TestFile[]): { files: TestFile[]; skipped: number } {
  const also = files.filter(({ name }) => outsideFiles.test(name))
  let skipped = 0
  const found = outsideWays.flatMap((database) => {
    const reason = whyNot(database)
    if (reason === null)
      return also
        .filter(({ name }) => database === 'pooled' || findPgBouncer() === null || straightFiles.test(name))
        .map((file) => ({ ...file, name: `${file.name} (${database})`, database }))
    console.log(`# skipped ${also.length} files: ${reason}`)
    skipped += also.length
    return []
  })
  return { files: found, skipped }
}

/**
 * Longest first; files that never ran here come before everything else, kind by kind from the end, the largest file
 * first.
 */
async function inOrder(files: TestFile[], seconds: Record<string, number>): Promise<TestFile[]> {
  const sized = await Promise.all(files.map(async (file) => ({ file, size: (await stat(file.path)).size })))
  const rank = ({ file }: { file: TestFile }) => seconds[file.name] ?? Number.POSITIVE_INFINITY
  return sized
    .sort((a, b) => {
      const [left, right] = [rank(a), rank(b)]
      if (left !== right) return right - left
      return kinds.indexOf(b.file.kind) - kinds.indexOf(a.file.kind) || b.size - a.size
    })
    .map(({ file }) => file)
}

/** Seconds of each file; empty if nothing has run yet. */
async function readRemembered(): Promise<Record<string, number>> {
  const text = await readFile(remembered, 'utf8').catch(() => '{}')
  try {
    return JSON.parse(text) as Record<string, number> // written below
  } catch {
    return {}
  }
}

async function runFile(file: TestFile, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const start = performance.now()
  const ending = await execute(file, env)
  const took = (performance.now() - start) / 1000
  const outcome = { ...judge(file, ending, await forgottenRuns(file)), seconds: took }
  const seconds = took.toFixed(1)
  const skipped = outcome.skipped > 0 ? `, ${outcome.skipped} skipped` : ''
  if (outcome.failed === 0)
    console.log(`ok    ${file.name}  ${outcome.passed} passed${skipped}, ${seconds} s`)
  else {
    console.log(
      `FAIL  ${file.name}  ${outcome.passed} passed, ${outcome.failed} failed${skipped}, ${seconds} s`,
    )
    console.log(outcome.output.trimEnd())
    for (const problem of outcome.problems) console.log(`  ${file.name}: ${problem}`)
  }
  return outcome
}

/** The failures of a file and the beginning of each error, for the end of the output. */
function inShort({ name }: TestFile, { problems, failures }: Outcome): string[] {
  return [
    ...failures.flatMap(([test, ...lines]) => [
      `  ${name}  ${test}`,
      ...lines.map((line) => `      ${line}`),
    ]),
    ...problems.map((problem) => `  ${name}: ${problem}`),
  ]
}

interface Ending {
  output: string
  code: number | null
  signal: NodeJS.Signals | null
  hung: boolean
}

/** Runs a file in a separate process group, and kills what is left of the group. */
function execute(file: TestFile, env: NodeJS.ProcessEnv): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--enable-source-maps', file.path], {
      detached: true,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const pid = child.pid
    if (pid !== undefined) running.add(pid)
    const chunks: Buffer[] = []
    let hung = false
    const giveUp = () => {
      hung = true
      if (pid !== undefined) killGroup(pid)
    }
    let timer = setTimeout(giveUp, limitOf(file.kind))
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        if (!isReported(chunk.toString('latin1'))) return
        clearTimeout(timer)
        timer = setTimeout(giveUp, Number(flags['ending-ms'] ?? endingMs))
      })
    // A process that outlives the file keeps its pipes open: 'close' alone would wait for it.
    child.once('exit', () => {
      if (pid !== undefined) killGroup(pid)
    })
    const finish = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(timer)
      if (pid !== undefined) running.delete(pid)
      resolve({ output: Buffer.concat(chunks).toString('utf8'), code, signal, hung })
    }
    child.once('error', (error) => {
      chunks.push(Buffer.from(String(error)))
      finish(1, null)
    })
    child.once('close', finish)
  })
}

/** The result of a file: from uvu's report, because its exit code is 0 even if a hook threw. */
function judge(file: TestFile, ending: Ending, forgotten: string[]): Omit<Outcome, 'seconds'> {
  const { total, passed, skipped, failures, unfinished } = readReport(ending.output)
  const problems: string[] = []
  if (ending.hung) {
    problems.push(
      total === null
        ? `did not end within ${limitOf(file.kind) / 1000} s${unfinished === null ? '' : `: ${unfinished}`}`
        : 'its tests ended, but the process did not: something was left open',
    )
  } else if (total === null) {
    const where = unfinished === null ? '' : `: ${unfinished}`
    problems.push(`ended without a report (exit code ${ending.code ?? ending.signal})${where}`)
  } else if (ending.code !== 0 && passed === total)
    problems.push(`its tests passed, but the process ended with ${ending.code ?? ending.signal}`)
  if (total === 0 && skipped === 0) problems.push('has no tests')
  if (total !== null && passed < total && ending.code === 0)
    problems.push('a hook threw, and tests were left out')
  for (const suite of forgotten) problems.push(`${suite}.run() is missing`)
  const failedTests = (total ?? 0) - passed
  return {
    passed,
    failed: Math.max(failedTests, problems.length > 0 ? 1 : 0),
    skipped,
    problems,
    failures,
    output: ending.output,
  }
}

/** Suites that are created but never run: uvu does not know about them. */
async function forgottenRuns(file: TestFile): Promise<string[]> {
  const source = await readFile(file.path, 'utf8')
  const made = [
    ...source.matchAll(/^(?:const|let|var) (\w+) = (?:uvu\.)?(?:suite|canvasFile|togetherFile)\(/gm),
  ].map((match) => match[1] ?? '')
  if (/import \{[^}]*\btest\b[^}]*\} from 'uvu'/.test(source)) made.push('test')
  return made.filter((name) => !new RegExp(`\\b${name}\\.run\\(\\)`).test(source))
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The whole group has ended already.
  }
}
