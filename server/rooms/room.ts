// One board that is open on this node: its document, its connections and their presence. Edits of a window are sent to
// everybody as one frame, which is built once.
import type { Logger } from 'pino'
import type * as Y from 'yjs'
import type { Level } from '../../shared/levels.ts'
import { type BoardEvent, CloseCode, SyncStep } from '../../shared/protocol.ts'
import { BoardroomError, closeCodeOf } from '../errors.ts'
import { endFor, Seats } from './access/seats.ts'
import { GuardedClock } from './clock.ts'
import type { Connection } from './connection/connection.ts'
import { closing } from './connection/ending.ts'
import type { Host } from './connection/host.ts'
import { type Delivery, deliveryOf } from './connection/outbox.ts'
import { BoardDocument } from './document.ts'
import { ClientIds } from './edits/client-ids.ts'
import type { Edit, Editor } from './edits/edit.ts'
import { EditWindow, type EditWindowOptions } from './edits/edit-window.ts'
import { type ServerChange, updatesOf } from './edits/server-change.ts'
import type { Telling } from './edits/side-rows.ts'
import { awarenessFrame, syncFrame } from './frames.ts'
import type { BoardLink } from './nodes/board-link.ts'
import type { LinkedRoom } from './nodes/ports.ts'
import type { AccessDecision, StoredBoard } from './ports.ts'
import { Presence } from './presence/presence.ts'
import { RoomEvents } from './room-events.ts'
import type { RoomOptions } from './room-options.ts'
import { StateExchange } from './state-exchange.ts'

export class Room implements Host<Connection> {
  readonly boardId: string
  readonly connections = new Set<Connection>()
  readonly seats: Seats
  readonly #options: RoomOptions
  readonly #logger: Logger
  readonly #document: BoardDocument
  readonly #presence: Presence
  readonly #clientIds: ClientIds
  readonly #window: EditWindow
  readonly #exchange: StateExchange
  readonly #link: BoardLink | undefined
  readonly #events: RoomEvents
  /** Connections that ended in this turn and are not removed yet. */
  #leaving: Connection[] = []
  /** How many parts of the server work on the board, which keeps it open. */
  #holds = 0
  #isOver = false

