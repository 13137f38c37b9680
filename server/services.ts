// The services of a Boardroom for embedders: boards, access, links, tickets, documents. They are the functions that
// serve HTTP, with people named by the embedder's own ids. The caller is trusted; nothing here checks rights.
import type { KeyObject } from 'node:crypto'
import type { Doc } from 'yjs'
import type {
  AuditResponse,
  AuthorResponse,
  BoardCreate,
  BoardPermissionResponse,
  BoardResponse,
  BoardUpdate,
  ConnectionResponse,
  ShareLinkCreate,
  ShareLinkResponse,
} from '../shared/api.ts'
import type { Level } from '../shared/levels.ts'
import { userById } from './accounts/queries.ts'
import { makeTicket } from './accounts/tickets.ts'
import { type ForeignUser, foreignUser } from './accounts/users.ts'
import { filterOf } from './audit/filter.ts'
import { auditPage } from './audit/pages.ts'
import type { AuditFilter } from './audit/queries.ts'
import { type BoardAccess, subjectOf } from './boards/access.ts'
import { listAuthors } from './boards/authors.ts'
import {
  boardResponse,
  createBoard,
  deleteBoard,
  duplicateBoard,
  purgeBoard,
  readBoard,
  restoreBoard,
  updateBoard,
} from './boards/boards.ts'
import type { BoardsDeps } from './boards/deps.ts'
import { LinkPasswords } from './boards/link-password.ts'
import { disconnect, listConnections } from './boards/people.ts'
import { permissionIdOf } from './boards/permission-queries.ts'
import { everybodyKnown, grantPermission, listPermissions, revokePermission } from './boards/permissions.ts'
import { createShareLink, listShareLinks, revokeShareLink, shareLinkUrl } from './boards/share-links.ts'
import type { CommentsDeps, Writer } from './comments/deps.ts'
import { type CommentsService, commentsService } from './comments/service.ts'
import type { Database } from './database/database.ts'
import { BoardroomError } from './errors.ts'
import { type Actor, actorOf, type Identity, principalKey, systemActor } from './principal.ts'
import type { AccessDecision } from './rooms/ports.ts'
import type { Rooms } from './rooms/rooms.ts'
import type { StorageDeps } from './storage/deps.ts'
import { type Format, type ImportSummary, importDocument } from './storage/documents.ts'

/** A user by id, or a user of the embedder, who is created on first use. */
export type Person = number | ForeignUser

