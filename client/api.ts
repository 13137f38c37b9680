// The server's HTTP API, typed. Every failure is an ApiError with the server's code, even if there is no server.
import type {
  AgentCreate,
  AgentCreated,
  AgentEditResponse,
  AgentGrantCreate,
  AgentGrantResponse,
  AgentResponse,
  AgentUndone,
  AgentUpdate,
} from '../shared/api/agents.ts'
import type {
  CommentCreate,
  CommentResponse,
  MentionableResponse,
  NotificationResponse,
  ThreadCreate,
  ThreadListQuery,
  ThreadResponse,
} from '../shared/api/comments.ts'
import type {
  AccessRequestCreate,
  AccessRequestResponse,
  FolderCreate,
  FolderPermissionResponse,
  FolderResponse,
  FolderUpdate,
  Moderation,
  ModerationResponse,
  OwnAccessRequest,
  Summon,
} from '../shared/api/folders.ts'
import type { LibraryItemCreate, LibraryItemResponse, OwnLibrary } from '../shared/api/library.ts'
import type {
  AccessResponse,
  AuditResponse,
  BoardCreate,
  BoardListQuery,
  BoardOfferResponse,
  BoardPermissionCreate,
  BoardPermissionResponse,
  BoardResponse,
  BoardUpdate,
  ConnectionResponse,
  MeResponse,
  SetupRequest,
  ShareLinkCreate,
  ShareLinkExchange,
  ShareLinkExchangeResponse,
  ShareLinkPreviewResponse,
  ShareLinkResponse,
  ShareLinkUpdate,
  VersionResponse,
} from '../shared/api.ts'
import { createHttp, type Page, queryOf } from '../shared/client/http.ts'
import type { Level } from '../shared/levels.ts'

export { ApiError, type Page, queryOf as query } from '../shared/client/http.ts'

let spokenFor: { ticket: string | null } | null = null

/** Inside a page of another site: with a ticket or anonymously, and never with cookies. */
export const actBy = (ticket: string | null): void => {
  spokenFor = { ticket }
}

export const { ask, json, done } = createHttp({
  url: '',
  credentials: () => (spokenFor === null ? 'same-origin' : 'omit'),
  authorization: () =>
    spokenFor === null || spokenFor.ticket === null ? null : `Bearer ${spokenFor.ticket}`,
})

const board = (id: string) => `/boards/${encodeURIComponent(id)}`

export const me = () => json<MeResponse>('GET', '/me')
export const signUp = (body: { name: string; email: string; password: string }) =>
  done('POST', '/auth/sign-up/email', { body })
/** @returns where to go next, if the single sign-on provider has a session to end as well. */
export const signOut = async (): Promise<string | null> =>
  (await json<{ redirect: string | null }>('POST', '/auth/sign-out', { body: {} })).redirect
export const setUp = (body: SetupRequest) => done('POST', '/setup', { body })

const agent = (id: string) => `/agents/${encodeURIComponent(id)}`
export const listAgents = () => json<Page<AgentResponse>>('GET', '/agents?limit=200')
export const createAgent = (body: AgentCreate) => json<AgentCreated>('POST', '/agents', { body })
export const updateAgent = (id: string, body: AgentUpdate) =>
  json<AgentResponse>('PATCH', agent(id), { body })
export const deleteAgent = (id: string) => done('DELETE', agent(id))
export const listAgentGrants = (id: string) =>
  json<Page<AgentGrantResponse>>('GET', `${agent(id)}/grants?limit=200`)
export const grantAgent = (id: string, body: AgentGrantCreate) =>
  json<AgentGrantResponse>('POST', `${agent(id)}/grants`, { body })
export const revokeAgentGrant = (id: string, grantId: number) =>
  done('DELETE', `${agent(id)}/grants/${grantId}`)
export const listAgentEdits = (id: string) => json<Page<AgentEditResponse>>('GET', `${agent(id)}/edits`)
export const undoAgent = (boardId: string, agentId: string, since: string) =>
  json<AgentUndone>('POST', `${board(boardId)}${agent(agentId)}/undo`, { body: { since } })

export const listBoards = (asked: Partial<BoardListQuery>, signal?: AbortSignal) =>
  json<Page<BoardResponse>>('GET', `/boards${queryOf(asked)}`, signal === undefined ? {} : { signal })
export const createBoard = (body: BoardCreate) => json<BoardResponse>('POST', '/boards', { body })
export const getBoard = (id: string) => json<BoardResponse>('GET', board(id))
export const updateBoard = (id: string, body: BoardUpdate) =>
  json<BoardResponse>('PATCH', board(id), { body })
export const deleteBoard = (id: string) => done('DELETE', board(id))
export const purgeBoard = (id: string) => done('DELETE', `${board(id)}?purge=true`)
export const restoreBoard = (id: string) => done('POST', `${board(id)}/restore`)
export const duplicateBoard = (id: string) => json<BoardResponse>('POST', `${board(id)}/duplicate`)
/** The board as a file, with its images inside. */
export const getDrawing = async (id: string): Promise<Blob> =>
  (await ask('GET', `${board(id)}/document`, { accept: 'application/vnd.excalidraw+json' })).blob()
