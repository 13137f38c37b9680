// One of several nodes, as an operator runs it: a program whose connections to Postgres and NATS can be cut, and
// which can be killed, suspended and drained, and comes back at the same address.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { DatabaseWay } from './database-way.ts'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { NatsWay } from './nats.ts'
import { type Program, startProgram } from './program.ts'

export interface NodeProgramOptions {
  /** `postgres://…` of the database that all nodes share. */
  databaseUrl: string
  natsPort: number
  secret: string
  env?: Record<string, string>
}

export class NodeProgram {
  readonly toDatabase = new DatabaseWay()
  readonly toNats = new NatsWay()
  readonly #options: NodeProgramOptions
  #dataDir = ''
  #port = 0
  #env: Record<string, string> = {}
  #program: Program | null = null
  #isStill = false

  constructor(options: NodeProgramOptions) {
    this.#options = options
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.#port}/ws`
  }

  get isRunning(): boolean {
    return this.#program !== null && !this.#isStill
  }

  /** Every line of the current process. */
  get said(): readonly string[] {
    return this.#program?.said ?? []
  }

  get pid(): number {
    return this.#program?.pid ?? 0
  }

  /** Starts it if it does not run; repeatedly, like a supervisor, if the machine or Postgres was too busy for it. */
  async start(): Promise<void> {
    if (this.#program !== null) return
    if (this.#port === 0) await this.#prepare()
    this.#program = await eventually(() => startProgram(this.#dataDir, this.#env), {
      withinMs: 180_000,
      everyMs: 500,
    })
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const program = this.#program
    this.#program = null
    this.#isStill = false
    await program?.kill('program')
  }

  /** SIGTERM. @returns the exit code, null if it did not run. */
  async drain(): Promise<number | null> {
    const program = this.#program
    this.goOn()
    this.#program = null
    return (await program?.stop()) ?? null
  }

  /** SIGSTOP: it exists, and nobody is told that it does nothing. */
  standStill(): void {
    if (this.#program === null) return
    this.#isStill = true
    process.kill(this.#program.pid, 'SIGSTOP')
  }

  goOn(): void {
    if (!this.#isStill || this.#program === null) return
    this.#isStill = false
    process.kill(this.#program.pid, 'SIGCONT')
  }

  /** Both connections work normally again. */
  restoreWays(): void {
    this.toDatabase.restore()
    this.toNats.restore()
  }

  async close(): Promise<void> {
    this.restoreWays()
    await this.drain()
    this.toDatabase.close()
    this.toNats.close()
    if (this.#dataDir !== '') await rm(this.#dataDir, { recursive: true, force: true, maxRetries: 10 })
  }

  async #prepare(): Promise<void> {
    const { databaseUrl, natsPort, secret, env } = this.#options
    this.#dataDir = await mkdtemp(path.join(os.tmpdir(), 'boardroom-node-'))
    this.#port = await freePort()
    this.#env = {
      DATABASE_URL: await this.toDatabase.open(databaseUrl),
      NATS_URL: await this.toNats.open(natsPort),
      BOARDROOM_SECRET: secret,
      PORT: String(this.#port),
      BOARDROOM_LOG_LEVEL: 'warn',
      ...env,
    }
  }
}
