// The HTTP side with its boards on a real database, called without a socket. A header says who is asking; other
// suites cover signing in.
import { randomUUID } from 'node:crypto'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { Registry } from 'prom-client'
import { cookieNames } from '../../server/accounts/cookies.ts'
import { Guests } from '../../server/accounts/guests.ts'
import type { AgentsDeps } from '../../server/agents/deps.ts'
import { agentRoutes } from '../../server/agents/routes.ts'
import type { AuditEvent } from '../../server/audit/event.ts'
import { AuditTrail } from '../../server/audit/trail.ts'
import { BoardAccess, type PublicBoards } from '../../server/boards/access.ts'
import type { BoardsDeps } from '../../server/boards/deps.ts'
import { RecordTexts } from '../../server/boards/records/following.ts'
import { boardsRoutes } from '../../server/boards/routes.ts'
import type { CommentsDeps } from '../../server/comments/deps.ts'
import { copyThreads } from '../../server/comments/export-queries.ts'
import { commentRoutes } from '../../server/comments/routes.ts'
import { configWith } from '../../server/config.ts'
import { Notifications } from '../../server/database/notifications.ts'
import { documentOf } from '../../server/documents/content.ts'
import { DocumentWorker } from '../../server/documents/document-worker.ts'
import { createApp } from '../../server/http/app.ts'
import type { Identity } from '../../server/principal.ts'
import type { ConnectionSummary } from '../../server/rooms/ports.ts'
import type { HttpEnv } from '../../server/routing/context.ts'
import { RateLimit } from '../../server/routing/rate-limits.ts'
import { boardDocuments } from '../../server/storage/board-documents.ts'
import type { Ask } from './api-fuzz.ts'
import { type TestDatabase, withDatabase } from './database.ts'
import { anonymousIdentity, guestIdentity, userIdentity } from './identities.ts'

export interface Answer {
  status: number
  // Bodies are checked by assertions, which state what they expect.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  body: any
  headers: Headers
}

