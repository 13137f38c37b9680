// Live collaboration in this process: connections join and are listed here, and the rest of the server reads and changes
// open boards through it. Knows neither HTTP nor SQL.
import type { Logger } from 'pino'
import type { Level } from '../../shared/levels.ts'
import { type BoardEvent, CloseCode, encodeHello } from '../../shared/protocol.ts'
import { patchYjsMerging } from '../documents/yjs-merging.ts'
import { BoardroomError } from '../errors.ts'
import { type Pending, Rights } from './access/live-access.ts'
import { endFor } from './access/seats.ts'
import { type Clock, systemClock } from './clock.ts'
import { Connection } from './connection/connection.ts'
import { closing } from './connection/ending.ts'
import { helloFor } from './connection/hello.ts'
import { KeepAlive } from './connection/keep-alive.ts'
import { type Counters, newCounters } from './counters.ts'
import type { Contested, Relayed } from './edits/client-ids.ts'
import type { ServerChange } from './edits/server-change.ts'
import type { Telling } from './edits/side-rows.ts'
import { frameOf } from './frames.ts'
import { LargeAnswers } from './large-answers.ts'
import type { Nodes } from './nodes/ports.ts'
import { OpenRooms } from './open-rooms.ts'
import type {
  Access,
  AccessDecision,
  ConnectionSummary,
  Cut,
  DryRun,
  Fold,
  RoomLimits,
  Socket,
  UpdateLog,
} from './ports.ts'
import type { Room } from './room.ts'

const mostUnsavedMs = 60_000 // by default

export interface RoomsOptions {
  log: UpdateLog
  access: Access
  limits: RoomLimits
  logger: Logger
  /** A connection left, for whatever reason. Called once for each connection that `join` returned. */
  onLeave: (connection: ConnectionSummary, code: number, reason: string) => void
  /** Somebody sent edits under client ids whose owners are away. For the trail, like the next one. */
  onRelayed?: (by: ConnectionSummary, relayed: readonly Relayed[]) => void
  /** Such an owner came back with other edits. */
  onContested?: (owner: ConnectionSummary, contested: Contested) => void
  /** Folds logs in a worker; without it, they are applied in this thread, in slices. */
  fold?: Fold
  /** Cuts states in a worker; without it, a large document is built in one go. */
  cut?: Cut
  /** Dry-runs updates in a worker; without it, in this thread. */
  dryRun?: DryRun
  /** How long rooms stay open while nothing can be saved. Default: one minute. */
  goOnUnsavedMs?: number
  clock?: Clock
  /** The other nodes of the deployment; undefined if this is the only one. */
  nodes?: Nodes | undefined
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
  readonly #rooms: OpenRooms
  readonly #connections = new Map<string, Connection>()
  #age = 0

