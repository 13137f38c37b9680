// The rooms of this process, by board: opened at the first join, closed when the last connection left and everything
// is committed.
//
//   loading ──> open ──last one left, or failure──> closing ──everything committed──> closed
//
// A join that meets a closing room waits for it and opens anew.
import type { Logger } from 'pino'
import type { Doc } from 'yjs'
import { applyUpdate } from 'yjs'
import type { Level } from '../../shared/levels.ts'
import { type BoardEvent, CloseCode, encodeHello } from '../../shared/protocol.ts'
import { BoardroomError } from '../errors.ts'
import type { Relayed } from './client-ids.ts'
import { type Clock, systemClock } from './clock.ts'
import { Connection } from './connection.ts'
import { type Counters, newCounters } from './counters.ts'
import { frameOf } from './frames.ts'
import { KeepAlive } from './keep-alive.ts'
import type { Access, AccessDecision, ConnectionSummary, Fold, RoomLimits, Socket, StoredBoard, UpdateLog } from './ports.ts'
import { type Pending, Rights } from './rights.ts'
import { Room } from './room.ts'
import { endFor } from './seats.ts'
import { defaultValidationLimits } from './validate/verdict.ts'
import { validateUpdate } from './validate.ts'

/** Log rows that are folded into one state before the first client sees them: more are dear to send and to apply. */
const mostRowsServed = 100
const waitForClosingMs = 10_000
const mostUnsavedMs = 60_000

type RoomState =
  | { name: 'loading'; ready: Promise<Room> }
  | { name: 'open'; room: Room }
  | { name: 'closing'; flushed: Promise<void> }
  | { name: 'closed' }

export interface RoomsOptions {
  log: UpdateLog
  access: Access
  limits: RoomLimits
  logger: Logger
  /** A connection left, however it ended. Called once for each that `join` returned. */
  onLeave: (connection: ConnectionSummary, code: number, reason: string) => void
  /** Somebody brought edits under a client id whose owner was away. For the trail. */
  onRelayed?: (boardId: string, relayed: Relayed) => void
  /** Folds logs in a worker; without it they are folded here, in slices. */
  fold?: Fold
  clock?: Clock
}

export interface RoomsStats {
  rooms: number
  connections: number
  writers: number
  behind: number
  unsavedBytes: number
  counters: Readonly<Counters>
}

export class Rooms {
  readonly rights: Rights
  readonly #options: RoomsOptions
  readonly #clock: Clock
  readonly #counters = newCounters()
  readonly #keepAlive: KeepAlive
  readonly #states = new Map<string, RoomState>()
  readonly #connections = new Map<string, Connection>()
  #age = 0
  #isClosing = false

