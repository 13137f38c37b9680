// A request to /ws/{board} as it arrives: which board, from where, with which subprotocols.
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

/** `ip` for the trail, `key` for limits. */
export interface Address {
  ip: string | null
  key: string
}

/** A socket whose handshake is done, and what it asked for. */
export interface Arrival {
  webSocket: WebSocket
  netSocket: NetSocket
  request: IncomingMessage
  boardId: string
  address: Address
  /** Whose tries a refusal uses up as long as the asker is unknown. */
  triesOf: string
}

/** The board named by the path, which may not be a valid id; null if the path is not ours. */
export const boardIdOf = (request: IncomingMessage): string | null =>
  boardPath.exec(request.url ?? '')?.[1] ?? null

/** The board id for a uuid column; null if the text is not a uuid. */
export const forTrail = (boardId: string): string | null => (uuid.test(boardId) ? boardId : null)

/** What the room learns about a connection. */
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

/** A ticket without another subprotocol: the handshake could not be answered. */
export function offersOnlyATicket(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? []
  return offered.length > 0 && !offered.includes(stockSubprotocol) && !offered.includes(ownSubprotocol)
}