/** `by` is the actor in the trail; the system by default. All throw BoardroomError with the codes of the HTTP routes. */
export interface Services {
  users: {
    /** The id of an embedder's user. */
    idOf(user: ForeignUser): Promise<number>
  }
  boards: {
    /** @returns the board's id. `owner`: the system by default. */
    create(board: BoardCreate & { owner?: Person }): Promise<string>
    read(boardId: string): Promise<BoardResponse>
    /** Title, publication, `members_level`, and with `owner_id` another owner. */
    update(boardId: string, change: BoardUpdate, by?: Person): Promise<void>
    duplicate(boardId: string, owner: Person): Promise<string>
    delete(boardId: string, by?: Person): Promise<void>
    restore(boardId: string, by?: Person): Promise<void>
    purge(boardId: string, by?: Person): Promise<void>
  }
  permissions: {
    /** @param grant.user null means everyone. */
    grant(grant: {
      boardId: string
      user: Person | null
      level: Level
      by?: Person
    }): Promise<BoardPermissionResponse>
    /** Revokes a permission by its id, or that of `user` (null: everyone). Open sockets are updated at once. */
    revoke(
      revocation: { boardId: string; by?: Person } & ({ permissionId: number } | { user: Person | null }),
    ): Promise<void>
    /** In the order in which they were first granted. */
    list(boardId: string, page?: PageOptions): Promise<Page<BoardPermissionResponse>>
  }
  shareLinks: {
    /** The only time that its `url` is available. */
    create(
      link: ShareLinkCreate & { boardId: string; by?: Person },
    ): Promise<ShareLinkResponse & { url: string }>
    /** Everybody who came in through it is disconnected at once. */
    revoke(revocation: { boardId: string; linkId: string; by?: Person }): Promise<void>
    /** Newest first, including those that no longer work; `url` is null. */
    list(boardId: string, page?: PageOptions): Promise<Page<ShareLinkResponse>>
  }
  tickets: {
    /** Proves to this board's socket and HTTP routes who `user` is, for 12 hours by default; access is looked up when it is used. */
    create(ticket: {
      boardId: string
      user: Person
      maxLevel?: Level
      expiresInS?: number
    }): Promise<{ ticket: string; expiresAt: Date }>
  }
  documents: {
    /** The board's current state as one Yjs update v1. */
    read(boardId: string): Promise<Uint8Array>
    /** A change by the server, as an update v1 or an editing function; collaborators see it live. Resolves once committed. */
    edit(boardId: string, change: Uint8Array | ((doc: Doc) => void), by?: Person): Promise<void>
    /** Who edited, under which Yjs client ids; the most recent to begin comes first. */
    authors(boardId: string, page?: PageOptions): Promise<Page<AuthorResponse>>
    /** Imports a file by the rules of the HTTP import; collaborators see it live. `replace` removes existing content. */
    import(
      boardId: string,
      file: { format: Format; body: Uint8Array; replace?: boolean },
      by?: Person,
    ): Promise<ImportSummary>
  }
  /** Threads and comments. */
  comments: CommentsService<Person>
  connections: {
    /** Who is on the board now, in this process, longest first. */
    list(boardId: string): Promise<ConnectionResponse[]>
    /** Closes a connection with 4403 and revokes what its person held through links of the board. */
    disconnect(connection: { boardId: string; connectionId: string; by?: Person }): Promise<void>
  }
  audit: {
    /** Newest first: for one board or, without `board_id`, for the whole instance. */
    list(filter?: AuditFilter, page?: PageOptions): Promise<Page<AuditResponse>>
  }
  access: {
    /** What `user` (null: anonymous) may currently do on a board, and why. */
    of(boardId: string, user: Person | null): Promise<AccessDecision>
  }
}

export interface PageOptions {
  /** Default: 100. */
  limit?: number
  /** `next_cursor` of the previous page. */
  cursor?: string
}

export interface Page<Item> {
  items: Item[]
  next_cursor: string | null
}

export interface ServicesDeps {
  database: Database
  boards: BoardsDeps
  access: BoardAccess
  rooms: Rooms
  storage: StorageDeps
  comments: CommentsDeps
  ticketKey: KeyObject
}

const systemWriter = { principal: 'system', name: 'System', label: null, identity: null, mayManage: true }

