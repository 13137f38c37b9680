// Identifies the asker. Explicit credentials take precedence over cookies and never fall back to them: a ticket or an
// agent's token (subprotocol, `?ticket=`, `Authorization: Bearer`), then a session, then a guest, then anonymous. Cookies
// count only from our own pages, which stops other sites from opening sockets with somebody's cookie.
import { type KeyObject, randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type CloseCode, ticketSubprotocolPrefix } from '../../shared/protocol.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError, closeCodeOf } from '../errors.ts'
import type { Identity, Principal } from '../principal.ts'
import { agentById, agentByToken } from './agent-queries.ts'
import { looksLikeAgentToken } from './agent-tokens.ts'
import type { Auth } from './auth.ts'
import type { IsOurOrigin } from './auth-deps.ts'
import { type CookieNames, cookieValue } from './cookies.ts'
import type { ForeignTokens } from './foreign-tokens.ts'
import { guestById } from './guest-queries.ts'
import type { Guests } from './guests.ts'
import { type UserRow, userById } from './queries.ts'
import { keyLives } from './service-keys/queries.ts'
import { identifyKey, looksLikeKey } from './service-keys/service-keys.ts'
import type { SignedIn } from './session-queries.ts'
import type { SessionUsers } from './session-users.ts'
import { looksLikeTicket, readTicket } from './tickets.ts'
import { isRequiredOf, mustSetUp, type TwoFactorPolicy } from './two-factor.ts'
import { hasTwoFactor } from './two-factor-queries.ts'
import { type ForeignUser, foreignUser } from './users.ts'

/**
 * Lets the embedder identify the asker instead of our sessions; tickets and guests of share links keep working.
 * Not called if a foreign page sent cookies (see BOARDROOM_ALLOWED_ORIGINS). It must not read the body.
 * @returns null for anonymous. @throws to refuse: a BoardroomError is passed on, anything else becomes `internal`.
 */
export type Authenticate = (
  request: IncomingMessage,
) => ForeignUser | null | undefined | Promise<ForeignUser | null | undefined>

export interface IdentifyDeps {
  db: Db
  auth: Auth
  guests: Guests
  cookies: CookieNames
  ticketKey: KeyObject
  sessionUsers: SessionUsers
  isOurOrigin: IsOurOrigin
  authenticate?: Authenticate | undefined
  /** Tokens from another sign-in; null if none are accepted. */
  foreignTokens?: ForeignTokens | null
  /** Who must have a second factor. */
  twoFactor: TwoFactorPolicy
}

/** The parts of a request that are read; a Node request has them all. */
export type Asking = Pick<IncomingMessage, 'headers' | 'url'>

/** Why a socket is closed right after its handshake. */
export interface Refusal {
  code: CloseCode
  reason: string
}

/** Identifies who opens a socket on `boardId`. Invalid credentials do not throw. @throws if the database cannot be queried */
export async function identifySocket(
  deps: IdentifyDeps,
  request: IncomingMessage,
  boardId: string,
): Promise<Identity | Refusal> {
  try {
    const ticket = offeredTicket(request) ?? agentTokenOf(request) ?? bearerForSocket(deps, request)
    // Browsers always send Origin with a WebSocket, so without one there is no browser cookie.
    const cookiesCount = request.headers.origin !== undefined && isOurs(deps, request)
    const identity =
      ticket === null
        ? await byWhatIsCarried(deps, request, cookiesCount)
        : looksLikeAgentToken(ticket)
          ? await byAgentToken(deps, ticket)
          : ((await foreignIdentity(deps, ticket)) ?? (await byTicket(deps, ticket, boardId)))
    if (identity.needsTwoFactor) throw new BoardroomError('access_denied', secondFactorFirst)
    if (identity.principal.kind !== 'user' || !cookiesCount) return identity
    const guest = await deps.guests.find(request.headers.cookie)
    return guest === null ? identity : { ...identity, formerGuestId: guest.id }
  } catch (error) {
    if (error instanceof BoardroomError && ['not_signed_in', 'access_denied'].includes(error.code)) {
      return { code: closeCodeOf(error.code), reason: error.message }
    }
    throw error
  }
}

export const isRefusal = (answer: Identity | Refusal): answer is Refusal => 'code' in answer

/**
 * Identifies the sender of an HTTP request. The edge (http/cors.ts) decides whether cookies may be used for a change.
 * @param incoming the Node request, for `authenticate`.
 * @throws BoardroomError not_signed_in for an invalid bearer token (including a ticket for another board)
 */
