// `boardroom/client`: a Boardroom client for other programs, in a browser or in Node. Its types are those of the
// schemas that validate every request on the server and from which the OpenAPI document is generated.
import type * as Y from 'yjs'
import type {
  CommentCreate,
  CommentResponse,
  ThreadCreate,
  ThreadListQuery,
  ThreadResponse,
} from '../api/comments.ts'
import type { ServiceKeyCreate, ServiceKeyResponse } from '../api/service-keys.ts'
import type {
  WebhookCreate,
  WebhookDeliveryResponse,
  WebhookResponse,
  WebhookUpdate,
} from '../api/webhooks.ts'
import type {
  AccessResponse,
  AuditResponse,
  BoardCreate,
  BoardListQuery,
  BoardPermissionCreate,
  BoardPermissionResponse,
  BoardResponse,
  BoardUpdate,
  ConnectionResponse,
  MeResponse,
  ShareLinkCreate,
  ShareLinkExchange,
  ShareLinkExchangeResponse,
  ShareLinkResponse,
  ShareLinkUpdate,
  TicketCreate,
  TicketResponse,
  VersionResponse,
} from '../api.ts'
import { Board } from './board.ts'
import { type Ask, createHttp, type Http, type Page } from './http.ts'
import type { SocketClass } from './provider.ts'
import { renewing, type TicketSource } from './tickets.ts'

export { Board, type BoardEvents } from './board.ts'
export { ApiError, type Page } from './http.ts'
export { BoardProvider, type ProviderListener, type SocketClass } from './provider.ts'
export type { TicketSource } from './tickets.ts'

export interface ClientOptions {
  /** The address of the Boardroom: `https://boards.example.org`. */
  url: string
  /** A service key, a session token, or a token from your own sign-in. Never use a key in a browser. */
  token?: string
  /**
   * The source of tickets: a ticket opens its board, over the socket and over HTTP. With `token` they are requested
   * automatically.
   */
  ticket?: TicketSource
  /** Whether the browser's cookies are sent (pages on the Boardroom's own origin and on origins that it allows). */
  cookies?: boolean
  /** In Node: `WebSocket` of the package ws (or the global one, from Node 22 on). */
  WebSocket?: unknown
  fetch?: typeof fetch
}

export type Client = ReturnType<typeof createClient>

type PageOptions = { limit?: number; cursor?: string }
type Query = NonNullable<Ask['query']>

