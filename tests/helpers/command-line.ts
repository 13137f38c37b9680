// The program as its users run it: node bin/boardroom.mjs, in a folder of its own.
//
//   withFolder(async (folder) => {
//     const server = await serve(folder)
//     …
//     await server.end()
//   })
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { fastFolder } from './cluster.ts'
import { eventually } from './eventually.ts'

/** Including owners and permissions, which Node's own copying leaves out. */
const copyFolder = promisify(execFile)
const bin = fileURLToPath(new URL('../../../bin/boardroom.mjs', import.meta.url))

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  args?: readonly string[]
  env?: Record<string, string>
  input?: string
  /** The program to run instead of the checkout's. */
  program?: string
}

export interface Started {
  child: ChildProcess
  pid: number
  stdout: string
  stderr: string
  ended: Promise<Ended>
}

/** In a separate process group, so that a test can send the same signal as Ctrl-C. */
export function start(dataDir: string, command: readonly string[], options: RunOptions = {}): Started {
  const child = spawn(process.execPath, [options.program ?? bin, ...command, ...(options.args ?? [])], {
    cwd: os.tmpdir(),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: os.tmpdir(),
      BOARDROOM_DATA_DIR: dataDir,
      BOARDROOM_LOG_LEVEL: 'warn',
      PORT: '0',
      ...options.env,
    },
  })
  const started: Started = {
    child,
    pid: child.pid ?? 0,
    stdout: '',
    stderr: '',
    ended: once(child, 'close').then(([code, signal]) => ({
      code,
      signal,
      stdout: started.stdout,
      stderr: started.stderr,
    })),
  }
  child.stdout.on('data', (bytes: Buffer) => {
    started.stdout += bytes
  })
  child.stderr.on('data', (bytes: Buffer) => {
    started.stderr += bytes
  })
  child.stdin.on('error', () => undefined) // it ended without reading
  child.stdin.end(options.input ?? '')
  running.add(started)
  void started.ended.then(() => running.delete(started))
  return started
}

export const run = (dataDir: string, command: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  start(dataDir, command, options).ended

const running = new Set<Started>()
process.on('exit', () => {
  for (const { pid } of running) kill(-pid, 'SIGKILL')
})

export interface Server extends Started {
  /** `http://localhost:…` as printed. */
  url: string
  /** The lines of standard output. */
  lines: string[]
  startedInMs: number
  /** Stops it with SIGTERM, or with the given signal. */
  end(signal?: NodeJS.Signals): Promise<Ended>
}

/** Waits for what a start prints. @throws Error with its output if it ends first. */
export async function serve(dataDir: string, options: RunOptions = {}): Promise<Server> {
  const from = performance.now()
  const started = start(dataDir, ['serve'], options)
  let over: Ended | null = null
  void started.ended.then((ended) => {
    over = ended
  })
  let readyMs = 0
  await eventually(
    () => {
      if (over !== null) return true
      if (/Boardroom is ready/.test(started.stdout) && readyMs === 0) readyMs = performance.now() - from
      return readyMs > 0
    },
    { withinMs: 120_000 },
  )
  if (over !== null) throw new Error(`it ended: ${JSON.stringify(over)}`)
  const url = /^Boardroom is ready {4}(\S+)$/m.exec(started.stdout)?.[1] ?? ''
  return Object.assign(started, {
    url,
    startedInMs: Math.round(readyMs),
    get lines() {
      return started.stdout.split('\n').filter((line) => line !== '')
    },
    end: async (signal: NodeJS.Signals = 'SIGTERM') => {
      kill(started.pid, signal)
      return started.ended
    },
  })
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // gone already
  }
}

/** The Postgres of a data folder, null if none runs. */
export function postgresOf(dataDir: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(path.join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10)
    process.kill(pid, 0)
    return pid
  } catch {
    return null
  }
}

/** The environment variable with which the runner passes its data folder to test files. */
export const dataVariable = 'BOARDROOM_TEST_DATA'

/** A data folder with an initialised, empty database. Initialising one takes seconds, copying it next to nothing. */
export async function makeDataFolder(): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(await fastFolder(), 'boardroom-data-'))
  await chmod(folder, 0o755)
  const made = path.join(folder, 'data')
  const { code, stderr } = await run(made, ['migrate', 'up'])
  assert.is(code, 0, stderr)
  return { folder: made, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Like `withFolder`, with a data folder whose database is initialised already and that no server has used. */
export const withMadeFolder = (work: (dataDir: string, folder: string) => Promise<void>): Promise<void> =>
  withFolder(async (dataDir, folder) => {
    const made = process.env[dataVariable]
    if (made !== undefined) await copyFolder('cp', ['-a', made, dataDir])
    await work(dataDir, folder)
  })

/** A new data folder, which does not exist yet; anything that still runs in it is stopped with it. */
export async function withFolder(work: (dataDir: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(await fastFolder(), 'boardroom-program-'))
  await chmod(folder, 0o755) // as root, Postgres runs as another account
  const dataDir = path.join(folder, 'data')
  const before = new Set(running)
  try {
    await work(dataDir, folder)
  } finally {
    const mine = [...running].filter((started) => !before.has(started))
    for (const { pid } of mine) kill(-pid, 'SIGKILL')
    await Promise.all(mine.map(({ ended }) => ended))
    const postgres = postgresOf(dataDir)
    if (postgres !== null) {
      kill(postgres, 'SIGQUIT')
      await eventually(() => postgresOf(dataDir) === null)
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** JSON over HTTP, with the cookies of earlier answers. */
export function visitor(origin: string) {
  const cookies = new Map<string, string>()
  const cookie = () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return {
    cookie,
    async ask(method: string, route: string, body?: unknown) {
      const answer = await fetch(origin + route, {
        method,
        headers: {
          origin,
          ...(cookies.size === 0 ? {} : { cookie: cookie() }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      for (const line of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        cookies.set(name, value)
      }
      const text = await answer.text()
      // biome-ignore lint/suspicious/noExplicitAny: answers are looked at by tests, whatever their shape
      return { status: answer.status, body: (text.startsWith('{') ? JSON.parse(text) : text) as any }
    },
  }
}

/** The output of a command that succeeds. */
export async function answer(dataDir: string, words: string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(dataDir, words, options)
  if (code !== 0) throw new Error(`${words.join(' ')}: ${code}: ${stderr}`)
  return stdout
}
export const rows = (stdout: string) =>
  stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
export const password = 'correct horse battery'
export const create = (dataDir: string, email: string, more: string[] = []) =>
  run(dataDir, ['user', 'create', '--email', email, '--name', 'Somebody', ...more], {
    input: `${password}\n`,
  })
export async function signedIn({ url }: Server, email: string) {
  const person = visitor(url)
  const { status } = await person.ask('POST', '/api/auth/sign-in/email', { email, password })
  assert.is(status, 200)
  return person
}
