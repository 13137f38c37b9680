// A join, from the HTTP upgrade to the room, in order: read this first.
//   whose path -> flood? -> handshake -> identify -> register for notifications -> level -> audit row committed -> room
// Refusals finish the handshake and then close with a code, because a browser cannot see an HTTP status and a
// stock client would retry for ever. Until the room has it, the socket is not read.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket as NetSocket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { type WebSocket, WebSocketServer } from 'ws'
import { CloseCode, ownSubprotocol, stockSubprotocol } from '../../shared/protocol.ts'
import { anonymous, isRefusal, type Refusal } from '../accounts/identify.ts'
import type { AuditTrail } from '../audit/trail.ts'
import { refusalOf, subjectOf } from '../boards/access.ts'
import { BoardroomError, closeCodeOf, logLevelOf } from '../errors.ts'
import { actorOf, type Identity, principalKey, publicPrincipal } from '../principal.ts'
import { WsSocket } from '../rooms/connection/ws-socket.ts'
import type { Joining } from '../rooms/ports.ts'
import type { Rooms } from '../rooms/rooms.ts'
import type { Admission, FloodReason } from './admission.ts'
import { answerPlainly } from './plain-answer.ts'

/** ws closes 1009 by itself above this, which stock clients retry for ever; the room's own limit closes 4413. */
const maxPayloadBytes = 32 * 1024 * 1024
const boardPath = /^\/ws\/([^/?]+)\/?(?:\?|$)/
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** `ip` as the trail records it, `key` as limits count it. */
export interface Address {
  ip: string | null
  key: string
}

export interface UpgradeDeps {
  identify(request: IncomingMessage, boardId: string): Promise<Identity | Refusal>
  addressOf(request: IncomingMessage): Address
  admission: Admission
  rooms: Rooms
  trail: AuditTrail
  /** Whether changes of access would be heard now, and edits saved. */
  isDatabaseWell(): boolean
  logger: Logger
  onRefused(reason: string): void
}

/** Answers upgrades for boards. One for a process; `close` refuses what comes afterwards. */
export class Upgrades {
  readonly #deps: UpgradeDeps
  readonly #webSockets: WebSocketServer
  readonly #joins = new Set<Promise<void>>()
  #closing = false