export const importScene = (id: string, scene: Blob) =>
  done('POST', `${board(id)}/import`, { body: scene, type: 'application/vnd.excalidraw+json' })

export const listPermissions = (id: string) =>
  json<Page<BoardPermissionResponse>>('GET', `${board(id)}/permissions`)
export const setPermission = (id: string, body: BoardPermissionCreate) =>
  json<BoardPermissionResponse>('POST', `${board(id)}/permissions`, { body })
export const removePermission = (id: string, permissionId: number) =>
  done('DELETE', `${board(id)}/permissions/${permissionId}`)

export const listLinks = (id: string) => json<Page<ShareLinkResponse>>('GET', `${board(id)}/share-links`)
export const createLink = (id: string, body: ShareLinkCreate) =>
  json<ShareLinkResponse>('POST', `${board(id)}/share-links`, { body })
export const revokeLink = (id: string, linkId: string) => done('DELETE', `${board(id)}/share-links/${linkId}`)
export const exchangeLink = (body: ShareLinkExchange) =>
  json<ShareLinkExchangeResponse>('POST', '/share-links/exchange', { body })

export const updateLink = (id: string, linkId: string, body: ShareLinkUpdate) =>
  json<ShareLinkResponse>('PATCH', `${board(id)}/share-links/${linkId}`, { body })
export const previewLink = (token: string) =>
  json<ShareLinkPreviewResponse>('POST', '/share-links/preview', { body: { token } })
export const previewSetup = (token: string) => done('POST', '/setup/preview', { body: { token } })

export const removePerson = (id: string, principal: string) =>
  done('DELETE', `${board(id)}/access/${encodeURIComponent(principal)}`)
export const requestAccess = (id: string, body: AccessRequestCreate) =>
  done('POST', `${board(id)}/access-requests`, { body })
export const ownAccessRequest = (id: string) =>
  json<OwnAccessRequest>('GET', `${board(id)}/access-requests/own`)
export const listAccessRequests = (id: string) =>
  json<Page<AccessRequestResponse>>('GET', `${board(id)}/access-requests`)
export const answerAccessRequest = (id: string, requestId: number, level: Level | null) =>
  json<AccessRequestResponse>('POST', `${board(id)}/access-requests/${requestId}/answer`, { body: { level } })

export const listOffers = () => json<Page<BoardOfferResponse>>('GET', '/board-offers')
export const answerOffer = (id: string, accept: boolean) =>
  done('POST', `/board-offers/${encodeURIComponent(id)}/answer`, { body: { accept } })
export const withdrawOffer = (id: string) => done('DELETE', `${board(id)}/offer`)

export const readModeration = (id: string) => json<ModerationResponse>('GET', `${board(id)}/moderation`)
export const moderate = (id: string, body: Moderation) =>
  json<ModerationResponse>('POST', `${board(id)}/moderation`, { body })
export const summon = (id: string, body: Summon) => done('POST', `${board(id)}/summon`, { body })

export const listTeamLibrary = () => json<Page<LibraryItemResponse>>('GET', '/library')
export const addToTeamLibrary = (body: LibraryItemCreate) =>
  json<{ id: string }>('POST', '/library', { body })
export const removeFromTeamLibrary = (id: string) => done('DELETE', `/library/${id}`)
export const ownLibrary = () => json<Page<LibraryItemResponse>>('GET', '/me/library')
export const replaceOwnLibrary = (body: OwnLibrary) => done('PUT', '/me/library', { body })

export const listFolders = () => json<Page<FolderResponse>>('GET', '/folders')
export const createFolder = (body: FolderCreate) => json<FolderResponse>('POST', '/folders', { body })
export const updateFolder = (id: string, body: FolderUpdate) =>
  json<FolderResponse>('PATCH', `/folders/${id}`, { body })
export const deleteFolder = (id: string) => done('DELETE', `/folders/${id}`)
export const listFolderPermissions = (id: string) =>
  json<Page<FolderPermissionResponse>>('GET', `/folders/${id}/permissions`)
export const setFolderPermission = (id: string, body: BoardPermissionCreate) =>
  json<unknown>('POST', `/folders/${id}/permissions`, { body })
export const removeFolderPermission = (id: string, permissionId: number) =>
  done('DELETE', `/folders/${id}/permissions/${permissionId}`)
export const starBoard = (id: string, isStarred: boolean) =>
  done(isStarred ? 'PUT' : 'DELETE', `${board(id)}/star`)

export const listAccess = (id: string) => json<AccessResponse>('GET', `${board(id)}/access`)
export const listConnections = (id: string) =>
  json<Page<ConnectionResponse>>('GET', `${board(id)}/connections`)