export async function identifyRequest(deps: IdentifyDeps, incoming: IncomingMessage): Promise<Identity> {
  const bearer = bearerOf(incoming)
  if (bearer !== undefined && looksLikeAgentToken(bearer)) return byAgentToken(deps, bearer)
  if (bearer !== undefined && looksLikeTicket(bearer)) return byTicket(deps, bearer, boardOf(incoming.url))
  if (bearer !== undefined && looksLikeKey(bearer)) return identifyKey(deps.db, bearer)
  const theirs = bearer === undefined ? null : await foreignIdentity(deps, bearer)
  if (theirs !== null) return theirs
  if (bearer !== undefined && deps.authenticate === undefined) return bySession(deps, bearer)
  const identity = await byWhatIsCarried(deps, incoming, isOurs(deps, incoming))
  if (bearer !== undefined && identity.via !== 'embedder') {
    throw new BoardroomError('not_signed_in', 'this bearer token is unknown or has expired')
  }
  return identity
}

const bearerOf = ({ headers }: Asking): string | undefined =>
  /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]

/**
 * The `Authorization` header of a handshake, which only programs can send: a ticket or a token of the issuer. Anything
 * else in that header (from a proxy or an embedder) is ignored.
 */
function bearerForSocket(deps: IdentifyDeps, request: IncomingMessage): string | null {
  const bearer = bearerOf(request)
  if (bearer === undefined) return null
  if (looksLikeKey(bearer)) {
    throw new BoardroomError(
      'not_signed_in',
      'a service key cannot open a WebSocket; use it to request a ticket',
    )
  }
  const { foreignTokens, authenticate } = deps
  const isTheirs = foreignTokens?.isTheirs(bearer, authenticate !== undefined) ?? false
  return looksLikeTicket(bearer) || isTheirs ? bearer : null
}

/** null if the token is not from the issuer. @throws BoardroomError not_signed_in | issuer_unreachable */
async function foreignIdentity(
  { foreignTokens = null, authenticate }: IdentifyDeps,
  token: string,
): Promise<Identity | null> {
  if (foreignTokens === null || looksLikeTicket(token)) return null
  return foreignTokens.isTheirs(token, authenticate !== undefined) ? foreignTokens.identify(token) : null
}

export const anonymous = (): Identity => ({
  ...bare,
  principal: { kind: 'anonymous', id: randomUUID() },
  via: 'anonymous',
})

const bare = { sessionId: null, boardId: null, maxLevel: null }

/** @param cookiesCount whether the requesting page may use cookies. */
async function byWhatIsCarried(
  deps: IdentifyDeps,
  request: IncomingMessage,
  cookiesCount: boolean,
): Promise<Identity> {
  const { cookie } = request.headers
  if (deps.authenticate !== undefined) {
    // It may read its own cookies, so it is not called for a foreign page that sends any, but is for one that sends none.
    const heard = cookie === undefined || isOurs(deps, request)
    const user = heard ? await deps.authenticate(request) : null
    if (user) return { ...bare, principal: principalOf(await foreignUser(deps.db, user)), via: 'embedder' }
  } else if (cookiesCount && cookie !== undefined && cookieValue(cookie, deps.cookies.session) !== null) {
    const signedIn = await deps.auth.signedIn({ cookie })
    if (signedIn !== null) return ofSession(deps, signedIn)
  }
  const guest = cookiesCount ? await deps.guests.find(cookie) : null
  if (guest === null) return anonymous()
  return { ...bare, principal: { kind: 'guest', guestId: guest.id, name: guest.name }, via: 'guest' }
}

async function bySession(deps: IdentifyDeps, bearer: string): Promise<Identity> {
  const signedIn = await deps.auth.signedIn({ bearer })
  if (signedIn === null)
    throw new BoardroomError('not_signed_in', 'this bearer token is unknown or has expired')
  return ofSession(deps, signedIn)
}

async function byAgentToken(deps: IdentifyDeps, token: string): Promise<Identity> {
  const agent = await agentByToken(deps.db, token)
  if (agent === undefined) throw new BoardroomError('not_signed_in', noSuchAgent)
  return { ...bare, principal: { kind: 'agent', agentId: agent.id, name: agent.name }, via: 'agent' }
}

const noSuchAgent =
  'this agent token is not valid: it is unknown, the agent was stopped, or its owner is deactivated'
