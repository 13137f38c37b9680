// A whole server with a new database, its people, and clients of every kind:
//
//   joining('…', () => withServer(async ({ user, open }) => {
//     const ada = await user('Ada')
//     const board = await ada.board('Plans')
//     const client = await open(board, { ticket: await ada.ticket(board) })
//   }))
//
// Everything opened is closed when `work` ends, even if it fails.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { WebSocket } from 'ws'
import { readAuthMessage } from 'y-protocols/auth'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { type Boardroom, type BoardroomOptions, createBoardroom } from '../../server/boardroom.ts'
import type { Role } from '../../server/principal.ts'
import type { Level } from '../../shared/levels.ts'
import { MessageType } from '../../shared/protocol.ts'
import { type TestDatabase, withDatabase } from './database.ts'
import { eventually } from './eventually.ts'
import { acquaint } from './factories.ts'
import { signedInPerson } from './people.ts'
import { RawClient, type RawOptions } from './raw-client.ts'

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at by tests, whatever their shape
  body: any
}

export type Ask = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>

export interface Person {
  id: number
  name: string
  email: string
  cookie: string
  ask: Ask
  /** Creates a board and returns its id. */
  board(title?: string): Promise<string>
  grant(boardId: string, to: Person | null, level: Level): Promise<Answer>
  ticket(boardId: string, options?: { expires_in?: number; max_level?: Level }): Promise<string>
}

export interface StockOptions {
  ticket?: string
  /** How the ticket is sent; default: subprotocol. */
  via?: 'subprotocol' | 'query'
  cookie?: string
  origin?: string
  doc?: Y.Doc
  /** Tabs of one browser exchange data, bypassing the server. Default: they do not. */
  sharesChannel?: boolean
  /** Default: waits until synced. */
  waitFor?: 'synced' | 'closed' | 'nothing'
}

export interface StockClient {
  doc: Y.Doc
  provider: WebsocketProvider
  /** Close codes in order of arrival. */
  closes: number[]
  /** The first close code from now on, or one that has arrived already. */
  closed: Promise<number>
  /** Why the server did not keep an edit, the first time that it says so. */
  refused: Promise<string>
  stop(): void
}

export interface TestServer extends TestDatabase {
  boardroom: Boardroom
  port: number
  /** http://127.0.0.1:port, an origin of ours. */
  origin: string
  wsUrl: string
  user(name: string, role?: Role): Promise<Person>
  /** Sends a request without any credential unless `headers` has one. */
  ask: Ask
  /** The stock y-websocket provider. */
  open(boardId: string, options?: StockOptions): Promise<StockClient>
  /** A client that shows every frame and sends anything it is told to. */
  raw(boardId: string, options?: RawOptions): Promise<RawClient>
  /** Actions in a board's trail, oldest first. */
  actions(boardId: string): Promise<string[]>
}

export const withServer = <Result>(
  work: (server: TestServer) => Promise<Result>,
  options: Partial<BoardroomOptions> = {},
  /** The server's connection to its database, instead of the direct one. */
  wayTo: (url: string) => string | Promise<string> = (url) => url,
): Promise<Result> =>
  withDatabase(async (database) => {
    const way = await wayTo(database.serverUrl)
    const directWay = database.directUrl === undefined ? undefined : await wayTo(database.directUrl)
    const node = await startNode(database, {
      database: way,
      ...(directWay === undefined ? {} : { databaseDirectUrl: directWay }),
      ...options,
    })
    try {
      return await work(node.server)
    } finally {
      await node.stop()
    }
  })

export interface TestNode {
  server: TestServer
  /** Stops clients and server. */
  stop(): Promise<void>
}