  constructor(options: RoomsOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.rights = new Rights({ access: options.access, clock: this.#clock, log: options.logger })
    this.#keepAlive = new KeepAlive(this.#clock, () => this.#endUnsaved())
  }

  /**
   * Lets a connection into its board's room: hello, sync step 1, presence, and the socket is read.
   * @param pending registered before its level was read; the connection's from here on, whatever comes of this.
   * @param decision what the join was admitted and recorded with; a newer one counts.
   * @param socket paused; the caller closes it where this throws.
   * @throws BoardroomError closing | access_denied | not_signed_in | board_deleted | board_unreadable |
   *   database_unreachable | not_found
   */
  async join(pending: Pending, decision: AccessDecision, socket: Socket): Promise<Connection> {
    try {
      const room = await this.#roomOf(pending.joining.boardId)
      // From here to the admission nothing waits, so nothing can change in between.
      const now = await this.#newest(pending, decision)
      if (this.#isClosing) throw restarting()
      const state = this.#states.get(room.boardId)
      if (state?.name !== 'open' || state.room !== room) return await this.join(pending, now.decision, socket)
      return this.#admit(room, pending, now, socket)
    } catch (error) {
      pending.cancel()
      throw error
    }
  }

  /** Who is on a board, in the order of joining. */
  connectionsOf(boardId: string): ConnectionSummary[] {
    const state = this.#states.get(boardId)
    if (state?.name !== 'open') return []
    return Array.from(state.room.connections, (connection) => connection.summary())
  }

  /** @returns false where there is no such connection. */
  sendAway(connectionId: string, code: number = CloseCode.noAccess, reason = 'sent away'): boolean {
    const connection = this.#connections.get(connectionId)
    connection?.close(code, reason)
    return connection !== undefined
  }

  /** Frame 67 to the board's connections on this node. */
  broadcastEvent(boardId: string, event: BoardEvent): void {
    const state = this.#states.get(boardId)
    if (state?.name === 'open') state.room.broadcast(event)
  }

  /**
   * The board's state now, as one update v1. A board that nobody has open is read without being opened.
   * @throws BoardroomError board_unreadable | database_unreachable | not_found
   */
  async document(boardId: string): Promise<Uint8Array> {
    if (this.#states.has(boardId)) return this.#withRoom(boardId, (room) => room.state())
    const stored = await this.#load(boardId)
    if (stored.updates.length === 0) return stored.snapshot ?? Uint8Array.of(0, 0)
    return this.#withRoom(boardId, (room) => room.state())
  }

  /**
   * A change by the server: an import, a restore. Live for collaborators.
   * @param change an update v1 from outside, which is validated; or a function that edits the document.
   * @param principalKey who is recorded as author.
   * @returns resolves once committed.
   * @throws BoardroomError invalid_request | too_large | board_unreadable | database_unreachable | not_found
   */
  applyAsServer(boardId: string, change: Uint8Array | ((doc: Doc) => void), principalKey: string): Promise<void> {
    const edit = typeof change === 'function' ? change : (doc: Doc) => this.#applyChecked(doc, change)
    return this.#withRoom(boardId, (room) => room.changeAsServer(edit, principalKey))
  }

  /** Ends a board's room: its connections close with `code`. Resolves once everything of it is committed. */
  async endBoard(boardId: string, code: CloseCode, reason: string): Promise<void> {
    const state = this.#states.get(boardId)
    if (state?.name === 'open') state.room.end(code, reason)
    const ending = this.#states.get(boardId)
    if (ending?.name === 'closing') await ending.flushed
  }

  /**
   * Ends everything: no more joins, edits flushed, sockets closed 1012 spread over `spreadMs` so that they do not all
   * come back at once, and what is applied is committed. Resolves then, or after `deadlineMs`.
   */
  async close({ spreadMs = 5000, deadlineMs = 20_000 }: { spreadMs?: number; deadlineMs?: number } = {}): Promise<void> {
    this.#isClosing = true
    for (const state of this.#states.values()) if (state.name === 'open') state.room.flush()
    const connections = [...this.#connections.values()]
    const startedAt = this.#clock.now()
    for (const [i, connection] of connections.entries()) {
      const waitMs = startedAt + (spreadMs * i) / connections.length - this.#clock.now()
      if (waitMs > 1) await this.#wait(waitMs)
      connection.close(CloseCode.restart, 'the server restarts')
    }
    const closed = Promise.all(Array.from(this.#states.values(), (state) => this.#finished(state)))
    await this.#within(closed, deadlineMs).catch(() => {
      const unsavedBytes = this.#options.log.totalUnsavedBytes
      this.#options.logger.error({ unsavedBytes }, 'not everything could be saved before the end')
    })
  }

  stats(): RoomsStats {
    let writers = 0
    let behind = 0
    for (const state of this.#states.values()) if (state.name === 'open') writers += state.room.seats.writers
    for (const connection of this.#connections.values()) if (connection.outbox.isBehind) behind++
    return {
      rooms: this.#states.size,
      connections: this.#connections.size,
      writers,
      behind,
      unsavedBytes: this.#options.log.totalUnsavedBytes,
      counters: this.#counters,
    }
  }

  #admit(room: Room, pending: Pending, { decision, level }: { decision: AccessDecision; level: Level }, socket: Socket): Connection {
    const { limits, logger } = this.#options
    const age = ++this.#age
    const connection = new Connection({ pending, socket, host: room, clock: this.#clock, limits, counters: this.#counters, log: logger, age })
    room.seats.take(connection, level, decision.mayManage)
    this.#connections.set(connection.id, connection)
    this.#keepAlive.add(connection)
    this.#counters.joined++
    if (connection.ownProtocol) {
      const { boardId, connectionId, principal } = pending.joining
      const hello = encodeHello({
        connection_id: connectionId,
        board_id: boardId,
        principal,
        level: connection.level ?? 'view',
        may_manage: connection.mayManage,
        ...(connection.reason === null ? {} : { reason: connection.reason }),
        limits: {
          max_frame_bytes: limits.maxFrameBytes,
          max_board_bytes: limits.maxBoardBytes,
          max_file_bytes: limits.maxFileBytes,
          updates_per_second: limits.updatesPerSecond,
          awareness_per_second: limits.awarenessPerSecond,
        },
      })
      connection.outbox.send(frameOf(hello))
    }
    room.admit(connection)
    return connection
  }

  /** The newest decision about a joiner, if it still lets it in. */
  async #newest(pending: Pending, decision: AccessDecision): Promise<{ decision: AccessDecision; level: Level }> {
    const newest = pending.latest === null && pending.state === 'resting' ? decision : await pending.current()
    const { level } = newest
    const end = endFor(newest)
    if (end === null && level !== null) return { decision: newest, level }
    const code = newest.credential === 'ended' ? 'not_signed_in' : newest.board === 'live' ? 'access_denied' : 'board_deleted'
    throw new BoardroomError(code, end?.reason ?? 'no access to this board')
  }

  /** The open room of a board; opened where it is not. */
  async #roomOf(boardId: string): Promise<Room> {
    for (;;) {
      if (this.#isClosing) throw restarting()
      const state = this.#states.get(boardId) ?? this.#open(boardId)
      switch (state.name) {
        case 'open':
          return state.room
        case 'loading':
          return await state.ready
        case 'closing':
          await this.#within(state.flushed, waitForClosingMs)
          break
        case 'closed':
          this.#states.delete(boardId)
          break
      }
    }
  }

  #open(boardId: string): RoomState {
    const ready = this.#load(boardId).then(
      (stored) => {
        const { log, limits, logger, onRelayed } = this.#options
        const room = new Room(
          {
            boardId,
            log,
            limits,
            logger,
            clock: this.#clock,
            counters: this.#counters,
            onDone: (done) => this.#done(done),
            onLeft: (connection, code, reason) => this.#left(connection, code, reason),
            onRelayed: (board, relayed) => onRelayed?.(board, relayed),
          },
          stored,
        )
        this.#states.set(boardId, { name: 'open', room })
        // Whoever it was opened for may be gone by now.
        this.#clock.after(waitForClosingMs, () => room.isEmpty && this.#done(room))
        return room
      },
      (error: unknown) => {
        this.#states.delete(boardId)
        throw error
      },
    )
    // Every waiter gets the error; without one it still is nobody's unhandled rejection.
    ready.catch(() => undefined)
    const state: RoomState = { name: 'loading', ready }
    this.#states.set(boardId, state)
    return state
  }

  /** What storage has; a long log folded into one state first. */
  async #load(boardId: string): Promise<StoredBoard> {
    const { log, fold } = this.#options
    const stored = await log.load(boardId)
    if (stored.updates.length <= mostRowsServed || fold === undefined) return stored
    return { snapshot: await fold(stored), updates: [], authors: stored.authors }
  }

  /** A room is empty or over: closed once nothing of it is on its way to the database. */
  #done(room: Room): void {
    const { boardId } = room
    const state = this.#states.get(boardId)
    if (state?.name !== 'open' || state.room !== room) return
    room.flush()
    const flushed = room.finished().then(() => {
      room.close()
      this.#states.delete(boardId)
      this.#options.log.idle(boardId)
    })
    this.#states.set(boardId, { name: 'closing', flushed })
  }

  #left(connection: Connection, code: number, reason: string): void {
    this.#connections.delete(connection.id)
    this.#keepAlive.remove(connection)
    this.#counters.left++
    this.#options.onLeave(connection.summary(), code, reason)
  }

  async #withRoom<T>(boardId: string, work: (room: Room) => Promise<T>): Promise<T> {
    return work(await this.#roomOf(boardId))
  }

  #applyChecked(doc: Doc, update: Uint8Array): void {
    const { limits } = this.#options
    const verdict = validateUpdate(update, doc, () => 'ok', {
      ...defaultValidationLimits,
      maxNewClientsPerUpdate: limits.maxClientsPerBoard,
    })
    if (verdict.outcome === 'reject') throw new BoardroomError('invalid_request', `not an update that can be applied: ${verdict.message}`)
    if (verdict.outcome === 'resync')
      throw new BoardroomError('invalid_request', 'the update rests on edits that the board does not have; send the whole document')
    applyUpdate(doc, update)
  }

  /** Commits have failed for a minute: what is unsaved stays queued, and clients bring theirs back. */
  #endUnsaved(): void {
    const { log } = this.#options
    if (log.failingSince === null || this.#clock.wall() - log.failingSince < mostUnsavedMs) return
    for (const [boardId, state] of [...this.#states])
      if (state.name === 'open' && log.unsavedBytes(boardId) > 0) state.room.end(CloseCode.busy, 'the database is away')
  }

  async #finished(state: RoomState): Promise<void> {
    switch (state.name) {
      case 'open':
        this.#done(state.room)
        return state.room.finished()
      case 'loading': {
        const room = await state.ready.catch(() => null)
        if (room !== null) this.#done(room)
        return
      }
      case 'closing':
        return state.flushed
      case 'closed':
        return
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve))
  }

  #within<T>(work: Promise<T>, ms: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(ms, () =>
        reject(new BoardroomError('database_unreachable', 'the board is still being saved; try again in a moment')),
      )
      work.then(resolve, reject).finally(() => timer.cancel())
    })
  }
}

const restarting = (): BoardroomError => new BoardroomError('closing', 'the server restarts; come back in a moment')