  constructor(options: RoomOptions, stored: StoredBoard) {
    const { boardId, limits, logger, counters, log, cut, dryRun, onRelayed, onContested, link } = options
    this.#link = link
    this.#options = options
    this.boardId = boardId
    this.#logger = logger.child({ boardId })
    // A timer has no caller that could catch its errors.
    const clock = new GuardedClock(options.clock, (error) =>
      this.#failed({ name: 'broken', error, culprit: null }),
    )
    this.#events = new RoomEvents({
      clock,
      connections: this.connections,
      tellNodes: (event) => link?.tellEvent(event),
      onFailure: (error) => this.#failed({ name: 'broken', error, culprit: null }),
    })
    this.#document = new BoardDocument(stored, { clock, cut, onBuilt: () => counters.documents_built++ })
    const isFull = !this.#document.hasRoomFor(1, limits.maxBoardBytes)
    this.seats = new Seats({
      ...{ limits, counters, clock, isFull },
      onLapsed: () => this.#doneIfEmpty(),
      elsewhere: () => link?.writersElsewhere ?? 0,
    })
    this.#presence = new Presence({
      clock,
      perSecond: limits.awarenessPerSecond,
      onDue: (frame) => this.#deliver(deliveryOf(null, frame), null),
      onIgnored: () => counters.presence_ignored++,
      tell: link === undefined ? undefined : (entries) => link.tellPresence(entries),
    })
    const speakerOf = (clientId: number) => this.#presence.speakerOf(clientId)
    const isElsewhere = (principalKey: string) => this.#presence.isElsewhere(principalKey)
    this.#clientIds = new ClientIds({ authors: stored.authors, limits, speakerOf, isElsewhere })
    this.#window = new EditWindow({
      boardId,
      log,
      dryRun,
      document: this.#document,
      clientIds: this.#clientIds,
      limits,
      clock,
      counters,
      onUpdate: (update, soleWriter) => this.#show(update, soleWriter),
      onStored: (update, by, appended) => link?.tellUpdate(update, by, appended),
      onFull: () => this.#full(),
      onOverflow: () => this.end(CloseCode.busy, 'the database is unavailable'),
      onFailure: (failure) => this.#failed(failure),
      onRelayed,
      onContested,
    })
    const parts = {
      ...{ document: this.#document, clientIds: this.#clientIds, window: this.#window, clock },
      answers: options.answers,
    }
    this.#exchange = new StateExchange(parts)
    link?.attach(this.#linked())
  }

  get isEmpty(): boolean {
    return this.connections.size === 0 && this.#holds === 0 && !this.seats.isReserved
  }

  /** Adds a connection. */
  take(connection: Connection, granted: Level, { mayManage, agent }: AccessDecision): void {
    connection.agent = agent
    connection.enter({ ...this.seats.take(connection, granted), mayManage })
    this.connections.add(connection)
    this.#clientIds.joined(connection.principalKey, connection.joining.formerKey)
    this.#link?.tellWriters()
  }

  /** Announces an added connection to the others, sends it what it needs first, and starts reading from it. */
  greet(connection: Connection): void {
    const { level } = connection.summary()
    const { principal } = connection.speaker
    this.#events.tell({ type: 'joined', connection_id: connection.id, principal, level }, connection)
    this.ask(connection)
    this.sendEveryone(connection)
    connection.start()
  }

  edit(edit: Edit): void {
    this.#window.add(edit)
  }

  answer(connection: Connection, stateVector: Uint8Array): void {
    this.#exchange.answer(connection, stateVector)
  }

  ask(connection: Connection): void {
    this.#exchange.ask(connection)
  }

  presence(connection: Connection, update: Uint8Array): boolean {
    return this.#presence.receive(connection.speaker, update, (farewell) =>
      connection.outbox.send(awarenessFrame([farewell])),
    )
  }

  sendEveryone(connection: Connection): void {
    const entries = this.#presence.everyone()
    if (entries.length > 0) connection.outbox.send(awarenessFrame(entries))
  }

  catchUp(connection: Connection, missed: { since: Uint8Array | null; presence: boolean }): void {
    const { since, presence } = missed
    if (since !== null) this.#exchange.catchUp(connection, since)
    if (presence) connection.outbox.send(awarenessFrame(this.#presence.everyoneAndFarewells()))
  }

  decided(connection: Connection, decision: AccessDecision): void {
    connection.agent = decision.agent
    const end = endFor(decision)
    if (end !== null) connection.end(closing(end.code, end.reason))
    else if (decision.level !== null) this.seats.decided(connection, decision.level, decision.mayManage)
    this.#link?.tellWriters()
  }

  awayChanged(connection: Connection): void {
    if (connection.isAway) this.#presence.leave(connection.speaker)
    this.seats.fill()
  }

  left(connection: Connection): void {
    if (this.#leaving.push(connection) > 1) return
    queueMicrotask(() => {
      try {
        this.#takeLeave()
      } catch (error) {
        this.#failed({ name: 'broken', error, culprit: null })
      }
    })
  }

  broadcast(event: BoardEvent): void {
    this.#events.broadcast(event)
  }

  flush(): void {
    this.#window.flush()
  }

  /**
   * A change by the server, which everybody sees live. If it fails, nothing changes.
   * @param author the principal under which new client ids are recorded.
   * @param tell gives the rows that are committed with it.
   * @returns resolves once committed; false if nothing changed and no rows were written.
   * @throws BoardroomError invalid_request | board_full | board_unreadable, or the error of `change` or the log.
   */
  changeAsServer(change: ServerChange, author: string, tell?: Telling): Promise<boolean> {
    const { limits } = this.#options
    return this.#held(async (doc) => {
      const updates = updatesOf(change, { document: this.#document, doc, limits })
      const isChanged = this.#window.change(doc, updates, author, tell)
      await this.#window.settled()
      return isChanged
    })
  }

  /** Resolves once everything received so far is committed. @throws the error of the log */
  async saved(): Promise<void> {
    await this.#held(() => this.#window.settled())
  }

  /** The current state, as one update v1. */
  state(): Promise<Uint8Array> {
    return this.#held((doc) => this.#document.encode(doc))
  }

  /** Resolves once nothing of this room is on its way to the database. */
  finished(): Promise<void> {
    this.#link?.settle()
    return this.#window.finished()
  }

  /** Closes every connection and ends the room. Applied edits are still stored. */
  end(code: CloseCode, reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.seats.close()
    this.flush()
    for (const connection of this.connections) connection.end(closing(code, reason))
    this.#options.onDone()
  }

  /** Frees everything; the room must not be used afterwards. */
  close(): void {
    this.#isOver = true
    this.#takeLeave()
    this.seats.close()
    this.#link?.close()
    this.#events.close()
    this.#window.close()
    this.#presence.close()
    this.#exchange.close()
    this.#document.destroy()
  }

  async #held<T>(work: (doc: Y.Doc) => T | Promise<T>): Promise<T> {
    this.#holds++
    try {
      await this.#window.build()
      this.flush()
      const { doc } = this.#document
      if (doc === null || this.#isOver)
        throw new BoardroomError('board_unreadable', 'the board could not be opened')
      return await work(doc)
    } finally {
      this.#holds--
      this.#doneIfEmpty()
    }
  }

  /** Removes the connections that have ended, after the turn in which they did. */
  #takeLeave(): void {
    const leaving = this.#leaving
    this.#leaving = []
    for (const connection of leaving) {
      if (!this.connections.delete(connection)) continue
      this.#clientIds.left(connection.principalKey)
      this.#window.left(connection)
      this.#presence.leave(connection.speaker)
      this.seats.left(connection)
      this.#options.onLeft(connection)
    }
    this.#link?.tellWriters()
    this.#doneIfEmpty()
    if (this.#isOver) return
    this.seats.fill()
    this.#link?.tellWriters()
    for (const connection of leaving) {
      const { connectionId, level } = connection.summary()
      const { principal } = connection.speaker
      this.#events.tell({ type: 'left', connection_id: connectionId, principal, level }, connection)
    }
  }

  #show(update: Uint8Array, soleWriter: Editor | null): void {
    this.#options.counters.windows++
    const frame = syncFrame(SyncStep.update, update)
    this.#exchange.changed()
    // Waiting presence is sent along, because writing to many sockets is what costs time.
    this.#deliver(deliveryOf(frame, this.#presence.takeAlong()), soleWriter)
  }

  #deliver(delivery: Delivery, soleWriter: Editor | null): void {
    const stateVector = () => this.#document.stateVector() ?? Uint8Array.of(0)
    const presenceOnly = deliveryOf(null, delivery.presence)
    for (const connection of this.connections) {
      const frames = connection === soleWriter || !connection.mayRead ? presenceOnly : delivery
      connection.outbox.deliver(frames, stateVector)
    }
  }

  /** This room as other nodes reach it. */
  #linked(): LinkedRoom {
    const document = this.#document
    const seats = this.seats
    return {
      applyRemote: (updates, authors, whenCommitted) =>
        this.#window.addRemote(updates, authors, whenCommitted),
      get isIncomplete() {
        return document.isIncomplete
      },
      remotePresence: (nodeId, entries, isNews) => this.#presence.receiveRemote(nodeId, entries, isNews),
      remoteNodeLeft: (nodeId) => this.#presence.remoteLeft(nodeId),
      remoteEvent: (event) => this.#events.remote(event),
      remoteWriters: () => seats.fill(),
      ownPresence: (withGone) => this.#presence.own(withGone),
      get ownWriters() {
        return seats.taken
      },
    }
  }

  #full(): void {
    this.#logger.warn('the board has reached its size limit and is view only now')
    this.seats.boardFull()
  }

  #failed({ name, error, culprit }: Parameters<EditWindowOptions['onFailure']>[0]): void {
    if (this.#isOver) return
    this.#options.counters.rooms_failed++
    // Nothing more may be applied, sent or stored: only what is in the log counts.
    this.#window.close()
    // Should be impossible. The first bytes of the update help to investigate it.
    const start = culprit === null ? undefined : Buffer.from(culprit.update).subarray(0, 512).toString('hex')
    const by = culprit?.editor.summary().connectionId
    this.#logger.error({ err: error, name, by, bytes: culprit?.update.length, start }, 'a room failed')
    const code = error instanceof BoardroomError ? closeCodeOf(error.code) : CloseCode.restart
    this.end(code, name === 'refused' ? 'the change could not be stored' : 'the board is reloaded')
  }

  #doneIfEmpty(): void {
    if (!this.isEmpty) return
    this.#isOver = true
    this.#options.onDone()
  }
}
