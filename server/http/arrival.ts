// Who knocks at /ws/{board}, as read from the request: which board, from where, with which subprotocols.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket as NetSocket } from 'node:net'
import type { WebSocket } from 'ws'
import { ownSubprotocol, stockSubprotocol } from '../../shared/protocol.ts'
import { subjectOf } from '../boards/access.ts'
import { type Identity, principalKey, publicPrincipal } from '../principal.ts'
import type { Joining } from '../rooms/ports.ts'

const boardPath = /^\/ws\/([^/?]+)\/?(?:\?|$)/
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** `ip` as the trail records it, `key` as limits count it. */
export interface Address {
  ip: string | null
  key: string
}

/** One socket whose handshake is done, and what it asked for. */
export interface Arrival {
  webSocket: WebSocket
  netSocket: NetSocket
  request: IncomingMessage
  boardId: string
  address: Address
  /** Whose tries a refusal spends while nobody is known. */
  triesOf: string
}

/** What the path names as the board, which may be no id at all; null where the path is not ours. */
export const boardIdOf = (request: IncomingMessage): string | null =>
  boardPath.exec(request.url ?? '')?.[1] ?? null

/** The board id for a uuid column; null for a text that is not a uuid. */
export const forTrail = (boardId: string): string | null => (uuid.test(boardId) ? boardId : null)

/** What its room is told about a connection. */
export function joiningOf(
  identity: Identity,
  carried: Pick<Joining, 'boardId' | 'ip' | 'userAgent' | 'ownProtocol'>,
): Joining {
  const { principal } = identity
  const { ip, userAgent } = carried
  const boardId = carried.boardId.toLowerCase()
  return {
    ...carried,
    connectionId: randomUUID(),
    boardId,
    subject: subjectOf(identity, boardId),
    principalKey: principalKey(principal),
    formerKey: identity.formerGuestId === undefined ? null : `guest:${identity.formerGuestId}`,
    principal: publicPrincipal(principal, null),
    fingerprint: `${ip ?? ''} ${userAgent ?? ''}`,
  }
}

/** A ticket with no subprotocol beside it: the handshake could not be answered. */
export function offersOnlyATicket(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? []
  return offered.length > 0 && !offered.includes(stockSubprotocol) && !offered.includes(ownSubprotocol)
}
