// Tickets: what an app passes to a stock client so that it can open one board. A ticket proves identity, never access,
// which is looked up at every join. Tickets are not stored; they end with their session or guest, or when they expire.
import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import { decodeProtectedHeader, SignJWT } from 'jose'
import { isLevel, type Level } from '../../shared/levels.ts'
import { BoardroomError } from '../errors.ts'
import type { Identity } from '../principal.ts'

const ticketLifetimeS = { default: 12 * 3600, most: 24 * 3600 }

/** The `typ` of our tickets, which distinguishes them from an embedder's own JWTs. */
const ticketType = 'boardroom-ticket'
const audience = 'boardroom'

/** The content of a genuine ticket. The caller must check whether its session or guest is still alive. */
export interface TicketClaims {
  subject:
    | { kind: 'user'; userId: number }
    | { kind: 'guest'; guestId: string }
    | { kind: 'agent'; agentId: string }
    | { kind: 'anonymous' }
  boardId: string
  /** The session it was issued from; null for guests, foreign users and anonymous people. */
  sessionId: string | null
  /** The requested highest level. */
  maxLevel: Level | null
  /** The service key that it was issued with. */
  keyId?: string
}

export type TicketProblem = 'expired' | 'malformed' | 'other_board'

/** The signing key, derived from BOARDROOM_SECRET, so that a ticket can never pass for anything else signed with it. */
export const ticketKeyOf = (secret: string): KeyObject =>
  // A key object, which jose imports only once; it would import raw bytes for every ticket.
  createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'boardroom tickets v1', 32)))

/**
 * Signs a ticket for `identity` on one board; usable any number of times until it expires.
 * @param wanted.expiresInS 12 hours by default, at most 24.
 * @throws BoardroomError access_denied for a ticket requested with a ticket (it could renew itself for ever).
 */
export async function makeTicket(
  key: KeyObject,
  identity: Identity,
  wanted: { boardId: string; expiresInS?: number | undefined; maxLevel?: Level | undefined; nowMs?: number },
): Promise<{ ticket: string; expiresAt: Date }> {
  if (identity.via === 'ticket') {
    throw new BoardroomError(
      'access_denied',
      'a ticket cannot create another one; use the session that created it',
    )
  }
  const issuedAtS = Math.floor((wanted.nowMs ?? Date.now()) / 1000)
  const lifetimeS = Math.min(wanted.expiresInS ?? ticketLifetimeS.default, ticketLifetimeS.most)
  const ticket = await new SignJWT({
    board: wanted.boardId.toLowerCase(),
    ...(identity.sessionId === null ? {} : { sid: identity.sessionId }),
    ...(identity.keyId === undefined ? {} : { key: identity.keyId }),
    ...(wanted.maxLevel === undefined ? {} : { max: wanted.maxLevel }),
  })
    .setProtectedHeader({ alg: 'HS256', typ: ticketType })
    .setSubject(subjectOf(identity))
    .setAudience(audience)
    .setIssuedAt(issuedAtS)
    .setExpirationTime(issuedAtS + lifetimeS)
    .sign(key)
  return { ticket, expiresAt: new Date((issuedAtS + lifetimeS) * 1000) }
}

/** @returns the content of the ticket, or why it is invalid. Invalid tickets do not throw. */
export function readTicket(
  key: KeyObject,
  ticket: string,
  boardId: string | null,
  nowMs: number = Date.now(),
): TicketClaims | TicketProblem {
  const payload = signedPayload(key, ticket)
  if (payload === null || payload.aud !== audience) return 'malformed'
  if (typeof payload.exp !== 'number' || typeof payload.iat !== 'number') return 'malformed'
  if (payload.exp <= Math.floor(nowMs / 1000)) return 'expired'
  const subject = subjectFrom(payload.sub)
  // When it was signed does not matter: the clock of the node that did may run ahead.
  if (payload.exp - payload.iat > ticketLifetimeS.most) return 'malformed'
  if (subject === null || typeof payload.board !== 'string') return 'malformed'
  if (payload.board !== boardId?.toLowerCase()) return 'other_board'
  return {
    subject,
    boardId: payload.board,
    sessionId: typeof payload.sid === 'string' ? payload.sid : null,
    maxLevel: isLevel(payload.max) ? payload.max : null,
    ...(typeof payload.key === 'string' ? { keyId: payload.key } : {}),
  }
}

/**
 * What is in a ticket that was signed with our key, null where it was not. Not by jose, which asks the process's threads
 * for each signature and waits for the answer: twenty times what it costs here, at every join.
 */
function signedPayload(key: KeyObject, ticket: string): Record<string, unknown> | null {
  const [header = '', payload = '', signature = '', ...rest] = ticket.split('.')
  const signed = Buffer.from(createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url'))
  const said = Buffer.from(signature)
  if (rest.length > 0 || said.length !== signed.length || !timingSafeEqual(said, signed)) return null
  // From here on they are our own words, which may still be about something else.
  const { alg, typ, crit } = jsonIn(header)
  return alg === 'HS256' && typ === ticketType && crit === undefined ? jsonIn(payload) : null
}

const jsonIn = (part: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))

/** Whether a bearer token claims to be a ticket of ours, genuine or not. */
export function looksLikeTicket(token: string): boolean {
  try {
    return decodeProtectedHeader(token).typ === ticketType
  } catch {
    return false // not a JWT
  }
}

function subjectOf({ principal }: Identity): string {
  switch (principal.kind) {
    case 'user':
      return `user:${principal.userId}`
    case 'guest':
      return `guest:${principal.guestId}`
    case 'anonymous':
      return 'anonymous' // each use is a separate principal
    case 'agent':
      return `agent:${principal.agentId}`
  }
}

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

function subjectFrom(sub: unknown): TicketClaims['subject'] | null {
  if (typeof sub !== 'string') return null
  if (sub === 'anonymous') return { kind: 'anonymous' }
  const [kind, id = ''] = sub.split(':')
  if (kind === 'user' && /^\d{1,10}$/.test(id)) return { kind: 'user', userId: Number(id) }
  if (kind === 'agent' && uuid.test(id)) return { kind, agentId: id }
  if (kind === 'guest' && id !== '') return { kind: 'guest', guestId: id }
  return null
}
