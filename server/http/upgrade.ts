// A join, from the HTTP upgrade to the room, in order: read this first.
//   whose path -> flood? -> handshake -> identify -> register for notifications -> level -> audit row committed -> room
// Refusals finish the handshake and then close with a code, because a browser cannot see an HTTP status and a
// stock client would retry for ever. The socket is not read until the room takes it over.
import type { IncomingMessage } from 'node:http'
import type { Socket as NetSocket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { type WebSocket, WebSocketServer } from 'ws'
import { CloseCode, ownSubprotocol, stockSubprotocol } from '../../shared/protocol.ts'
import { anonymous, isRefusal, type Refusal } from '../accounts/identify.ts'
import type { AuditTrail } from '../audit/trail.ts'
import { refusalOf } from '../boards/require-level.ts'
import { BoardroomError, closeCodeOf, logLevelOf } from '../errors.ts'
import { type Actor, actorOf, type Identity, publicPrincipal } from '../principal.ts'
import type { Pending } from '../rooms/access/live-access.ts'
import { WsSocket } from '../rooms/connection/ws-socket.ts'
import type { Joining } from '../rooms/ports.ts'
import type { Rooms } from '../rooms/rooms.ts'
import type { Admission, FloodReason } from './admission.ts'
import { type Address, type Arrival, boardIdOf, forTrail, joiningOf, offersOnlyATicket } from './arrival.ts'
import { Denial, type DenialReason } from './denial.ts'
import { answerPlainly } from './plain-answer.ts'

/** ws closes with 1009 above this, which stock clients retry for ever; the room's own limit closes 4413. */
const maxPayloadBytes = 32 * 1024 * 1024

export interface UpgradeDeps {
  identify(request: IncomingMessage, boardId: string): Promise<Identity | Refusal>
  addressOf(request: IncomingMessage): Address
  /** Sent by a page of another origin: what a foreign page does must not lock out the people at that address. */
  isForeignPage(request: IncomingMessage): boolean
  admission: Admission
  rooms: Rooms
  trail: AuditTrail
  /** A connection failed to join although the trail may record a join: its `leave` must be written. */
  oweLeave(connectionId: string): void
  /** Whether access changes would currently be noticed and edits saved. */
  isDatabaseWell(): boolean
  logger: Logger
  onRefused(reason: string): void
}

/** A peer that does not answer a close within this time is gone. The default of ws, 30 s, would outlast a shutdown. */
const closeTimeoutMs = 5000

/** Handles upgrades for boards. One per process; after `close` further ones are refused. */
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
      ...{ closeTimeout: closeTimeoutMs }, // not in @types/ws 8.18
      maxPayload: maxPayloadBytes,
      handleProtocols: (offered) =>
        [ownSubprotocol, stockSubprotocol].find((name) => offered.has(name)) ?? false,
    })
    // By default, ws sends its text as HTML.
    this.#webSockets.on('wsClientError', (error, socket) =>
      answerPlainly(socket, '400 Bad Request', `${error.message}\n`, 'Sec-WebSocket-Version: 13'),
    )
  }

  /** @returns false, and untouched, where the path is not ours. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const boardId = boardIdOf(request)
    if (boardId === null) return false
    const { admission, addressOf, isForeignPage, onRefused } = this.#deps
    const address = addressOf(request)
    const triesOf = isForeignPage(request) ? `foreign page at ${address.key}` : address.key
    socket.on('error', () => socket.destroy()) // it is not our failure if the peer resets the connection during the handshake
    const flood = this.#closing ? null : admission.flood(address.key, triesOf)
    if (flood !== null) {
      onRefused(flood)
      this.#recordFlood(request, boardId, address, flood)
      refuseBeforeHandshake(socket, flood)
      return true
    }
    if (offersOnlyATicket(request)) {
      onRefused('no_subprotocol')
      answerPlainly(
        socket,
        '400 Bad Request',
        `offer the subprotocol ${stockSubprotocol} (or ${ownSubprotocol}); a ticket goes next to it\n`,
      )
      return true
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.pause()
      const netSocket = socket as NetSocket // http passes its net.Socket
      const joined = this.#join({ webSocket, netSocket, request, boardId, address, triesOf })
      this.#joins.add(joined)
      void joined.then(() => this.#joins.delete(joined))
    })
    return true
  }

  /** Refuses all further joins with 1012, and waits for those in progress. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.allSettled(this.#joins)
    this.#webSockets.close()
  }

  /** Never rejects. */
  async #join(arrival: Arrival): Promise<void> {
    const { webSocket, boardId } = arrival
    const { admission, logger } = this.#deps
    webSocket.on('error', (error) => logger.debug({ err: error }, 'socket error')) // 'close' follows and cleans up
    webSocket.once('close', admission.takeAddress(arrival.address.key))
    const gone = new AbortController()
    webSocket.once('close', () => gone.abort())
    try {
      await this.#admit(arrival, gone.signal)
    } catch (error) {
      const failure =
        error instanceof BoardroomError
          ? error
          : new BoardroomError('internal', 'the join failed', { cause: error })
      const level = error instanceof Denial ? 'debug' : logLevelOf(failure.code)
      const err = failure.code === 'internal' ? error : undefined
      logger[level]({ boardId, code: failure.code, err }, 'join failed')
      const code = error instanceof Denial ? error.closeCode : closeCodeOf(failure.code)
      this.#refuse(webSocket, code, failure.message)
    }
  }

  /** @param gone aborted once the socket has closed. @throws BoardroomError; nothing is left behind then. */
  async #admit(arrival: Arrival, gone: AbortSignal): Promise<void> {
    const { request, boardId, address, webSocket } = arrival
    const { identify, rooms, isDatabaseWell } = this.#deps
    if (this.#closing) throw new BoardroomError('closing', 'the server is restarting; try again in a moment')
    // Querying an unresponsive database takes until its time-out, which nobody should wait for; and no join may succeed
    // whose revocation would go unnoticed or whose edits would not be saved.
    if (!isDatabaseWell())
      throw new BoardroomError('database_unreachable', 'the database is unavailable; try again in a moment')
    const userAgent = request.headers['user-agent']?.slice(0, 500) ?? null
    const identity = await identify(request, boardId)
    if (isRefusal(identity)) {
      const actor = actorOf(anonymous(), address.ip, userAgent)
      const { code, reason } = identity
      return this.#deny(arrival, actor, { code: 'access_denied', reason, closeCode: code, message: reason })
    }
    if (gone.aborted) return
    const ownProtocol = webSocket.protocol === ownSubprotocol
    const joining = joiningOf(identity, { boardId, ip: address.ip, userAgent, ownProtocol })
    const pending = rooms.rights.register(joining)
    const cancel = () => pending.cancel()
    gone.addEventListener('abort', cancel)
    try {
      await this.#enter(arrival, { identity, joining, pending, gone })
    } catch (error) {
      pending.cancel()
      throw error
    } finally {
      gone.removeEventListener('abort', cancel)
    }
  }

  /** Level, audit row, room. */
  async #enter(arrival: Arrival, { identity, joining, pending, gone }: Entry): Promise<void> {
    const { boardId, address, webSocket, netSocket } = arrival
    const { admission, rooms, trail, oweLeave } = this.#deps
    const { principal } = identity
    const actor = actorOf(identity, address.ip, joining.userAgent)
    if (principal.kind !== 'anonymous' && admission.hasFailedTooOften(joining.principalKey))
      return this.#deny(arrival, actor, {
        code: 'too_many_requests',
        reason: 'too_many_failed_joins',
        closeCode: CloseCode.busy,
        message: 'too many refused joins; try again later',
      })
    const decision = await pending.decide()
    const refusal = refusalOf(decision, identity)
    if (refusal !== null) {
      const { code, message } = refusal
      // A known principal has shown a session, a ticket or a link, and uses up only their own tries.
      const guesses = principal.kind !== 'anonymous' && code !== 'consent_needed'
      if (guesses) admission.failed(joining.principalKey)
      return this.#deny(arrival, actor, { code, reason: code, closeCode: closeCodeOf(code), message })
    }
    // Guests are always shown with the link that they came through, which is known only now.
    joining.principal = publicPrincipal(principal, principal.kind === 'guest' ? decision.linkLabel : null)
    const giveBack =
      principal.kind === 'anonymous' ? () => undefined : admission.takePrincipal(joining.principalKey)
    if (giveBack === null)
      return this.#deny(arrival, actor, {
        code: 'too_many_requests',
        reason: 'too_many_connections',
        closeCode: CloseCode.busy,
        message: 'too many connections of one account; close some tabs',
      })
    if (gone.aborted) return giveBack()
    gone.addEventListener('abort', giveBack)
    const { connectionId } = joining
    const { level, linkId, reason } = decision
    const row = { actor, boardId, level }
    const details = { connection_id: connectionId, reason, via: identity.via }
    try {
      await trail.record({ ...row, action: 'access', linkId, details })
    } catch (error) {
      oweLeave(connectionId) // it may be committed although the answer was lost
      throw error
    }
    const joined = rooms.join(pending, decision, new WsSocket(webSocket, netSocket))
    await joined.catch(async (error: unknown) => {
      // The join was recorded, so the leave must be, too.
      const why = error instanceof BoardroomError ? error.code : 'internal'
      const gone = { ...row, action: 'leave', details: { connection_id: connectionId, reason: why } } as const
      await trail.record(gone).catch(() => oweLeave(connectionId))
      throw error
    })
  }

  /** Denies the join: counts it, and records it before the client is told. @throws Denial */
  async #deny({ boardId, triesOf }: Arrival, actor: Actor, why: DenialReason): Promise<never> {
    const { admission, trail } = this.#deps
    // Having too many tabs open is not a guess.
    if (actor.kind === 'anonymous' && why.code !== 'too_many_requests') admission.failed(triesOf)
    await trail.record({
      action: 'access_denied',
      actor,
      boardId: forTrail(boardId),
      details: { reason: why.reason, close_code: why.closeCode, transport: 'socket' },
    })
    throw new Denial(why)
  }

  /** Refused before the asker is identified. Counted together with similar ones, and the row is not waited for. */
  #recordFlood(request: IncomingMessage, boardId: string, { ip }: Address, reason: FloodReason): void {
    const { trail, logger } = this.#deps
    trail
      .record({
        action: 'access_denied',
        actor: actorOf(anonymous(), ip, request.headers['user-agent'] ?? null),
        boardId: forTrail(boardId),
        details: { reason, transport: 'socket' },
      })
      .catch((error: unknown) => logger.debug({ err: error }, 'a refused join was not recorded'))
  }

  #refuse(webSocket: WebSocket, code: CloseCode, reason: string): void {
    this.#deps.onRefused(String(code))
    webSocket.resume() // reading must continue, so that the answer to our close frame arrives
    webSocket.on('message', () => undefined)
    webSocket.close(code, reason.slice(0, 120))
  }
}

interface Entry {
  identity: Identity
  joining: Joining
  pending: Pending
  gone: AbortSignal
}

const refuseBeforeHandshake = (socket: Duplex, reason: FloodReason): void =>
  reason === 'too_many_connections'
    ? answerPlainly(socket, '503 Service Unavailable', 'this server is full; try again later\n', comeBack)
    : answerPlainly(
        socket,
        '429 Too Many Requests',
        'too many connections or joins from this address; try again later\n',
        comeBack,
      )

const comeBack = 'Retry-After: 2'
