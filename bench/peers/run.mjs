// Compares Boardroom with its peers: runs every scenario on every server, interleaved (A B C A B C …), and writes rows
// (JSON), tables (Markdown) and a picture (SVG).
//   npm run bench                                            the whole table, three rounds; --rounds 1: in half an hour or less
//   npm run bench -- --all                                   with the intermediate sizes
//   npm run bench -- --quick                                 the main comparisons, one round, under three minutes
//   npm run bench -- --scenarios fanout,rooms --variants n100,300x2 --servers boardroom,yws-0.1.5 --rounds 5
//   npm run bench -- --scenarios nodes                       two nodes of each: needs redis-server and nats-server
//   BOARDROOM_BESIDE=../before npm run bench -- --servers boardroom,beside    another checkout, installed and built
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { installServers } from './install.mjs'

const LIMIT_MS = 6 * 60_000 // one run
const QUIET_TRIES = 3
const QUIET_MS = 400
const QUIET_BUSY_SECONDS = 0.04
const NOISY_SHARE = 0.1 // in cores, used by other processes
const quick = {
  scenarios: 'fanout,rooms,awareness,durable',
  variants: 'n100,300x2,edit-12s',
  servers: 'yws-0.1.5,hocuspocus-4.7.0,boardroom',
}

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
if (process.platform !== 'linux')
  fail('the comparison reads /proc and pins processes to cores: it runs on Linux only')
installServers()
const { scenarios } = await import('./scenarios/index.mjs')
const { servers } = await import('./servers/registry.mjs')
const { pictureOf, tablesOf } = await import('./table.mjs')
const { sleep } = await import('./load/pace.mjs')
const { busySeconds } = await import('./load/proc.mjs')
const { GENERATOR_CORE, pinned } = await import('./load/server-process.mjs')

const everyday = Object.keys(scenarios).filter((name) => !scenarios[name].isLong && !scenarios[name].isApart)
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    scenarios: { type: 'string' },
    variants: { type: 'string' },
    servers: { type: 'string' },
    rounds: { type: 'string' },
    add: { type: 'boolean', default: false },
    out: { type: 'string', default: here('../results') },
  },
})
const list = (text) => text.split(',').filter(Boolean)
const wanted = values.quick ? quick : {}
const scenarioNames = list(values.scenarios ?? wanted.scenarios ?? everyday.join())
const serverNames = list(values.servers ?? wanted.servers ?? Object.keys(servers).join())
const variantText = values.variants ?? (values.scenarios === undefined ? wanted.variants : undefined)
const variantNames = variantText === undefined ? null : list(variantText)
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
for (const name of scenarioNames)
  if (scenarios[name] === undefined)
    fail(`no scenario ${name}: there are ${Object.keys(scenarios).join(', ')}`)
for (const name of serverNames)
  if (servers[name] === undefined) fail(`no server ${name}: there are ${Object.keys(servers).join(', ')}`)
if (!Number.isInteger(rounds) || rounds < 1) fail('--rounds takes a number from 1')
if (!existsSync(here('../../dist/server/cli.js'))) fail('build the server first: npm run build:server')

function fail(message) {
  console.error(message)
  process.exit(2)
}

/** Runs one job in its own process group, so that none of it outlives the job. */
function generate(job) {
  return new Promise((resolve) => {
    const [program, ...args] = [
      ...pinned(GENERATOR_CORE),
      process.execPath,
      '--max-old-space-size=6000',
      here('one-run.mjs'),
    ]
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    child.stdin.end(JSON.stringify(job))
    let out = ''
    let err = ''
    child.stdout.on('data', (data) => {
      out += data
    })
    child.stderr.on('data', (data) => {
      err += data
    })
    const limitMs = scenarios[job.scenario].isLong ? 2 * 3_600_000 : LIMIT_MS
    const timer = setTimeout(() => endGroup(child.pid), limitMs)
    child.on('close', (code) => {
      clearTimeout(timer)
      endGroup(child.pid)
      const line = out.trim().split('\n').at(-1)
      if (code === 0 && line) resolve(JSON.parse(line))
      else resolve({ error: (err.trim() || `generator exit ${code}`).slice(-1500) })
    })
  })
}

function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has already ended.
  }
}

/** Waits briefly until other processes leave the machine idle. */
async function waitForQuiet() {
  for (let i = 0; i < QUIET_TRIES; i++) {
    const before = busySeconds()
    await sleep(QUIET_MS)
    if (busySeconds() - before < QUIET_BUSY_SECONDS) return
  }
}

async function runOnce(job) {
  await waitForQuiet()
  const busyBefore = busySeconds()
  const startedAt = performance.now()
  const result = await generate(job)
  const seconds = (performance.now() - startedAt) / 1000
  const foreignShare = (busySeconds() - busyBefore - (result.cpuTotal ?? 0)) / seconds
  return {
    seconds,
    foreignShare: Math.round(foreignShare * 1000) / 1000,
    noisy: foreignShare > NOISY_SHARE,
    ...result,
  }
}

const jobs = []
for (let round = 1; round <= rounds; round++) {
  for (const scenario of scenarioNames) {
    const { needs, variants, isOwn } = scenarios[scenario]
    for (const variant of Object.keys(variants)) {
      if (variantNames === null ? variants[variant].isExtra && !values.all : !variantNames.includes(variant))
        continue
      for (const name of serverNames) {
        const server = servers[name]
        if ((needs === 'nodes') !== (server.nodes !== undefined)) continue
        if (server.only !== undefined && !server.only.includes(scenario)) continue
        if (isOwn && !['boardroom', 'beside'].includes(name)) continue
        if (needs === 'documents' && server.stateless) continue
        if (needs === 'storage' && !server.persists) continue
        if (scenario === 'growth' && variant.startsWith('edits') && server.stateless) continue
        jobs.push({ round, scenario, variant, name })
      }
    }
  }
}

mkdirSync(values.out, { recursive: true })
const file = `${values.out}/rows.jsonl`
const beganAt = performance.now()
if (!values.add) rmSync(file, { force: true })
for (const [i, { round, scenario, variant, name }] of jobs.entries()) {
  const result = await runOnce({ scenario, variant, peer: { name, ...servers[name] } })
  appendFileSync(file, `${JSON.stringify({ scenario, variant, peer: name, round, ...result })}\n`)
  const said = result.error
    ? `failed: ${result.error.split('\n')[0]}`
    : `${result.seconds.toFixed(1)} s, others used ${result.foreignShare} cores`
  const minutes = ((performance.now() - beganAt) / 60_000).toFixed(1)
  console.error(`${i + 1}/${jobs.length} (${minutes} min) ${scenario} ${variant} ${name}: ${said}`)
}
const rows = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
const machine = {
  at: new Date().toISOString(),
  cpu: os.cpus()[0]?.model,
  cores: os.cpus().length,
  node: process.version,
}
writeFileSync(
  `${values.out}/results.json`,
  `${JSON.stringify({ machine, command: process.argv.slice(2), rows }, null, 1)}\n`,
)
const tables = tablesOf(rows)
writeFileSync(`${values.out}/tables.md`, tables)
writeFileSync(`${values.out}/picture.svg`, pictureOf(rows))
console.log(tables)
console.error(`rows, tables and a picture are in ${values.out}`)
if (rows.some((row) => row.error)) process.exitCode = 1
