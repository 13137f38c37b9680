// npm run dev: the server and the canvas, rebuilt and restarted on every change. Options go to `serve`.
// Three programs in watch mode: tsc writes dist, vite writes dist/canvas (reload the page), and node restarts the server.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const setup = spawnSync(process.execPath, ['bin/setup.mjs'], { cwd: root, stdio: 'inherit' })
if (setup.status !== 0) process.exit(1)

const children = []
let isStopping = false

const start = (args, stdout = 'inherit') => {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', stdout, 'inherit'] })
  children.push(child)
  child.once('exit', (code) => stop(code ?? 0))
  return child
}

/** If one of them ends, all end: without its watcher, old code would keep running. */
const stop = (code) => {
  if (isStopping) return
  isStopping = true
  process.exitCode = code
  for (const child of children) child.kill('SIGTERM')
}
process.on('SIGINT', () => stop(0)).on('SIGTERM', () => stop(0))

const compiler = start(
  [
    join('node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    'tsconfig.json',
    '--watch',
    '--preserveWatchOutput',
  ],
  'pipe',
)
start([join('node_modules', 'vite', 'bin', 'vite.js'), 'build', 'client', '--watch', '--logLevel', 'warn'])
// The compiler first rewrites everything, so the server starts once that is done.
let isServing = false
compiler.stdout.setEncoding('utf8').on('data', (text) => {
  process.stdout.write(text)
  if (isServing || !/Watching for file changes/.test(text)) return
  isServing = true
  start([
    '--watch',
    '--watch-preserve-output',
    join('bin', 'boardroom.mjs'),
    'serve',
    ...process.argv.slice(2),
  ])
})
