// A nats-server for a test: on a free port, with its own configuration, stopped with the test.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { eventually } from './eventually.ts'
import { Way } from './way.ts'

/** The program, null if it is not installed: Debian puts it where only root's PATH looks. */
export const natsProgram: string | null =
  [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin']
    .map((folder) => path.join(folder, 'nats-server'))
    .find((file) => existsSync(file)) ?? null

/** Registers the number of tests, and returns whether they can run. */
export function hasNats(tests: number): boolean {
  if (natsProgram === null) console.log(`# skipped ${tests}: no nats-server is installed`)
  return natsProgram !== null
}

export class Nats {
  readonly #folder: string
  readonly #configuration: string
  #child: ChildProcess | null = null
  port = 0

  constructor(folder: string, configuration: string) {
    this.#folder = folder
    this.#configuration = configuration
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** On the same port as before, if there was one. */
  async start(): Promise<void> {
    if (natsProgram === null) throw new Error('no nats-server is installed')
    const file = path.join(this.#folder, 'nats.conf')
    await writeFile(
      file,
      `listen: 127.0.0.1:${this.port === 0 ? -1 : this.port}\nports_file_dir: ${this.#folder}\n${this.#configuration}`,
    )
    const child = spawn(natsProgram, ['-c', file], { stdio: 'ignore' })
    this.#child = child
    const ports = path.join(this.#folder, `nats-server_${child.pid}.ports`)
    // It exists before it is written.
    const { nats } = await eventually(async () => {
      try {
        return JSON.parse(await readFile(ports, 'utf8')) as { nats: string[] }
      } catch {
        return null
      }
    })
    this.port = Number(new URL(nats[0] ?? '').port)
  }

  /** SIGSTOP: connected clients are not told. */
  standStill(): void {
    this.#child?.kill('SIGSTOP')
  }

  goOn(): void {
    this.#child?.kill('SIGCONT')
  }

  get isRunning(): boolean {
    return this.#child !== null
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

/** @param configuration of nats-server, in addition to where it listens. */
export async function withNats<Result>(
  work: (nats: Nats) => Promise<Result>,
  configuration = '',
): Promise<Result> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'boardroom-nats-'))
  const nats = new Nats(folder, configuration)
  try {
    await nats.start()
    return await work(nats)
  } finally {
    await nats.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * The connection of one node to NATS, which a test can cut, or make silent in one direction or both, without anybody
 * being told.
 */
export class NatsWay extends Way {
  async open(port: number): Promise<string> {
    return `nats://127.0.0.1:${await this.lead({ port, host: '127.0.0.1' })}`
  }
}
