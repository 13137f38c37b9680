// The program as an operator runs it, in a process of its own, so that it can be killed; and what it started.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const startWithinMs = 60_000

export interface Program {
  origin: string
  /**
   * Kills at once: the program, its Postgres with all backends, or both.
   * @returns how many processes of Postgres, once the program, if it was meant, is gone.
   */
  kill(what: 'program' | 'postgres' | 'both'): Promise<number>
  /** SIGTERM. @returns the exit code. */
  stop(): Promise<number | null>
}

/** @throws Error with what it said, where it does not start. */
export async function startProgram(dataDir: string, env: Record<string, string> = {}): Promise<Program> {
  const child = spawn(process.execPath, ['bin/boardroom.mjs', 'serve'], {
    env: { ...process.env, PORT: '0', BOARDROOM_LOG_LEVEL: 'error', ...env, BOARDROOM_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // Whoever runs the tests must not inherit a server.
  const killAtExit = () => child.kill('SIGKILL')
  process.once('exit', killAtExit)
  const exited = once(child, 'exit').finally(() => process.off('exit', killAtExit))
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', (line) => said.push(line))
  const origin = await ready(child, said)
  return {
    origin,
    async kill(what) {
      const postgres = what === 'program' ? [] : await postgresIn(dataDir)
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
      return child.exitCode
    },
  }
}

/** Runs one command of the program. @throws Error with what it said, where it fails. */
export async function runProgram(
  dataDir: string,
  args: readonly string[],
  options: { input?: string } = {},
): Promise<string> {
  const run = promisify(execFile)(process.execPath, ['bin/boardroom.mjs', ...args], {
    env: { ...process.env, BOARDROOM_DATA_DIR: dataDir },
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

/** The postmaster of a data folder and its backends; also one that an earlier program, killed since, left behind. */
export async function postgresIn(dataDir: string): Promise<number[]> {
  const file = path.join(dataDir, 'postgres', 'postmaster.pid')
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

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself meanwhile.
  }
}