/** @throws ApiError from every call that the server refuses, with the codes of docs/api.md, or `unreachable`. */
export function createClient(options: ClientOptions) {
  const { url, token, cookies = false } = options
  const asBearer = token === undefined ? null : `Bearer ${token}`
  const tickets =
    options.ticket !== undefined
      ? renewing(options.ticket)
      : token !== undefined
        ? renewing(async (boardId) => (await ticketsApi.create(boardId)).ticket)
        : null
  const http: Http = createHttp({
    url,
    credentials: () => (cookies ? 'include' : 'omit'),
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    ...(asBearer !== null
      ? { authorization: () => asBearer }
      : tickets !== null
        ? {
            authorization: async (boardId: string | null, isAgain: boolean) =>
              boardId === null ? null : `Bearer ${await tickets.of(boardId, isAgain)}`,
          }
        : {}),
  })
  const { json, done, ask } = http
  const board = (id: string, rest = '') => `/boards/${encodeURIComponent(id)}${rest}`
  const ticketsApi = {
    /** A ticket for oneself; with a service key also for `user: {external_id, name}`. */
    create: (boardId: string, body: TicketCreate = {}) =>
      json<TicketResponse>('POST', board(boardId, '/tickets'), { body }),
  }

  return {
    /** Any other route of `/api`. */
    http,
    me: () => json<MeResponse>('GET', '/me'),
    boards: {
      create: (body: BoardCreate = {}) => json<BoardResponse>('POST', '/boards', { body }),
      list: (query: Partial<BoardListQuery> = {}) =>
        json<Page<BoardResponse>>('GET', '/boards', { query: query as Query }),
      get: (id: string) => json<BoardResponse>('GET', board(id)),
      update: (id: string, body: BoardUpdate) => json<BoardResponse>('PATCH', board(id), { body }),
      /** Into the trash. */
      delete: (id: string) => done('DELETE', board(id)),
      purge: (id: string) => done('DELETE', board(id), { query: { purge: true } }),
      restore: (id: string) => json<BoardResponse>('POST', board(id, '/restore')),
      duplicate: (id: string) => json<BoardResponse>('POST', board(id, '/duplicate')),
    },
    permissions: {
      grant: (boardId: string, body: BoardPermissionCreate) =>
        json<BoardPermissionResponse>('POST', board(boardId, '/permissions'), { body }),
      list: (boardId: string, query: PageOptions = {}) =>
        json<Page<BoardPermissionResponse>>('GET', board(boardId, '/permissions'), { query }),
      revoke: (boardId: string, permissionId: number) =>
        done('DELETE', board(boardId, `/permissions/${permissionId}`)),
    },
    shareLinks: {
      create: (boardId: string, body: ShareLinkCreate) =>
        json<ShareLinkResponse>('POST', board(boardId, '/share-links'), { body }),
      list: (boardId: string, query: PageOptions = {}) =>
        json<Page<ShareLinkResponse>>('GET', board(boardId, '/share-links'), { query }),
      update: (boardId: string, linkId: string, body: ShareLinkUpdate) =>
        json<ShareLinkResponse>('PATCH', board(boardId, `/share-links/${linkId}`), { body }),
      revoke: (boardId: string, linkId: string) => done('DELETE', board(boardId, `/share-links/${linkId}`)),
      exchange: (body: ShareLinkExchange) =>
        json<ShareLinkExchangeResponse>('POST', '/share-links/exchange', { body }),
    },
    tickets: ticketsApi,
    comments: {
      threads: (boardId: string, query: Partial<ThreadListQuery> = {}) =>
        json<Page<ThreadResponse>>('GET', board(boardId, '/threads'), { query: query as Query }),
      thread: (boardId: string, threadId: string) =>
        json<ThreadResponse>('GET', board(boardId, `/threads/${threadId}`)),
      create: (boardId: string, body: ThreadCreate) =>
        json<ThreadResponse>('POST', board(boardId, '/threads'), { body }),
      reply: (boardId: string, threadId: string, body: CommentCreate) =>
        json<CommentResponse>('POST', board(boardId, `/threads/${threadId}/comments`), { body }),
      resolve: (boardId: string, threadId: string, resolved: boolean) =>
        json<ThreadResponse>('PATCH', board(boardId, `/threads/${threadId}`), { body: { resolved } }),
      edit: (boardId: string, commentId: string, body: { body: string; mentions?: string[] }) =>
        json<CommentResponse>('PATCH', board(boardId, `/comments/${commentId}`), { body }),
      delete: (boardId: string, commentId: string) =>
        done('DELETE', board(boardId, `/comments/${commentId}`)),
    },
    documents: {
      /** One Yjs update v1. */
      read: async (boardId: string) =>
        new Uint8Array(
          await (
            await ask('GET', board(boardId, '/document'), { accept: 'application/octet-stream' })
          ).arrayBuffer(),
        ),
      /** As an `.excalidraw` file. */
      scene: (boardId: string) =>
        json<Record<string, unknown>>('GET', board(boardId, '/document'), {
          accept: 'application/vnd.excalidraw+json',
        }),
      /** A Yjs update v1, or a drawing with its type `application/vnd.excalidraw+json`. */
      import: (boardId: string, body: Uint8Array<ArrayBuffer> | Blob, type = 'application/octet-stream') =>
        done('POST', board(boardId, '/import'), { body, type }),
    },
    versions: {
      list: (boardId: string, query: PageOptions = {}) =>
        json<Page<VersionResponse>>('GET', board(boardId, '/versions'), { query }),
      create: (boardId: string, name: string) =>
        json<VersionResponse>('POST', board(boardId, '/versions'), { body: { name } }),
    },
    people: {
      access: (boardId: string) => json<AccessResponse>('GET', board(boardId, '/access')),
      here: (boardId: string) => json<Page<ConnectionResponse>>('GET', board(boardId, '/connections')),
      sendAway: (boardId: string, connectionId: string) =>
        done('DELETE', board(boardId, `/connections/${connectionId}`)),
    },
    audit: {
      /** `boardId` null: for the instance, for administrators. */
      list: (boardId: string | null, query: Query = {}) =>
        json<Page<AuditResponse>>('GET', boardId === null ? '/audit' : board(boardId, '/audit'), { query }),
    },
    serviceKeys: {
      create: (body: ServiceKeyCreate) => json<ServiceKeyResponse>('POST', '/service-keys', { body }),
      list: () => json<Page<ServiceKeyResponse>>('GET', '/service-keys'),
      rotate: (id: string, body: { overlap_seconds?: number; expires_at?: string | null } = {}) =>
        json<ServiceKeyResponse>('POST', `/service-keys/${id}/rotate`, { body }),
      revoke: (id: string) => done('DELETE', `/service-keys/${id}`),
    },
    webhooks: {
      create: (body: WebhookCreate) => json<WebhookResponse>('POST', '/webhooks', { body }),
      list: () => json<Page<WebhookResponse>>('GET', '/webhooks'),
      get: (id: string) => json<WebhookResponse>('GET', `/webhooks/${id}`),
      update: (id: string, body: WebhookUpdate) =>
        json<WebhookResponse>('PATCH', `/webhooks/${id}`, { body }),
      delete: (id: string) => done('DELETE', `/webhooks/${id}`),
      deliveries: (id: string, query: PageOptions & { state?: string } = {}) =>
        json<Page<WebhookDeliveryResponse>>('GET', `/webhooks/${id}/deliveries`, { query }),
    },
    /** Opens a board: its document, live. The caller must call `destroy()`. */
    open: (boardId: string, { doc }: { doc?: Y.Doc } = {}): Board =>
      new Board({
        boardId,
        doc,
        tickets,
        serverUrl: `${url.replace(/\/+$/, '').replace(/^http/, 'ws')}/ws`,
        socketClass: socketClassOf(options.WebSocket),
      }),
  }
}

function socketClassOf(given: unknown): SocketClass {
  const found = given ?? (globalThis as { WebSocket?: unknown }).WebSocket
  if (typeof found !== 'function') {
    throw new Error('this runtime has no WebSocket: pass the one of the package ws to createClient')
  }
  return found as SocketClass // a class with the browser's interface; the caller guarantees it
}

/** Every item of a list, page by page: `for await (const board of all((page) => client.boards.list(page)))`. */
export async function* all<Item>(
  list: (page: { cursor?: string }) => Promise<Page<Item>>,
): AsyncGenerator<Item> {
  let cursor: string | null = null
  do {
    const page: Page<Item> = await list(cursor === null ? {} : { cursor })
    yield* page.items
    cursor = page.next_cursor
  } while (cursor !== null)
}