/** A server on a database that may have others. */
export async function startNode(
  database: TestDatabase,
  options: Partial<BoardroomOptions> = {},
): Promise<TestNode> {
  const cleanUp: (() => unknown)[] = []
  const http = createServer()
  http.listen(options.port ?? 0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const closeHttp = () => {
    http.close()
    http.closeAllConnections()
  }
  const { secret = randomBytes(32).toString('base64url') } = options
  const boardroom = await createBoardroom({
    database: database.serverUrl,
    ...(database.directUrl === undefined ? {} : { databaseDirectUrl: database.directUrl }),
    logger: pino({ level: process.env.TEST_LOG ?? 'silent' }),
    failedJoinsPerMinutePerIp: 10_000,
    ...options,
    secret,
    port,
  }).catch((error: unknown) => {
    closeHttp()
    throw error
  })
  attach(http, boardroom)
  const isHttps = options.publicUrl?.startsWith('https:') ?? false
  return {
    server: testServer(database, boardroom, port, { secret, isHttps }, cleanUp),
    async stop() {
      for (const clean of cleanUp.reverse()) await clean()
      await boardroom.close({ drainMs: 0 })
      closeHttp()
    },
  }
}

function attach(http: Server, boardroom: Boardroom): void {
  http.on('request', (request, response) => {
    if (!boardroom.handleRequest(request, response)) response.writeHead(404).end()
  })
  http.on('connection', (socket) => boardroom.handleConnection(socket))
  http.on('upgrade', (request, socket, head) => {
    if (!boardroom.handleUpgrade(request, socket, head)) socket.destroy()
  })
}

function testServer(
  database: TestDatabase,
  boardroom: Boardroom,
  port: number,
  signing: { secret: string; isHttps: boolean },
  cleanUp: (() => unknown)[],
): TestServer {
  const origin = `http://127.0.0.1:${port}`
  const wsUrl = `ws://127.0.0.1:${port}/ws`

  const ask: Ask = async (method, path, body, headers = {}) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      redirect: 'manual',
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }

  const succeeded = (answer: Answer): Answer => {
    if (answer.status >= 300) throw new Error(`got ${answer.status}: ${JSON.stringify(answer.body)}`)
    return answer
  }

  const people: number[] = []
  const user = async (name: string, role: Role = 'user'): Promise<Person> => {
    const email = `${name.toLowerCase().replaceAll(/\W+/g, '.')}@example.org`
    const { id, cookie } = await signedInPerson(database.db, { name, email, role, ...signing })
    people.push(id)
    await acquaint(database.db, ...people)
    const asPerson: Ask = (method, path, body, headers) =>
      ask(method, path, body, { cookie, origin, ...headers })
    return {
      id,
      name,
      email,
      cookie,
      ask: asPerson,
      async board(title = 'Plans') {
        return succeeded(await asPerson('POST', '/api/boards', { title })).body.id
      },
      async grant(boardId, to, level) {
        return succeeded(
          await asPerson('POST', `/api/boards/${boardId}/permissions`, { user_id: to?.id ?? null, level }),
        )
      },
      async ticket(boardId, options = {}) {
        return succeeded(await asPerson('POST', `/api/boards/${boardId}/tickets`, options)).body.ticket
      },
    }
  }

  const open = async (boardId: string, options: StockOptions = {}): Promise<StockClient> => {
    const { ticket, via = 'subprotocol', cookie, doc = new Y.Doc(), waitFor = 'synced' } = options
    class Socket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, {
          headers: {
            ...(cookie === undefined ? {} : { cookie }),
            ...(options.origin === undefined ? {} : { origin: options.origin }),
          },
        })
      }
    }
    const provider = new WebsocketProvider(wsUrl, boardId, doc, {
      disableBc: options.sharesChannel !== true,
      connect: false,
      maxBackoffTime: 100,
      protocols:
        ticket !== undefined && via === 'subprotocol' ? ['boardroom.yjs', `boardroom.ticket.${ticket}`] : [],
      params: ticket !== undefined && via === 'query' ? { ticket } : {},
      WebSocketPolyfill: Socket as unknown as typeof globalThis.WebSocket, // ws has the browser's interface
    })
    const closes: number[] = []
    const closed = new Promise<number>((resolve) => {
      provider.on('connection-close', (event) => {
        if (event === null) return
        closes.push(event.code)
        resolve(event.code)
      })
    })
    // y-websocket only writes it to the console.
    const refused = new Promise<string>((resolve) => {
      provider.messageHandlers[MessageType.auth] = (_encoder, decoder) =>
        readAuthMessage(decoder, doc, (_doc, reason) => resolve(reason))
    })
    const stop = () => {
      provider.destroy()
      doc.destroy()
    }
    cleanUp.push(stop)
    provider.connect()
    if (waitFor === 'synced') await eventually(() => provider.synced)
    if (waitFor === 'closed') await eventually(() => closes.length > 0)
    return { doc, provider, closes, closed, refused, stop }
  }

  return {
    ...database,
    boardroom,
    port,
    origin,
    wsUrl,
    user,
    ask,
    open,
    async raw(boardId, options = {}) {
      const client = new RawClient(`${wsUrl}/${boardId}`, options)
      cleanUp.push(() => client.terminate())
      await client.opened
      return client
    },
    async actions(boardId) {
      const rows = await database.db
        .selectFrom('audit_logs')
        .select('action')
        .where('board_id', '=', boardId)
        .orderBy('timestamp')
        .execute()
      return rows.map((row) => row.action)
    },
  }
}