export interface TestApp extends TestDatabase {
  app: OpenAPIHono<HttpEnv>
  deps: BoardsDeps
  comments: CommentsDeps
  /** The id of the guest created by an answer's cookie; fails if there is none. */
  guestOf(answer: { headers: Headers }): Promise<string>
  /** The people who are connected, as the app sees it; `away` has the ids that were disconnected. */
  here: ConnectionSummary[]
  away: string[]
  recorded: AuditEvent[]
  closing: AbortController
  /** Sends a request as somebody, for tests that need the response itself. */
  ask(as: number | string): Promise<Ask>
  /** One GET whose answer the caller reads as a stream. */
  open(path: string, as: number | string): Promise<Response>
  /** One request; `as` is a user's id, a guest's uuid, or a custom identity. */
  call(
    method: string,
    path: string,
    options?: { as?: number | string | Identity; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer>
}

export interface TestAppOptions {
  publicBoards?: PublicBoards
  guessesPerMinute?: number
  newGuestsPerMinute?: number
  limits?: Partial<BoardsDeps['limits']>
  commentsPerMinute?: number
  /** The consent that the instance requires of everybody. Default: none. */
  consent?: BoardsDeps['instanceText']
  commentLimits?: Partial<CommentsDeps['limits']>
}

const origin = 'http://localhost:4400'

export const withApp = <Result>(
  work: (test: TestApp) => Promise<Result>,
  options: TestAppOptions = {},
): Promise<Result> =>
  withDatabase(async (test) => {
    const { database, db, schema, log } = test
    const trail = new AuditTrail({ database, log, serverId: randomUUID() })
    const notifications = new Notifications({ direct: database.direct, schema, log })
    await notifications.start()
    const identities = new Map<string, Identity>()
    const here: ConnectionSummary[] = []
    const away: string[] = []
    const recorded: AuditEvent[] = []
    const closing = new AbortController()
    const publicBoards = options.publicBoards ?? 'edit'
    const guests = new Guests(db, cookieNames(false))
    const worker = new DocumentWorker({ log })
    const documents = boardDocuments({
      worker,
      config: configWith(),
      document: async (boardId) => worker.foldStored(await storedOf(test, boardId)),
      // No room is open here: there is only the log.
      edit: async (boardId, change) => {
        const doc = documentOf(await worker.foldStored(await storedOf(test, boardId)))
        doc.on('update', (data: Uint8Array) => {
          void db
            .insertInto('board_updates')
            .values({ board_id: boardId, data: Buffer.from(data) })
            .execute()
        })
        doc.transact(() => change(doc))
      },
    })
    const deps: BoardsDeps = {
      db,
      schema,
      access: new BoardAccess(db, publicBoards, {
        asked: options.consent ?? null,
        urlFor: (boardId) => `${origin}/consent?board=${boardId}`,
      }),
      publicBoards,
      instanceText: options.consent ?? null,
      consentUrl: () => `${origin}/consent`,
      audit: {
        record: (event) => {
          recorded.push(event)
          return trail.record(event)
        },
        recordRead: (...read) => trail.recordRead(...read),
      },
      guests,
      limits: { maxBoardsPerUser: 1000, maxGuestsPerLink: 1000, ...options.limits },
      newGuests: new RateLimit({ limit: options.newGuestsPerMinute ?? 1000, windowMs: 60_000 }),
      failedGuesses: new RateLimit({ limit: options.guessesPerMinute ?? 1000, windowMs: 60_000 }),
      makeTicket: async (identity, boardId) => `ticket for ${identity.principal.kind} on ${boardId}`,
      boardUrl: (boardId) => `${origin}/b/${boardId}`,
      connections: {
        connectionsOf: () => here,
        disconnect: (connectionId) => {
          const index = here.findIndex((connection) => connection.connectionId === connectionId)
          if (index >= 0) away.push(...here.splice(index, 1).map((connection) => connection.connectionId))
          return index >= 0
        },
      },
      documents,
      recordTexts: new RecordTexts({ db, documents, log, closing: closing.signal }),
      copyDocument: async (trx, from, to) => {
        const updates = await trx
          .selectFrom('board_updates')
          .select('data')
          .where('board_id', '=', from)
          .execute()
        for (const { data } of updates)
          await trx.insertInto('board_updates').values({ board_id: to, data }).execute()
        await copyThreads(trx, from, to)
      },
      notifications,
      closing: closing.signal,
      log,
    }
    const comments: CommentsDeps = {
      db,
      schema,
      access: deps.access,
      audit: deps.audit,
      // The stored state: no room is open here.
      live: { document: async (boardId) => worker.foldStored(await storedOf(test, boardId)) },
      worker,
      limits: { maxThreadsPerBoard: 10_000, maxCommentsPerThread: 1000, ...options.commentLimits },
      writes: new RateLimit({ limit: options.commentsPerMinute ?? 100_000, windowMs: 60_000 }),
      mails: false,
      secret: 'a secret of thirty-two characters',
    }
    const live: Pick<AgentsDeps, 'rooms' | 'journal'> = {
      rooms: {
        document: async (boardId) => worker.foldStored(await storedOf(test, boardId)),
        applyAsServer: () => Promise.reject(new Error('no room is open here')),
        saved: () => Promise.resolve(),
      },
      journal: { flush: () => Promise.resolve() },
    }
    const agents: AgentsDeps = { db, access: deps.access, trail: deps.audit, ...live }
    const app = createApp({
      log,
      identify: async (request) => ({
        identity: identities.get(request.headers.get('x-as') ?? '') ?? anonymousIdentity,
        ip: '192.0.2.1',
      }),
      isOurOrigin: (asked) => asked === origin,
      publicUrl: () => origin,
      headers: { publicUrl: origin, frameAncestors: [] },
      registry: new Registry(),
      checks: {},
      clientFolder: null,
      limits: { maxFileBytes: 1024 * 1024, maxBoardBytes: 1024 * 1024 },
      version: '0.0.0',
      routers: [boardsRoutes(deps), commentRoutes(comments), agentRoutes(agents)],
    })
    const call: TestApp['call'] = async (method, path, { as, body, headers = {} } = {}) => {
      const key = randomUUID()
      if (as !== undefined) identities.set(key, await identityOf(test, as))
      const response = await app.request(path, {
        method,
        headers: {
          'x-as': key,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      identities.delete(key)
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.includes('json') ?? false
      return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers }
    }
    const ask: TestApp['ask'] = async (as) => {
      const key = randomUUID()
      identities.set(key, await identityOf(test, as))
      return (method, path, body, contentType = 'application/json') =>
        app.request(path, {
          method,
          headers: { 'x-as': key, ...(body === undefined ? {} : { 'content-type': contentType }) },
          ...(body === undefined ? {} : { body }),
        })
    }
    const guestOf: TestApp['guestOf'] = async ({ headers }) => {
      const guest = await guests.find(headers.get('set-cookie')?.split(';')[0])
      if (guest === null) throw new Error('no guest came out of this answer')
      return guest.id
    }
    const open: TestApp['open'] = async (path, as) => {
      const key = randomUUID()
      identities.set(key, await identityOf(test, as))
      return app.request(path, { headers: { 'x-as': key } })
    }
    try {
      return await work({
        ...test,
        app,
        deps,
        comments,
        here,
        away,
        recorded,
        closing,
        call,
        ask,
        open,
        guestOf,
      })
    } finally {
      closing.abort()
      await worker.close()
      await trail.close()
      await notifications.close()
    }
  })

const storedOf = async ({ db }: TestDatabase, boardId: string) => {
  const rows = await db.selectFrom('board_updates').select('data').where('board_id', '=', boardId).execute()
  return { snapshot: null, updates: rows.map(({ data }) => data) }
}

async function identityOf({ db }: TestDatabase, as: number | string | Identity): Promise<Identity> {
  if (typeof as === 'object') return as
  if (typeof as === 'string') return guestIdentity(as)
  const user = await db
    .selectFrom('users')
    .select(['name', 'role'])
    .where('id', '=', as)
    .executeTakeFirstOrThrow()
  return userIdentity(as, user.role, user.name)
}
