// `boardroom serve`: opens the database, migrates, starts the server, prints where to go, and stops it in order.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Boardroom, createBoardroom } from '../boardroom.ts'
import type { Config } from '../config.ts'
import { BoardroomError } from '../errors.ts'
import { endSlowRequest, serverTimeouts } from '../http/timeouts.ts'
import type { Command, CommandContext } from './command.ts'
import { openForServing } from './open.ts'
import { makeSampleBoard, type SampleLinks } from './sample.ts'

/** SIGTERM: everything is flushed and every socket closed within this; then the process ends. */
const drainMs = 5_000
const lastExitMs = 24_000

export const serveCommand: Command = {
  name: 'serve',
  usage: ['serve [--port 4400] [--host 127.0.0.1] …'],
  options: {},
  async run(context) {
    const { log, print } = context
    const config = { ...context.config, port: await freePort(context.config) }
    const publicUrl = publicUrlOf(config)
    const opened = await openForServing(context)
    let boardroom: Boardroom
    let server: Server
    let sample: SampleLinks | null
    try {
      boardroom = await createBoardroom({
        ...config,
        database: opened.database,
        secret: opened.secret,
        auditHeadsFile: opened.auditHeadsFile,
        logger: log,
        migrate: false, // done, before anything else touched the tables
        clientFolder: fileURLToPath(new URL('../../canvas', import.meta.url)),
      })
      sample = opened.isFirstStart ? await makeSampleBoard(boardroom) : null
      server = createServer(serverTimeouts, (request, response) => {
        endSlowRequest(request, response)
        boardroom.handleRequest(request, response)
      })
      server.on('upgrade', (request, socket, head) => {
        if (boardroom.handleUpgrade(request, socket, head)) return
        socket.on('error', () => socket.destroy())
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () =>
          socket.destroy(),
        )
      })
      await listen(server, config)
    } catch (error) {
      await opened.close()
      throw error
    }
    print(`Boardroom is ready    ${publicUrl}`)
    const firstAccount = await boardroom.setupLink()
    if (firstAccount !== null) print(`First account         ${firstAccount}`)
    if (sample !== null) {
      print(`Sample board, view    ${sample.view}`)
      print(`Sample board, comment ${sample.comment}`)
      print(`Sample board, edit    ${sample.edit}`)
    }
    if (!isLoopback(config.host) && publicUrl.startsWith('http:')) {
      print(
        'Note                  passwords and boards travel unencrypted over http; set BOARDROOM_PUBLIC_URL to an https address behind a TLS proxy',
      )
    }
    stopOnSignals(context, async () => {
      const closed = once(server, 'close')
      server.close()
      await boardroom.close({ drainMs })
      server.closeAllConnections()
      await closed
      await opened.close()
    })
  },
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

async function listen(server: Server, config: Config): Promise<void> {
  server.listen(config.port, config.host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw listenProblem(error, config)
  }
}

/**
 * The port to listen on, tried before the database is touched, so that a second start by mistake ends at once with
 * the true reason, and port 0 has a number before the first link is made.
 */
async function freePort(config: Config): Promise<number> {
  const probe = createServer()
  await listen(probe, config)
  const { port } = probe.address() as AddressInfo // a TCP listener
  probe.close()
  await once(probe, 'close')
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

/** The first signal drains, the second ends at once. */
function stopOnSignals({ log }: CommandContext, stop: () => Promise<void>): void {
  let stopping = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) {
      log.warn({ signal }, 'second signal: ending at once')
      process.exit(1)
    }
    stopping = true
    log.info({ signal }, 'stopping')
    const last = setTimeout(() => {
      log.error({ seconds: lastExitMs / 1000 }, 'not stopped in time: ending')
      process.exit(1)
    }, lastExitMs)
    stop().then(
      () => {
        clearTimeout(last)
        log.info('stopped')
        process.exit(0)
      },
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed')
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
}