export function servicesOf({
  database,
  boards,
  access,
  rooms,
  storage,
  comments,
  ticketKey,
}: ServicesDeps): Services {
  const { db } = boards
  const linkDeps = { ...boards, passwords: new LinkPasswords() }
  const idOf = async (person: Person): Promise<number> =>
    typeof person === 'number' ? person : (await foreignUser(db, person)).id

  const identityOf = async (person: Person): Promise<Identity> => {
    const user = typeof person === 'number' ? await userById(db, person) : await foreignUser(db, person)
    if (user === undefined) throw new BoardroomError('not_found', 'there is no user with this id')
    const principal = { kind: 'user', userId: user.id, name: user.name, role: user.role } as const
    return { principal, via: 'embedder', sessionId: null, boardId: null, maxLevel: null }
  }
  const actorFor = async (by: Person | undefined): Promise<Actor> =>
    by === undefined ? systemActor : actorOf(await identityOf(by), null, null)

  const writerFor = async (by: Person | undefined): Promise<Writer> => {
    if (by === undefined) return { ...systemWriter, actor: systemActor }
    const identity = await identityOf(by)
    const { principal } = identity
    return {
      actor: actorOf(identity, null, null),
      principal: principalKey(principal),
      name: principal.kind === 'anonymous' ? 'Anonymous' : principal.name.slice(0, 100),
      label: null,
      identity: null,
      mayManage: true,
    }
  }

  return {
    users: { idOf: async (user) => (await foreignUser(db, user)).id },
    boards: {
      create: async ({ owner, ...body }) => createBoard(boards, await actorFor(owner), body),
      read: async (boardId) =>
        boardResponse(await readBoard(boards, boardId), { level: 'edit', mayManage: true }),
      update: async (boardId, change, by) => updateBoard(boards, await actorFor(by), boardId, change),
      duplicate: async (boardId, owner) => duplicateBoard(boards, await actorFor(owner), boardId),
      async delete(boardId, by) {
        await deleteBoard(boards, await actorFor(by), boardId)
      },
      async restore(boardId, by) {
        await restoreBoard(boards, await actorFor(by), boardId)
      },
      purge: async (boardId, by) => purgeBoard(boards, await actorFor(by), boardId),
    },
    permissions: {
      async grant({ boardId, user, level, by }) {
        const body = { user_id: user === null ? null : await idOf(user), level }
        return (await grantPermission(boards, await actorFor(by), everybodyKnown, boardId, body)).permission
      },
      async revoke({ boardId, by, ...which }) {
        const id =
          'permissionId' in which
            ? which.permissionId
            : await permissionIdOf(db, boardId, which.user === null ? null : await idOf(which.user))
        if (id === null) throw new BoardroomError('not_found', 'this board has no such permission')
        await revokePermission(boards, await actorFor(by), boardId, id)
      },
      list: (boardId, page) => listPermissions(boards, everybodyKnown, boardId, { limit: 100, ...page }),
    },
    shareLinks: {
      async create({ boardId, by, ...body }) {
        const { link, token } = await createShareLink(linkDeps, await actorFor(by), boardId, body)
        return { ...link, url: shareLinkUrl(boards.boardUrl(boardId, null), token) }
      },
      revoke: async ({ boardId, linkId, by }) =>
        revokeShareLink(linkDeps, await actorFor(by), boardId, linkId),
      list: (boardId, page) => listShareLinks(linkDeps, boardId, { limit: 100, ...page }),
    },
    tickets: {
      create: async ({ boardId, user, maxLevel, expiresInS }) =>
        makeTicket(ticketKey, await identityOf(user), { boardId, maxLevel, expiresInS }),
    },
    documents: {
      read: (boardId) => rooms.document(boardId),
      async edit(boardId, change, by) {
        const author = by === undefined ? 'system' : principalKey((await identityOf(by)).principal)
        await rooms.applyAsServer(boardId, change, author)
      },
      authors: (boardId, page) => listAuthors(boards, boardId, { limit: 100, ...page }),
      async import(boardId, { format, body, replace = false }, by) {
        const author = by === undefined ? 'system' : principalKey((await identityOf(by)).principal)
        const actor = await actorFor(by)
        return importDocument(storage, { boardId, format, body, replace, author, actor, level: null })
      },
    },
    comments: commentsService(comments, writerFor),
    connections: {
      list: (boardId) => listConnections(boards, boardId),
      disconnect: async ({ boardId, connectionId, by }) =>
        disconnect(boards, await actorFor(by), boardId, connectionId),
    },
    audit: {
      list: (filter = {}, page) => auditPage(database, filterOf(filter, null), { limit: 100, ...page }),
    },
    access: {
      async of(boardId, user) {
        const nobody: Identity = {
          principal: { kind: 'anonymous', id: 'nobody' },
          via: 'anonymous',
          sessionId: null,
          boardId: null,
          maxLevel: null,
        }
        return access.decideOne(subjectOf(user === null ? nobody : await identityOf(user), boardId))
      },
    },
  }
}
