// A server with the built canvas, which can stop and come back on the same database and port.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { type Boardroom, type BoardroomOptions, createBoardroom } from '../../server/boardroom.ts'
import type { Level } from '../../shared/levels.ts'
import type { Scene } from '../../shared/scene.ts'
import { type TestDatabase, withDatabase } from './database.ts'
import { acquaint } from './factories.ts'
import { password, signedInPerson } from './people.ts'

export interface CanvasPerson {
  id: number
  email: string
  password: string
  /** For a browser context. */
  cookie: string
  /** Calls the API as this person. @throws for any answer that is not a success */
  ask<Body = unknown>(method: string, path: string, body?: unknown): Promise<Body>
  board(title?: string): Promise<string>
  /** Creates a share link. */
  link(boardId: string, level: Level, options?: Record<string, unknown>): Promise<{ id: string; url: string }>
  /** Imports a drawing into a board, like a file. @param replace instead of the existing drawing */
  importScene(boardId: string, elements: readonly unknown[], replace?: boolean): Promise<unknown>
  /** The drawing as the server has it. */
  scene(boardId: string): Promise<Scene>
}

export interface CanvasServer extends TestDatabase {
  origin: string
  port: number
  boardroom(): Boardroom
  user(name: string): Promise<CanvasPerson>
  /** No answers from now on: sockets are cut, and so are new connections. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Nothing that clients send is received, and nobody is told, until it is called with false. */
  deafen(isDeaf: boolean): void
}

/** Browser messages about a server that is gone. */
export const gone = /WebSocket|ERR_CONNECTION|ERR_SOCKET_NOT_CONNECTED|ERR_EMPTY_RESPONSE|503/

/**
 * Up to how many ms a request is delayed before it is answered, to find tests that rely on a fast machine: see
 * CONTRIBUTING.md.
 */
const slowest = Number(process.env.TEST_SLOW_ANSWERS ?? 0)

const clientFolder = fileURLToPath(new URL('../../canvas', import.meta.url))

export const withCanvas = <Result>(
  work: (server: CanvasServer) => Promise<Result>,
  options: Partial<BoardroomOptions> = {},
): Promise<Result> =>
  withDatabase(async (database) => {
    const secret = randomBytes(32).toString('base64url')
    let boardroom: Boardroom | null = null
    const http = createServer((request, response) => {
      const answer = () => {
        if (boardroom?.handleRequest(request, response) !== true) response.writeHead(503).end()
      }
      if (slowest > 0 && request.url?.startsWith('/api/') === true)
        setTimeout(answer, Math.random() * slowest)
      else answer()
    })
    http.on('upgrade', (request, socket, head) => {
      if (boardroom?.handleUpgrade(request, socket, head) !== true) socket.destroy()
    })
    // The port stays reserved while the server is stopped, so that nobody else can take it.
    let isStopped = false
    const sockets = new Set<Socket>()
    http.on('connection', (socket) => {
      if (isStopped) socket.destroy()
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const { port } = http.address() as AddressInfo // a TCP port was requested

    const start = async () => {
      const logger = pino({ level: process.env.TEST_LOG ?? 'silent' })
      boardroom = await createBoardroom({
        database: database.url,
        secret,
        logger,
        clientFolder,
        ...options,
        port,
      })
      isStopped = false
    }
    const stop = async () => {
      const ending = boardroom
      boardroom = null
      isStopped = true
      await ending?.close({ drainMs: 0 })
      http.closeAllConnections()
    }

    await start()
    const origin = `http://127.0.0.1:${port}`
    try {
      return await work({
        ...database,
        origin,
        port,
        boardroom() {
          if (boardroom === null) throw new Error('the server is stopped')
          return boardroom
        },
        user: (name) => makeUser(database, origin, secret, name),
        stop,
        start,
        deafen: (isDeaf) => {
          for (const socket of sockets) isDeaf ? socket.pause() : socket.resume()
        },
      })
    } finally {
      await stop()
      http.close()
    }
  })

const makeUser = async (
  database: TestDatabase,
  origin: string,
  secret: string,
  name: string,
): Promise<CanvasPerson> => {
  const email = `${name.toLowerCase()}@example.org`
  const { id, cookie } = await signedInPerson(database.db, { name, email, secret })
  const all = await database.db.selectFrom('users').select('id').where('role', '=', 'user').execute()
  await acquaint(database.db, ...all.map((user) => user.id))

  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    accept?: string,
    type = 'application/json',
  ) => {
    const response = await fetch(`${origin}/api${path}`, {
      method,
      headers: {
        cookie,
        origin,
        ...(body === undefined ? {} : { 'content-type': type }),
        ...(accept === undefined ? {} : { accept }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }

  return {
    id,
    email,
    password,
    cookie,
    ask: (method, path, body) => ask(method, path, body),
    board: async (title = 'Plans') => (await ask('POST', '/boards', { title })).id,
    link: (boardId, level, more = {}) => ask('POST', `/boards/${boardId}/share-links`, { level, ...more }),
    importScene: (boardId, elements, replace = false) =>
      ask(
        'POST',
        `/boards/${boardId}/import?replace=${replace}`,
        { type: 'excalidraw', elements },
        undefined,
        'application/vnd.excalidraw+json',
      ),
    scene: (boardId) =>
      ask('GET', `/boards/${boardId}/document`, undefined, 'application/vnd.excalidraw+json'),
  }
}

/** Registers tests that need a browser; if there is none, reports how many were skipped. */
export const browserTests = (
  chromium: string | null,
  test: (name: string, work: () => Promise<void>) => void,
) => {
  let skipped = 0
  return {
    add(name: string, work: (executablePath: string) => Promise<void>): void {
      if (chromium === null) skipped++
      else test(name, () => work(chromium))
    },
    end(): void {
      if (skipped > 0)
        console.log(`# skipped ${skipped}: no Chromium on this machine, and none could be fetched`)
    },
  }
}