  constructor(options: RoomsOptions) {
    patchYjsMerging()
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.rights = new Rights({ access: options.access, clock: this.#clock, log: options.logger })
    this.#keepAlive = new KeepAlive(this.#clock, () => this.#endUnsaved())
    this.#rooms = new OpenRooms({
      ...options,
      clock: this.#clock,
      counters: this.#counters,
      answers: new LargeAnswers(this.#clock),
      onLeft: (connection) => this.#left(connection),
      onRelayed: (by, relayed) => this.#report(() => options.onRelayed?.(by.summary(), relayed)),
      onContested: (owner, contested) =>
        this.#report(() => options.onContested?.(owner.summary(), contested)),
    })
  }

  /**
   * Adds a connection to its board's room: sends hello, sync step 1 and presence, and starts reading the socket.
   * @param pending registered before its level was read; owned by this call, even if it fails.
   * @param decision the one with which the join was recorded; a newer one takes precedence.
   * @param socket paused; the caller closes it if this throws.
   * @throws BoardroomError closing | access_denied | not_signed_in | board_deleted | board_unreadable |
   *   database_unreachable | not_found
   */
  async join(pending: Pending, decision: AccessDecision, socket: Socket): Promise<Connection> {
    const { boardId } = pending.joining
    try {
      for (;;) {
        const room = await this.#rooms.roomOf(boardId)
        const newest = await this.#newest(pending, decision)
        // No await from here to the admission, so nothing can change in between.
        if (this.#rooms.mayEnter(room)) return this.#admit(room, pending, newest, socket)
      }
    } catch (error) {
      pending.cancel()
      this.#rooms.closeIfEmpty(boardId)
      throw error
    }
  }

  /** The connections of a board, in the order of joining, without those that have been silent for too long. */
  connectionsOf(boardId: string): ConnectionSummary[] {
    const here = [...(this.#rooms.open(boardId)?.connections ?? [])].filter(
      ({ isOpen, isAway }) => isOpen && !isAway,
    )
    return here.map((connection) => connection.summary())
  }

  /** The same for all boards. */
  everyConnection(): ConnectionSummary[] {
    return [...this.#connections.values()]
      .filter(({ isOpen, isAway }) => isOpen && !isAway)
      .map((connection) => connection.summary())
  }

  /** @returns false if there is no such connection. */
  disconnect(connectionId: string, code: CloseCode = CloseCode.noAccess, reason = 'sent away'): boolean {
    const connection = this.#connections.get(connectionId)
    if (connection === undefined || !connection.isOpen) return false
    connection.end(closing(code, reason))
    return true
  }

  /** Whether the board is open on this node. */
  isOpen(boardId: string): boolean {
    return this.#rooms.open(boardId) !== null
  }

  /** Sends frame 67 to the board's connections on this node. */
  broadcastEvent(boardId: string, event: BoardEvent): void {
    this.#rooms.open(boardId)?.broadcast(event)
  }

  /** Sends an event that belongs to no board to all connections. */
  broadcastEverywhere(event: BoardEvent): void {
    for (const room of this.#rooms.all()) room.broadcast(event)
  }

  /**
   * The board's current state, as one update v1. A board that is not open is read without being opened.
   * @throws BoardroomError board_unreadable | database_unreachable | not_found
   */
  async document(boardId: string): Promise<Uint8Array> {
    if (!this.#rooms.has(boardId)) {
      const stored = await this.#rooms.load(boardId)
      if (stored.updates.length === 0) {
        // The board was not opened, so no room will report it as idle.
        if (!this.#rooms.has(boardId)) this.#options.log.idle(boardId)
        return stored.snapshot ?? Uint8Array.of(0, 0)
      }
    }
    return this.#rooms.withRoom(boardId, (room) => room.state())
  }

  /**
   * Makes a change by the server, such as an import or a restore, which collaborators see live.
   * @param change an update v1 from outside, which is validated; or a function that edits a copy of the document: if it
   *   throws, nothing changes.
   * @param principalKey recorded as the author.
   * @param tell gives the rows that are committed with it.
   * @returns resolves once committed; false if nothing changed and no rows were written.
   * @throws BoardroomError invalid_request | board_full | board_unreadable | database_unreachable | not_found, or
   *   the error of the function
   */
  applyAsServer(
    boardId: string,
    change: ServerChange,
    principalKey: string,
    tell?: Telling,
  ): Promise<boolean> {
    return this.#rooms.withRoom(boardId, (room) => room.changeAsServer(change, principalKey, tell))
  }

  /** Resolves once everything that this node has received for a board is committed. @throws the error of the log */
  async saved(boardId: string): Promise<void> {
    await this.#rooms.open(boardId)?.saved()
  }

  /** Ends every room. Applied edits are still stored, and joins wait for that. */
  endAll(code: CloseCode, reason: string): void {
    for (const room of this.#rooms.all()) room.end(code, reason)
  }

  /** Ends a board's room and closes its connections with `code`. Resolves once all its edits are committed. */
  async endBoard(boardId: string, code: CloseCode, reason: string): Promise<void> {
    this.#rooms.open(boardId)?.end(code, reason)
    await this.#rooms.closed(boardId)
  }

  /**
   * Ends everything: refuses joins, flushes edits, and closes the sockets with 1012, spread over `spreadMs` so that they
   * do not all reconnect at once. Resolves once everything is committed, or after `deadlineMs`.
   */
  async close({
    spreadMs = 5000,
    deadlineMs = 20_000,
  }: {
    spreadMs?: number
    deadlineMs?: number
  } = {}): Promise<void> {
    this.#rooms.refuse()
    for (const room of this.#rooms.all()) {
      room.seats.close()
      room.flush()
    }
    this.#options.log.hurry()
    const connections = [...this.#connections.values()]
    const startedAt = this.#clock.now()
    for (const [i, connection] of connections.entries()) {
      const waitMs = startedAt + (spreadMs * i) / connections.length - this.#clock.now()
      if (waitMs > 1) await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve))
      connection.end(closing(CloseCode.restart, 'the server restarts'))
    }
    if (await this.#rooms.allClosed(deadlineMs - (this.#clock.now() - startedAt))) return
    const unsavedBytes = this.#options.log.totalUnsavedBytes
    this.#options.logger.error({ unsavedBytes }, 'not everything could be saved before the server closed')
  }

  stats(): RoomsStats {
    let writers = 0
    let behind = 0
    for (const room of this.#rooms.all()) writers += room.seats.writers
    for (const connection of this.#connections.values()) if (connection.outbox.isBehind) behind++
    return {
      rooms: this.#rooms.size,
      connections: this.#connections.size,
      writers,
      behind,
      unsavedBytes: this.#options.log.totalUnsavedBytes,
      counters: this.#counters,
    }
  }

  #admit(
    room: Room,
    pending: Pending,
    { decision, level }: { decision: AccessDecision; level: Level },
    socket: Socket,
  ): Connection {
    const { limits, logger } = this.#options
    const age = ++this.#age
    const connection = new Connection({
      pending,
      socket,
      host: room,
      clock: this.#clock,
      limits,
      counters: this.#counters,
      log: logger,
      age,
    })
    room.take(connection, level, decision)
    this.#connections.set(connection.id, connection)
    this.#keepAlive.add(connection)
    this.#counters.joined++
    try {
      if (connection.ownProtocol) connection.outbox.send(frameOf(encodeHello(helloFor(connection, limits))))
      room.greet(connection)
    } catch (error) {
      connection.failed(error)
    }
    return connection
  }

  /** The newest decision about a joining connection. @throws BoardroomError if it does not let it in */
  async #newest(
    pending: Pending,
    decision: AccessDecision,
  ): Promise<{ decision: AccessDecision; level: Level }> {
    const newest = pending.latest === null && pending.state === 'resting' ? decision : await pending.current()
    const { level } = newest
    const end = endFor(newest)
    if (end === null && level !== null) return { decision: newest, level }
    const code =
      newest.credential === 'ended'
        ? 'not_signed_in'
        : newest.board === 'live'
          ? 'access_denied'
          : 'board_deleted'
    throw new BoardroomError(code, end?.reason ?? 'no access to this board')
  }

  #left(connection: Connection): void {
    this.#connections.delete(connection.id)
    this.#keepAlive.remove(connection)
    this.#counters.left++
    const { code = 1006, reason = '' } = connection.ending ?? {}
    this.#report(() => this.#options.onLeave(connection.summary(), code, reason))
  }

  /** Errors of the rest of the server must not reach the room that reports something. */
  #report(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.#options.logger.error({ err: error }, 'an event of a room could not be reported')
    }
  }

  /** If commits have failed for too long, ends rooms with unsaved edits. These stay queued, and clients send theirs again. */
  #endUnsaved(): void {
    const { log, goOnUnsavedMs = mostUnsavedMs } = this.#options
    if (log.failingSince === null || this.#clock.wall() - log.failingSince < goOnUnsavedMs) return
    for (const room of this.#rooms.all())
      if (log.unsavedBytes(room.boardId) > 0) room.end(CloseCode.busy, 'the database is unavailable')
  }
}
