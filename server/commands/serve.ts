// `boardroom serve`: opens the database, migrates, starts the server, prints where to go, and stops it in order.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Boardroom } from '../boardroom.ts'
import type { Config } from '../config.ts'
import { BoardroomError } from '../errors.ts'
import { answerPlainly } from '../http/plain-answer.ts'
import { endSlowRequest, serverTimeouts } from '../http/timeouts.ts'
import { closing } from '../parts/opened-parts.ts'
import type { Command, CommandContext } from './command.ts'
import { type Opened, openForServing } from './open.ts'
import { makeSampleBoard, type SampleLinks } from './sample.ts'
import { giveBackMemoryOfStart } from './settle-memory.ts'
import { metricsOfWorkers } from './worker-metrics.ts'
import {
  type ReadyMessage,
  serveWithWorkers,
  stopMessage,
  workerPlace,
  workerPort,
  workersOf,
} from './workers.ts'

/** SIGTERM: everything is flushed and every socket closed within this; then the process ends. */
const drainMs = 5_000
const lastExitMs = 24_000
/** EX_SOFTWARE of sysexits.h: an error inside the program. */
const uncaughtExitCode = 70

export const serveCommand: Command = {
  name: 'serve',
  usage: ['serve [--port 4400] [--host 127.0.0.1] [--workers 4] …'],
  words: 0,
  options: { workers: { type: 'string' } },
  async run(context, _words, options) {
    const workers = workersOf(options.workers)
    const ledTo = workerPort(context.env)
    if (workers !== null && ledTo === null)
      return serveWithWorkers(context, { workers, port: await freePort(context.config) })
    const { log, print } = context
    const signals = new StopSignals(context, { isWorker: ledTo !== null })
    let boardroom: Boardroom | null = null
    const server = serverOf(() => boardroom)
    // First of all: a second start by mistake ends at once with the true reason, port 0 has a number before the first
    // link is made, and nobody else takes the port meanwhile. Workers are led to the port when they are ready.
    const config = { ...context.config, port: ledTo ?? (await listen(server, context.config)) }
    let opened: Opened | null = null
    try {
      // Loaded while the database starts: together they are most of a start.
      const library = import('../boardroom.ts')
      library.catch(() => undefined) // awaited below, where it is thrown
      const database = await openForServing(context)
      opened = database
      const { createBoardroom } = await library
      const started = await createBoardroom({
        ...config,
        database: database.database,
        secret: database.secret,
        auditHeadsFile: database.auditHeadsFile,
        dataFolder: config.databaseUrl === undefined ? resolve(config.dataDir) : null,
        logger: log,
        migrate: false, // done, before anything else touched the tables
        ...(ledTo === null ? {} : { metricsOf: { worker: workerPlace(context.env), all: metricsOfWorkers } }),
        clientFolder: fileURLToPath(new URL('../../canvas', import.meta.url)),
      })
      boardroom = started
      const sample = database.isFirstStart ? await makeSampleBoard(started) : null
      const text = greeting(config, await started.setupLink(), sample)
      if (ledTo !== null) await listen(server, config)
      if (ledTo === null) print(text)
      else process.send?.({ ready: text } satisfies ReadyMessage)
      giveBackMemoryOfStart()
      signals.stopWith(async () => {
        const closed = once(server, 'close')
        server.close()
        await started.close({ drainMs })
        server.closeAllConnections()
        await closing('sockets', log, () => closed)
        await closing('database', log, () => database.close())
      })
    } catch (error) {
      server.close()
      server.closeAllConnections()
      await boardroom?.close({ drainMs: 0 })
      await opened?.close()
      throw error
    }
  },
}

/** Requests that arrive before the server is ready are told to come back. */
function serverOf(boardroom: () => Boardroom | null): Server {
  const server = createServer(serverTimeouts, (request, response) => {
    endSlowRequest(request, response)
    const current = boardroom()
    if (current !== null) current.handleRequest(request, response)
    else response.writeHead(503, { 'retry-after': '1', connection: 'close', 'content-length': 0 }).end()
  })
  server.on('connection', (socket) => boardroom()?.handleConnection(socket))
  server.on('upgrade', (request, socket, head) => {
    const current = boardroom()
    if (current === null)
      answerPlainly(
        socket,
        '503 Service Unavailable',
        'Boardroom starts; come back in a moment\n',
        'Retry-After: 1',
      )
    else if (!current.handleUpgrade(request, socket, head))
      answerPlainly(
        socket,
        '404 Not Found',
        'there is no WebSocket at this path; boards are at /ws/{board_id}\n',
      )
  })
  return server
}