async function ofSession(deps: IdentifyDeps, signedIn: SignedIn): Promise<Identity> {
  const { sessionId, userId, name, role } = signedIn
  const identity = {
    ...bare,
    principal: { kind: 'user', userId, name, role },
    via: 'session',
    sessionId,
  } as const
  return (await mustSetUp(deps.db, deps.twoFactor, signedIn))
    ? { ...identity, needsTwoFactor: true }
    : identity
}

const secondFactorFirst = 'this server requires a second factor; set one up on your account page first'

const problems = {
  expired: 'this ticket has expired; ask for a new one',
  malformed: 'this is not a ticket of this server',
  other_board: 'this ticket is for another board; it is valid only for the routes of its own board',
}

async function byTicket(deps: IdentifyDeps, ticket: string, boardId: string | null): Promise<Identity> {
  const claims = readTicket(deps.ticketKey, ticket, boardId)
  if (typeof claims === 'string') throw new BoardroomError('not_signed_in', problems[claims])
  const { sessionId, maxLevel, keyId } = claims
  if (keyId !== undefined && !(await keyLives(deps.db, keyId)))
    throw new BoardroomError('not_signed_in', 'the service key of this ticket has ended')
  const bound = keyId === undefined ? {} : { keyId }
  const proven = { via: 'ticket', sessionId, boardId: claims.boardId, maxLevel, ...bound } as const
  const { subject } = claims
  switch (subject.kind) {
    case 'anonymous':
      return { ...proven, principal: { kind: 'anonymous', id: randomUUID() } }
    case 'guest': {
      const guest = await guestById(deps.db, subject.guestId)
      if (guest === undefined) throw new BoardroomError('not_signed_in', 'the guest of this ticket has left')
      return { ...proven, principal: { kind: 'guest', guestId: guest.id, name: guest.name } }
    }
    case 'agent': {
      const agent = await agentById(deps.db, subject.agentId)
      if (agent === undefined)
        throw new BoardroomError('not_signed_in', 'the agent of this ticket was stopped or deleted')
      return { ...proven, principal: { kind: 'agent', agentId: agent.id, name: agent.name } }
    }
    case 'user': {
      const user =
        sessionId === null
          ? await userById(deps.db, subject.userId)
          : await deps.sessionUsers.find(subject.userId, Number(sessionId))
      if (user === undefined)
        throw new BoardroomError('not_signed_in', 'the session of this ticket has ended')
      if (sessionId !== null && (await lacksTwoFactor(deps, user)))
        throw new BoardroomError('not_signed_in', secondFactorFirst)
      return { ...proven, principal: principalOf(user) }
    }
  }
}

const lacksTwoFactor = async ({ db, twoFactor }: IdentifyDeps, { id, role }: UserRow): Promise<boolean> =>
  isRequiredOf(twoFactor, role) &&
  mustSetUp(db, twoFactor, { userId: id, role, twoFactorEnabled: await hasTwoFactor(db, id) })

function principalOf(user: UserRow): Principal {
  if (!user.is_active) throw new BoardroomError('not_signed_in', 'this account is deactivated')
  return { kind: 'user', userId: user.id, name: user.name, role: user.role }
}

/** Whether it is our page or no page at all: browsers always send Origin when a foreign page requests a change. */
const isOurs = (deps: IdentifyDeps, { headers }: Asking): boolean =>
  headers.origin === undefined
    ? headers['sec-fetch-site'] !== 'cross-site'
    : deps.isOurOrigin(headers.origin, headers.host ?? null)

/** Clients other than browsers can send it with the upgrade. */
function agentTokenOf(request: Asking): string | null {
  const bearer = bearerOf(request)
  return bearer !== undefined && looksLikeAgentToken(bearer) ? bearer : null
}

/** The ticket among the offered subprotocols, otherwise the one in the query; an empty one counts, and is invalid. */
function offeredTicket({ headers, url }: Asking): string | null {
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim())
  const protocol = offered?.find((name) => name.startsWith(ticketSubprotocolPrefix))
  if (protocol !== undefined) return protocol.slice(ticketSubprotocolPrefix.length)
  const query = url?.indexOf('?') ?? -1
  return query < 0 ? null : new URLSearchParams(url?.slice(query)).get('ticket')
}

/** The board in a path such as `/api/boards/<uuid>/…`, wherever the API is mounted. */
const boardOf = (url: string | undefined): string | null =>
  /^[^?]*?\/boards\/([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?:[/?]|$)/i.exec(url ?? '')?.[1] ?? null
