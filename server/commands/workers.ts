// `boardroom serve --workers N`: N nodes behind one port. This process listens and passes connections to the workers in
// turn; it starts them one after the other, replaces those that die, and exits when all have exited.
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { BoardroomError } from '../errors.ts'
import type { CommandContext } from './command.ts'
import { OwnNats } from './own-nats.ts'
import { WorkerMetrics } from './worker-metrics.ts'

const mostWorkers = 64
/** A worker that exits sooner than this is restarted with increasing delays. */
const livedMs = 10_000
const firstWaitMs = 200
const mostWaitMs = 30_000

/** What a worker sends once it serves requests. */
export interface ReadyMessage {
  ready: string
}

/** Tells a worker to drain. A signal would not do: a terminal or systemd sends one to all processes. */
export const stopMessage = 'stop'

/** The environment variable that tells a worker its port. */
const portVariable = 'BOARDROOM_WORKER_PORT'
/** And its number, from 1. */
const placeVariable = 'BOARDROOM_WORKER_PLACE'

/** The port whose connections this process receives; null if it is not a worker. */
export const workerPort = (env: NodeJS.ProcessEnv): number | null =>
  cluster.isWorker && env[portVariable] !== undefined ? Number(env[portVariable]) : null

/** The number of this worker. */
export const workerPlace = (env: NodeJS.ProcessEnv): string => env[placeVariable] ?? '1'

/** @returns null for `serve` alone. @throws BoardroomError invalid_config */
export function workersOf(told: string | boolean | undefined): number | null {
  if (told === undefined) return null
  const workers = Number(told)
  if (Number.isInteger(workers) && workers >= 1 && workers <= mostWorkers) return workers
  throw new BoardroomError('invalid_config', `--workers: expected a whole number from 1 to ${mostWorkers}`)
}

/** @throws BoardroomError invalid_config | bus_unreachable */
export async function serveWithWorkers(
  context: CommandContext,
  { workers, port }: { workers: number; port: number },
): Promise<void> {
  const { config, log, env } = context
  if (config.databaseUrl === undefined)
    throw new BoardroomError(
      'invalid_config',
      'serve --workers: several processes need an external database: set DATABASE_URL and BOARDROOM_SECRET, or leave --workers out',
    )
  const own = config.natsUrl === undefined ? new OwnNats(env.PATH ?? '', log) : null
  await own?.start()
  await new Workers(context, { workers, port, own }).run()
}

class Workers {
  readonly #context: CommandContext
  readonly #count: number
  readonly #own: OwnNats | null
  readonly #env: Record<string, string>
  readonly #metrics = new WorkerMetrics()
  /** By place; a replacement takes the place of its predecessor. */
  readonly #places = new Map<number, Worker>()
  #isStopping = false
  #isServing = false
  #exitCode = 0

  constructor(
    context: CommandContext,
    { workers, port, own }: { workers: number; port: number; own: OwnNats | null },
  ) {
    this.#context = context
    this.#count = workers
    this.#own = own
    this.#env = { ...own?.settings, [portVariable]: String(port) }
  }

  async run(): Promise<void> {
    const { print } = this.#context
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => this.#onSignal(signal))
    // The first one migrates and creates the sample board before the others start.
    for (let i = 0; i < this.#count && !this.#isStopping; i++) {
      const said = await this.#startOne()
      if (said === null) break
      if (i === 0) print(said)
    }
    this.#isServing = true
    if (!this.#isStopping) print(`Workers               ${this.#count}`)
    while (this.#alive.length > 0 || !this.#isStopping) await once(cluster, 'exit')
    await this.#own?.stop()
    process.exit(this.#exitCode)
  }

  get #alive(): Worker[] {
    return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
  }

  /** @returns its message once it serves; null if it exited before that, which stops everything unless workers already serve. */
  async #startOne(waitMs = firstWaitMs): Promise<string | null> {
    const { log } = this.#context
    const startedAt = performance.now()
    let place = 1
    while (this.#places.has(place)) place++
    const worker = cluster.fork({ ...this.#env, [placeVariable]: String(place) })
    this.#places.set(place, worker)
    worker.once('exit', () => this.#places.delete(place))
    worker.on('message', (message) => this.#metrics.heard(worker, message))
    let isReady = false
    const ready = new Promise<string | null>((resolve) => {
      worker.on('message', (message: Partial<ReadyMessage>) => {
        if (message.ready === undefined) return
        isReady = true
        resolve(message.ready)
      })
      worker.once('exit', () => resolve(null))
    })
    worker.once('exit', (code, signal) => {
      if (this.#isStopping) {
        // One that was not ready yet had nothing to save and no signal handlers.
        if (isReady) this.#exitCode ||= code ?? 1
        return
      }
      if (!this.#isServing) {
        // It has already logged why.
        this.#exitCode = code ?? 1
        this.#stop()
        return
      }
      const isLongLived = performance.now() - startedAt > livedMs
      log.error({ code, signal, pid: worker.process.pid }, 'a worker exited; starting another')
      void this.#startAfter(isLongLived ? firstWaitMs : waitMs)
    })
    return ready
  }

  async #startAfter(waitMs: number): Promise<void> {
    await delay(waitMs)
    if (!this.#isStopping) await this.#startOne(Math.min(mostWaitMs, waitMs * 2))
  }

  #onSignal(signal: NodeJS.Signals): void {
    const { log } = this.#context
    if (this.#isStopping) {
      log.warn({ signal }, 'second signal: ending at once')
      for (const worker of this.#alive) worker.process.kill('SIGKILL')
      return
    }
    log.info({ signal }, 'stopping')
    this.#stop()
  }

  #stop(): void {
    this.#isStopping = true
    for (const worker of this.#alive) worker.send(stopMessage)
  }
}
