// The program as an operator runs it, in a separate process, so that it can be killed; and the processes it started.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const startWithinMs = 60_000

/** The environment of the test run must not configure the server. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface Program {
  origin: string
  pid: number
  /** Every line that it printed so far. */
  said: readonly string[]
  /** Ends with it. */
  exited: Promise<unknown>
  /**
   * Kills at once: the program, its Postgres with all backends, or both.
   * @returns the number of Postgres processes, once the program, if selected, is gone.
   */
  kill(what: 'program' | 'postgres' | 'both'): Promise<number>
  /** SIGTERM. @returns the exit code. */
  stop(): Promise<number | null>
}

export interface ProgramOptions {
  /** Options of node itself: `--inspect` and the like. */
  nodeOptions?: readonly string[]
  /** A command that runs the one given to it as further arguments: `nice`, `unshare`. */
  through?: readonly string[]
}

/** @throws Error with its output if it does not start. */
export async function startProgram(
  dataDir: string,
  env: Record<string, string> = {},
  { nodeOptions = [], through = [] }: ProgramOptions = {},
): Promise<Program> {
  const [command = '', ...args] = [...through, process.execPath, ...nodeOptions, 'bin/boardroom.mjs', 'serve']
  const child = spawn(command, args, {
    env: { ...process.env, PORT: '0', BOARDROOM_LOG_LEVEL: 'error', ...env, BOARDROOM_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  const exited = once(child, 'exit').finally(() => running.delete(child))
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', (line) => said.push(line))
  const origin = await ready(child, said)
  return {
    origin,
    pid: child.pid ?? 0,
    said,
    exited,
    async kill(what) {
      const postgres = what === 'program' ? [] : await postgresIn(path.join(dataDir, 'postgres'))
      for (const pid of postgres) killHard(pid)
      if (what !== 'postgres') {
        child.kill('SIGKILL')
        await exited
      }
      return postgres.length
    },
    async stop() {
      child.kill('SIGTERM')
      await exited
      // Its explanation, in the log of the test.
      if ((child.exitCode ?? 0) !== 0) console.log(said.join('\n').slice(-2000))
      return child.exitCode
    },
  }
}

/** Runs one command of the program. @throws Error with its output if it fails. */
export async function runProgram(
  dataDir: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const run = promisify(execFile)(process.execPath, ['bin/boardroom.mjs', ...args], {
    env: { ...process.env, ...options.env, BOARDROOM_DATA_DIR: dataDir },
    timeout: startWithinMs,
  })
  run.child.stdin?.end(options.input ?? '')
  return (await run).stdout
}

function ready(child: ChildProcess, said: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = () => {
      const end = child.signalCode ?? child.exitCode ?? 'too slow'
      reject(new Error(`the program did not start (${end}): ${said.slice(-5).join(' | ')}`))
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      fail()
    }, startWithinMs)
    child.once('exit', fail)
    const look = setInterval(() => {
      const port = said
        .map((line) => /^Boardroom is ready\s+http:\/\/[^:]+:(\d+)/.exec(line)?.[1])
        .find(Boolean)
      if (port === undefined && child.exitCode === null) return
      clearInterval(look)
      clearTimeout(timer)
      child.off('exit', fail)
      if (port === undefined) fail()
      else resolve(`http://127.0.0.1:${port}`)
    }, 10)
  })
}

/** The postmaster of a cluster and its backends; also one left behind by an earlier program that was killed. */
export async function postgresIn(clusterDir: string): Promise<number[]> {
  const file = path.join(clusterDir, 'postmaster.pid')
  const postmaster = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10)
  if (!(postmaster > 0)) return []
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,ppid='])
  const pids = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  if (!pids.some(([pid]) => pid === postmaster)) return []
  return [postmaster, ...pids.flatMap(([pid = 0, parent]) => (parent === postmaster ? [pid] : []))]
}

/**
 * SIGSTOP for every process of a cluster: it hangs, and no connection is told. @returns a function that resumes it
 */
export async function freezePostgres(clusterDir: string): Promise<() => void> {
  // The postmaster first, so that no backend is started meanwhile.
  for (const pid of (await postgresIn(clusterDir)).slice(0, 1)) process.kill(pid, 'SIGSTOP')
  const pids = await postgresIn(clusterDir)
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  return () => {
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  }
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has already ended.
  }
}
