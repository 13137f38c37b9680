// Installs packages and builds, before anything else in a fresh checkout can run. Plain JavaScript without dependencies,
// because none are installed yet. Does nothing when everything is up to date.
//
//   node bin/setup.mjs            packages, server, tests and canvas
//   node bin/setup.mjs --install  packages only
//   node bin/setup.mjs --server   packages and server
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const only = process.argv[2]
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 20)) {
  fail(`needs Node 20.20 or newer, this is ${process.versions.node}; get one from https://nodejs.org`)
}

const serverSources = [
  'server',
  'shared',
  'migrations',
  'tests',
  'examples',
  'bench',
  'client',
  'tsconfig.json',
  'package-lock.json',
]
const canvasSources = ['client', 'shared', 'package-lock.json']

step(
  'node_modules/.boardroom-installed',
  hashOf(['package-lock.json', 'package.json']),
  'installing packages',
  () => {
    // --include=dev: the compiler and the canvas live there, also where NODE_ENV says production.
    run(
      'npm',
      ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
      'npm ci failed; is the npm registry reachable from here?',
    )
  },
)
if (only !== '--install') {
  step('dist/.server-built', fingerprintOf(serverSources), 'building the server', () => {
    for (const folder of ['server', 'shared', 'migrations', 'tests', 'examples', 'bench']) {
      rmSync(join(root, 'dist', folder), { recursive: true, force: true })
    }
    run(
      process.execPath,
      [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json'],
      'the build failed',
    )
  })
}
if (only === undefined) {
  step('dist/.canvas-built', fingerprintOf(canvasSources), 'building the canvas', () => {
    run(
      process.execPath,
      [join('node_modules', 'vite', 'bin', 'vite.js'), 'build', 'client', '--logLevel', 'warn'],
      'the build of the canvas failed',
    )
  })
}

/** Runs `work` unless `stamp` shows that it was done for the same `key`; an interrupted step leaves no stamp. */
function step(stamp, key, title, work) {
  const path = join(root, stamp)
  if (existsSync(path) && readFileSync(path, 'utf8') === key) return
  rmSync(path, { force: true })
  const startedAt = Date.now()
  process.stderr.write(`boardroom: ${title} …\n`)
  work()
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, key)
  process.stderr.write(`boardroom: ${title}: done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`)
}

function run(program, args, problem) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) fail(error ? `${problem} (${error.message})` : problem)
}

function fail(problem) {
  console.error(`boardroom: ${problem}`)
  process.exit(1)
}

function hashOf(paths) {
  const hash = createHash('sha256').update(process.versions.node)
  for (const path of paths) hash.update(readFileSync(join(root, path)))
  return hash.digest('hex')
}

/** Changes whenever a source file is added, removed or written. */
function fingerprintOf(paths) {
  const hash = createHash('sha256')
  const visit = (path) => {
    const stat = statSync(join(root, path), { throwIfNoEntry: false })
    if (stat === undefined) return
    if (stat.isDirectory()) for (const name of readdirSync(join(root, path)).sort()) visit(`${path}/${name}`)
    else hash.update(`${path} ${stat.size} ${stat.mtimeMs}\n`)
  }
  for (const path of paths) visit(path)
  return hash.digest('hex')
}