  constructor(deps: UpgradeDeps) {
    this.#deps = deps
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: maxPayloadBytes,
      handleProtocols: (offered) =>
        [ownSubprotocol, stockSubprotocol].find((name) => offered.has(name)) ?? false,
    })
    // Left to itself, ws calls its words HTML.
    this.#webSockets.on('wsClientError', (error, socket) =>
      answerPlainly(socket, '400 Bad Request', `${error.message}\n`, 'Sec-WebSocket-Version: 13'),
    )
  }

  /** @returns false, and untouched, where the path is not ours. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const boardId = boardPath.exec(request.url ?? '')?.[1]
    if (boardId === undefined) return false
    const { admission, addressOf, onRefused } = this.#deps
    const address = addressOf(request)
    socket.on('error', () => socket.destroy()) // a peer that resets in mid-handshake is not our failure
    const flood = this.#closing ? null : admission.flood(address.key)
    if (flood !== null) {
      onRefused(flood)
      refuseBeforeHandshake(socket, flood)
      return true
    }
    if (offersOnlyATicket(request)) {
      onRefused('no_subprotocol')
      answerPlainly(
        socket,
        '400 Bad Request',
        `offer the subprotocol ${stockSubprotocol} (or ${ownSubprotocol}); a ticket goes beside it\n`,
      )
      return true
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.pause()
      const joined = this.#join(webSocket, socket as NetSocket, request, boardId, address) // http hands out its net.Socket
      this.#joins.add(joined)
      void joined.finally(() => this.#joins.delete(joined))
    })
    return true
  }

  /** Refuses every further join with 1012, and waits for those under way. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.allSettled(this.#joins)
    this.#webSockets.close()
  }

  async #join(
    webSocket: WebSocket,
    netSocket: NetSocket,
    request: IncomingMessage,
    boardId: string,
    address: Address,
  ): Promise<void> {
    const { admission, logger } = this.#deps
    const giveAddressBack = admission.takeAddress(address.key)
    webSocket.once('close', giveAddressBack)
    webSocket.on('error', (error) => logger.debug({ err: error }, 'socket error')) // 'close' follows and cleans up
    try {
      if (this.#closing) throw new BoardroomError('closing', 'the server restarts; come back in a moment')
      // Asking a database that is silent takes until its time-out; nobody should wait for that, and no join may be
      // let in whose revocation would not be heard, or whose edits would not be saved.
      if (!this.#deps.isDatabaseWell())
        throw new BoardroomError('database_unreachable', 'the database is away; come back in a moment')
      await this.#admit(webSocket, netSocket, request, boardId, address)
    } catch (error) {
      const failure =
        error instanceof BoardroomError
          ? error
          : new BoardroomError('internal', 'the join failed', { cause: error })
      logger[logLevelOf(failure.code)](
        { boardId, code: failure.code, err: failure.code === 'internal' ? error : undefined },
        'join failed',
      )
      this.#refuse(webSocket, closeCodeOf(failure.code), failure.message)
    }
  }

  async #admit(
    webSocket: WebSocket,
    netSocket: NetSocket,
    request: IncomingMessage,
    boardId: string,
    address: Address,
  ): Promise<void> {
    const { admission, identify, rooms, trail } = this.#deps
    const identified = await identify(request, boardId)
    const userAgent = request.headers['user-agent']?.slice(0, 500) ?? null
    if (isRefusal(identified)) {
      admission.failed(address.key)
      const actor = actorOf(anonymous(), address.ip, userAgent)
      await trail.record({
        action: 'access_denied',
        actor,
        boardId: forTrail(boardId),
        details: { reason: identified.reason, close_code: identified.code, transport: 'socket' },
      })
      return this.#refuse(webSocket, identified.code, identified.reason)
    }
    const identity = identified
    const actor = actorOf(identity, address.ip, userAgent)
    const joining = joiningOf(identity, boardId, address.ip, userAgent, webSocket.protocol === ownSubprotocol)
    const pending = rooms.rights.register(joining)
    let admitted = false
    const cancel = () => {
      if (!admitted) pending.cancel()
    }
    webSocket.once('close', cancel)
    try {
      const decision = await pending.decide()
      const refusal = refusalOf(decision, identity)
      if (refusal !== null) {
        admission.failed(address.key)
        const closeCode = closeCodeOf(refusal.code)
        await trail.record({
          action: 'access_denied',
          actor,
          boardId: forTrail(boardId),
          details: { reason: refusal.code, close_code: closeCode, transport: 'socket' },
        })
        return this.#refuse(webSocket, closeCode, refusal.message)
      }
      // Guests are always shown with the link that they came by, which is known only now.
      joining.principal = publicPrincipal(
        identity.principal,
        identity.principal.kind === 'guest' ? decision.linkLabel : null,
      )
      if (identity.principal.kind !== 'anonymous') {
        const giveBack = admission.takePrincipal(joining.principalKey)
        if (giveBack === null) {
          const details = { reason: 'too_many_connections', close_code: CloseCode.busy, transport: 'socket' }
          await trail.record({ action: 'access_denied', actor, boardId, details })
          return this.#refuse(
            webSocket,
            CloseCode.busy,
            'too many connections of one account; close some tabs',
          )
        }
        if (webSocket.readyState !== webSocket.OPEN) giveBack()
        webSocket.once('close', giveBack)
      }
      if (webSocket.readyState !== webSocket.OPEN) return
      await trail.record({
        action: 'access',
        actor,
        boardId,
        level: decision.level,
        linkId: decision.linkId,
        details: { connection_id: joining.connectionId, reason: decision.reason, via: identity.via },
      })
      const joined = rooms.join(pending, decision, new WsSocket(webSocket, netSocket))
      admitted = true
      await joined.catch(async (error: unknown) => {
        // Recorded as come, so it must be recorded as gone.
        const reason = error instanceof BoardroomError ? error.code : 'internal'
        const details = { connection_id: joining.connectionId, reason }
        await trail.record({ action: 'leave', actor, boardId, level: decision.level, details })
        throw error
      })
    } finally {
      webSocket.off('close', cancel)
      cancel()
    }
  }

  #refuse(webSocket: WebSocket, code: CloseCode, reason: string): void {
    this.#deps.onRefused(String(code))
    webSocket.resume() // the answer to our close frame must be read
    webSocket.on('message', () => undefined)
    webSocket.close(code, reason.slice(0, 120))
  }
}

/** A board id that is none must not reach a uuid column. */
const forTrail = (boardId: string): string | null => (uuid.test(boardId) ? boardId : null)

function joiningOf(
  identity: Identity,
  boardId: string,
  ip: string | null,
  userAgent: string | null,
  ownProtocol: boolean,
): Joining {
  const { principal } = identity
  return {
    connectionId: randomUUID(),
    boardId: boardId.toLowerCase(),
    subject: subjectOf(identity, boardId.toLowerCase()),
    principalKey: principalKey(principal),
    formerKey: identity.formerGuestId === undefined ? null : `guest:${identity.formerGuestId}`,
    principal: publicPrincipal(principal, null),
    fingerprint: `${ip ?? ''} ${userAgent ?? ''}`,
    ownProtocol,
    ip,
    userAgent,
  }
}

function offersOnlyATicket(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? []
  return offered.length > 0 && !offered.includes(stockSubprotocol) && !offered.includes(ownSubprotocol)
}

const refuseBeforeHandshake = (socket: Duplex, reason: FloodReason): void =>
  reason === 'too_many_connections'
    ? answerPlainly(socket, '503 Service Unavailable', 'this server is full; come back later\n', comeBack)
    : answerPlainly(
        socket,
        '429 Too Many Requests',
        'too many connections or joins from this address; come back later\n',
        comeBack,
      )

const comeBack = 'Retry-After: 2'