export const disconnect = (id: string, connectionId: string) =>
  done('DELETE', `${board(id)}/connections/${connectionId}`)

export const listThreads = (id: string, asked: Partial<ThreadListQuery>) =>
  json<Page<ThreadResponse>>('GET', `${board(id)}/threads${queryOf(asked)}`)
export const getThread = (id: string, threadId: string) =>
  json<ThreadResponse>('GET', `${board(id)}/threads/${threadId}`)
export const listComments = (id: string, threadId: string, cursor: string) =>
  json<Page<CommentResponse>>('GET', `${board(id)}/threads/${threadId}/comments${queryOf({ cursor })}`)
export const createThread = (id: string, body: ThreadCreate) =>
  json<ThreadResponse>('POST', `${board(id)}/threads`, { body })
export const createComment = (id: string, threadId: string, body: CommentCreate) =>
  json<CommentResponse>('POST', `${board(id)}/threads/${threadId}/comments`, { body })
export const resolveThread = (id: string, threadId: string, resolved: boolean) =>
  json<ThreadResponse>('PATCH', `${board(id)}/threads/${threadId}`, { body: { resolved } })
export const readThread = (id: string, threadId: string) =>
  done('POST', `${board(id)}/threads/${threadId}/read`)
export const editComment = (id: string, commentId: string, body: { body: string; mentions: string[] }) =>
  json<CommentResponse>('PATCH', `${board(id)}/comments/${commentId}`, { body })
export const deleteComment = (id: string, commentId: string) =>
  done('DELETE', `${board(id)}/comments/${commentId}`)
export const listMentionable = (id: string, q: string) =>
  json<{ items: MentionableResponse[] }>('GET', `${board(id)}/mentionable${queryOf({ q, limit: 8 })}`)
export const listNotifications = () =>
  json<Page<NotificationResponse>>('GET', '/me/notifications?unread=true&limit=30')
export const readNotifications = (ids?: string[]) =>
  done('POST', '/me/notifications/read', { body: ids === undefined ? {} : { ids } })

export const listVersions = (id: string) => json<Page<VersionResponse>>('GET', `${board(id)}/versions`)
export const createVersion = (id: string, name: string) =>
  json<VersionResponse>('POST', `${board(id)}/versions`, { body: { name } })
/** @returns the version that holds what was replaced; null if nothing was. */
export const restoreVersion = async (id: string, versionId: string): Promise<string | null> =>
  (
    await json<{ changed: boolean; former_version_id: string | null }>(
      'POST',
      `${board(id)}/versions/${versionId}/restore`,
    )
  ).former_version_id
/** The drawing as it was then. */
export const getVersionScene = (id: string, versionId: string) =>
  json<unknown>('GET', `${board(id)}/versions/${versionId}`, { accept: 'application/vnd.excalidraw+json' })

/** The document as it was then, a Yjs update v1. */
export const getVersionDocument = async (id: string, versionId: string): Promise<Uint8Array> =>
  new Uint8Array(
    await (
      await ask('GET', `${board(id)}/versions/${versionId}`, { accept: 'application/octet-stream' })
    ).arrayBuffer(),
  )

export const putFile = (id: string, fileId: string, file: Blob) =>
  done('PUT', `${board(id)}/files/${fileId}`, { body: file, type: file.type || 'application/octet-stream' })
export const getFile = async (id: string, fileId: string): Promise<Blob> =>
  (await ask('GET', `${board(id)}/files/${fileId}`)).blob()
/** @param state changes when the picture may have changed: browsers cache it by its address. */
export const thumbnailPath = (id: string, state: string) =>
  `/api${board(id)}/thumbnail${queryOf({ v: state })}`
export const hasThumbnail = async (id: string): Promise<boolean> =>
  (await ask('GET', `${board(id)}/thumbnail`)).status !== 204
export const putThumbnail = (id: string, image: Blob) =>
  done('PUT', `${board(id)}/thumbnail`, { body: image, type: image.type })

/** For lists and exports alike. */
export interface AuditFilters {
  action?: string
  user_id?: number
  board_id?: string
  link_id?: string
  /** Moments, ISO 8601. */
  from?: string
  to?: string
}

/** `boardId` null: for the whole server, for administrators. */
export const listAudit = (
  boardId: string | null,
  asked: AuditFilters & { cursor?: string; limit?: number },
) =>
  json<Page<AuditResponse>>('GET', `${boardId === null ? '' : board(boardId)}/audit${queryOf({ ...asked })}`)
export const auditStreamPath = (boardId: string | null) =>
  `/api${boardId === null ? '' : board(boardId)}/audit/stream`
export const auditExportPath = (
  boardId: string | null,
  format: 'csv' | 'ndjson',
  filters: AuditFilters = {},
) => `/api${boardId === null ? '' : board(boardId)}/audit/export${queryOf({ ...filters, format })}`
