// `boardroom serve`: opens the database, migrates, starts the server, prints the addresses, and shuts down in order.
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

/** After SIGTERM everything is flushed and every socket closed within this time; then the process exits. */
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
    // First of all, so that an accidental second start fails at once with the real reason, port 0 is resolved before the
    // first link is created, and nobody else takes the port. Workers are directed to the port when they are ready.
    const config = { ...context.config, port: ledTo ?? (await listen(server, context.config)) }
    let opened: Opened | null = null
    try {
      // Loaded while the database starts: together these two are most of the start-up time.
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
        migrate: false, // it is migrated before anything else touches the tables
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

/** Requests that arrive before the server is ready are told to retry. */
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
        'Boardroom is starting; try again in a moment\n',
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

/** The addresses to open, written at once, so that a program waiting for the first line gets all of it. */
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

/** The address that people type. */
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

/** @returns the port, which the system picks if 0 was requested. */
async function listen(server: Server, config: Config): Promise<number> {
  server.listen(config.port, config.host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw listenProblem(error, config)
  }
  return (server.address() as AddressInfo).port // a TCP listener
}

/** A port that can be listened on; picked by the system if 0 was requested. */
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
      ? `port ${port} is in use; stop the program that listens there, or start with --port ${port + 1} (or PORT=${port + 1})`
      : code === 'EACCES'
        ? `port ${port} requires more rights than this user has; choose one above 1023 with --port`
        : code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'
          ? `HOST ${host} is not an address of this machine; 127.0.0.1 serves only this machine, 0.0.0.0 all networks`
          : `cannot listen on ${host}:${port}`
  return new BoardroomError('invalid_config', reason, { cause: error })
}

/**
 * The first signal drains, the second exits at once. A signal that arrives before there is anything to drain waits until
 * there is, so that no embedded database is left running; with an external database there is nothing to wait for.
 *
 * An uncaught error drains as well, because applied edits must still be saved, and then exits with code 70, so that a
 * supervisor restarts the program.
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
        // A terminal and systemd signal all processes at once; the parent counts the signals.
        if (!isWorker) this.#onSignal(signal)
        else if (signal === 'SIGTERM') this.#onStop()
      })
    if (isWorker) process.on('message', (message) => message === stopMessage && this.#onStop())
    // Unhandled rejections arrive here, too.
    process.on('uncaughtException', (error) => this.#onUncaught(error))
  }

  /** Sets how to stop from now on. */
  stopWith(stop: () => Promise<void>): void {
    this.#stop = stop
    if (this.#isStopping) this.#run()
  }

  #onStop(): void {
    if (this.#isStopping) return
    if (this.#stop === null) process.exit(0) // no connection was directed here yet
    this.#begin()
  }

  #onSignal(signal: NodeJS.Signals): void {
    if (this.#stop === null && this.#hasOutsideDatabase) process.exit(1)
    if (this.#isStopping) {
      this.#log.warn({ signal }, 'second signal: exiting at once')
      process.exit(1)
    }
    this.#log.info({ signal }, 'stopping')
    this.#begin()
  }

  #onUncaught(error: unknown): void {
    // During shutdown, a further error may be a consequence of the first; the shutdown in progress is still the best way.
    this.#log.error({ err: error }, 'uncaught error: shutting down')
    this.#exitCode = uncaughtExitCode
    if (this.#isStopping) return
    if (this.#stop === null && this.#hasOutsideDatabase) process.exit(uncaughtExitCode)
    this.#begin()
  }

  #begin(): void {
    this.#isStopping = true
    setTimeout(() => {
      this.#log.error({ seconds: lastExitMs / 1000 }, 'the shutdown took too long: exiting')
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