/** Where to go, as one text, so that a program that reads the first line gets all of it. */
function greeting(config: Config, firstAccount: string | null, sample: SampleLinks | null): string {
  const publicUrl = publicUrlOf(config)
  const lines = [`Boardroom is ready    ${publicUrl}`]
  if (firstAccount !== null) lines.push(`First account         ${firstAccount}`)
  if (sample !== null) {
    lines.push(`Sample board, view    ${sample.view}`)
    lines.push(`Sample board, comment ${sample.comment}`)
    lines.push(`Sample board, edit    ${sample.edit}`)
  }
  if (!isLoopback(config.host) && publicUrl.startsWith('http:')) {
    lines.push(
      'Note                  passwords and boards travel unencrypted over http; set BOARDROOM_PUBLIC_URL to an https address behind a TLS proxy',
    )
  }
  return lines.join('\n')
}

/** The address people type. */
const publicUrlOf = (config: Config): string =>
  (config.publicUrl ?? `http://${shownHost(config.host)}:${config.port}`).replace(/\/+$/, '')

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.')
const shownHost = (host: string): string =>
  isLoopback(host) || host === '0.0.0.0' || host === '::'
    ? 'localhost'
    : host.includes(':')
      ? `[${host}]`
      : host

/** @returns the port, which the system chose where 0 was asked for. */
async function listen(server: Server, config: Config): Promise<number> {
  server.listen(config.port, config.host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw listenProblem(error, config)
  }
  return (server.address() as AddressInfo).port // a TCP listener
}

/** A port that can be listened to, chosen by the system where 0 was asked for. */
async function freePort(config: Config): Promise<number> {
  const server = createServer()
  const port = await listen(server, config)
  server.close()
  await once(server, 'close')
  return port
}

function listenProblem(error: unknown, { host, port }: Config): BoardroomError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const reason =
    code === 'EADDRINUSE'
      ? `port ${port} is in use; stop what listens there, or start with --port ${port + 1} (or PORT=${port + 1})`
      : code === 'EACCES'
        ? `port ${port} needs more rights than this user has; choose one above 1023 with --port`
        : code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'
          ? `HOST ${host} is no address of this machine; 127.0.0.1 serves this machine only, 0.0.0.0 all networks`
          : `cannot listen on ${host}:${port}`
  return new BoardroomError('invalid_config', reason, { cause: error })
}

/**
 * The first signal drains, the second ends at once. One that comes before there is anything to drain waits for that,
 * so that no database is left running; where the database is an outside one, there is nothing to wait for.
 *
 * An error that nobody caught drains as well, because what is applied is still to be saved, and ends with code 70:
 * a supervisor starts it anew.
 */
class StopSignals {
  readonly #log: CommandContext['log']
  readonly #hasOutsideDatabase: boolean
  #stop: (() => Promise<void>) | null = null
  #isStopping = false
  #exitCode = 0

  constructor({ log, config }: CommandContext, { isWorker }: { isWorker: boolean }) {
    this.#log = log
    this.#hasOutsideDatabase = config.databaseUrl !== undefined
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => {
        // A terminal and systemd signal all of us at once; who counts the signals is the parent.
        if (!isWorker) this.#onSignal(signal)
        else if (signal === 'SIGTERM') this.#onStop()
      })
    if (isWorker) process.on('message', (message) => message === stopMessage && this.#onStop())
    // Rejections that nobody handles come here, too.
    process.on('uncaughtException', (error) => this.#onUncaught(error))
  }

  /** How to stop, from now on. */
  stopWith(stop: () => Promise<void>): void {
    this.#stop = stop
    if (this.#isStopping) this.#run()
  }

  #onStop(): void {
    if (this.#isStopping) return
    if (this.#stop === null) process.exit(0) // nobody was led here yet
    this.#begin()
  }

  #onSignal(signal: NodeJS.Signals): void {
    if (this.#stop === null && this.#hasOutsideDatabase) process.exit(1)
    if (this.#isStopping) {
      this.#log.warn({ signal }, 'second signal: ending at once')
      process.exit(1)
    }
    this.#log.info({ signal }, 'stopping')
    this.#begin()
  }

  #onUncaught(error: unknown): void {
    // While it stops, one more may be the consequence of the first: the end that is under way is still the best one.
    this.#log.error({ err: error }, 'an error that nobody caught: stopping')
    this.#exitCode = uncaughtExitCode
    if (this.#isStopping) return
    if (this.#stop === null && this.#hasOutsideDatabase) process.exit(uncaughtExitCode)
    this.#begin()
  }

  #begin(): void {
    this.#isStopping = true
    setTimeout(() => {
      this.#log.error({ seconds: lastExitMs / 1000 }, 'not stopped in time: ending')
      process.exit(this.#exitCode || 1)
    }, lastExitMs).unref()
    this.#run()
  }

  #run(): void {
    this.#stop?.().then(
      () => {
        this.#log.info('stopped')
        process.exit(this.#exitCode)
      },
      (error: unknown) => {
        this.#log.error({ err: error }, 'stopping failed')
        process.exit(this.#exitCode || 1)
      },
    )
  }
}
