// One board that is open on this node: its document, its connections, its presence. What comes in is collected for a
// window and leaves as one frame, built once, for everybody.
import type { Logger } from 'pino'
import * as Y from 'yjs'
import { mayWrite } from '../../shared/levels.ts'
import { type BoardEvent, CloseCode, encodeEvent, SyncStep } from '../../shared/protocol.ts'
import { BoardroomError, closeCodeOf } from '../errors.ts'
import { Seats } from './access/seats.ts'
import type { Connection } from './connection/connection.ts'
import type { Host } from './connection/host.ts'
import { type Delivery, deliveryOf } from './connection/outbox.ts'
import { BoardDocument } from './document.ts'
import { ClientIds } from './edits/client-ids.ts'
import { EditWindow, type EditWindowOptions } from './edits/edit-window.ts'
import type { Edit } from './edits/edits.ts'
import { awarenessFrame, frameOf, syncFrame } from './frames.ts'
import { JoinFrames } from './join-frames.ts'
import { isEmptyStateVector } from './messages.ts'
import type { AccessDecision, StoredBoard } from './ports.ts'
import { Presence } from './presence/presence.ts'
import type { RoomOptions } from './room-options.ts'

/** In larger rooms, who came and went is not told: everybody times everybody. Presence shows them all the same. */
const mostToldOfJoins = 50

export class Room implements Host {
  readonly boardId: string
  readonly connections = new Set<Connection>()
  readonly seats: Seats
  readonly #options: RoomOptions
  readonly #logger: Logger
  readonly #document: BoardDocument
  readonly #presence: Presence
  readonly #clientIds: ClientIds
  readonly #frames: JoinFrames
  readonly #window: EditWindow
  /** Parts of the server that work on the board: it stays open for them. */
  #holds = 0
  #isOver = false

  constructor(options: RoomOptions, stored: StoredBoard) {
    const { boardId, limits, clock, logger, counters, log } = options
    this.#options = options
    this.boardId = boardId
    this.#logger = logger.child({ boardId })
    this.#document = new BoardDocument(stored, {
      clock,
      cut: options.cut,
      onBuilt: () => counters.documents_built++,
    })
    this.#frames = new JoinFrames(this.#document, clock)
    this.seats = new Seats(limits, counters, !this.#document.hasRoomFor(1, limits.maxBoardBytes))
    this.#presence = new Presence({
      clock,
      perSecond: limits.awarenessPerSecond,
      onDue: (frame) => this.#deliver(deliveryOf(null, frame), null),
      onIgnored: () => counters.presence_ignored++,
    })
    const speakerOf = (clientId: number) => this.#presence.speakerOf(clientId)
    this.#clientIds = new ClientIds({ authors: stored.authors, limits, speakerOf })
    this.#window = new EditWindow({
      boardId,
      log,
      dryRun: options.dryRun,
      document: this.#document,
      clientIds: this.#clientIds,
      limits,
      clock,
      counters,
      onUpdate: (update, soleWriter) => this.#show(update, soleWriter),
      onFull: () => this.#full(),
      onOverflow: () => this.end(CloseCode.busy, 'the database is away'),
      onFailure: (failure) => this.#failed(failure),
      onRelayed: options.onRelayed,
      onContested: options.onContested,
    })
  }

  get isEmpty(): boolean {
    return this.connections.size === 0 && this.#holds === 0
  }

  /** Lets a connection in whose level is set and which has been greeted. */
  admit(connection: Connection): void {
    const { principal } = connection.joining
    this.#tell({ type: 'joined', connection_id: connection.id, principal, level: connection.level ?? 'view' })
    this.connections.add(connection)
    this.#clientIds.joined(connection.principalKey, connection.joining.formerKey)
    // A large board that nobody has written to yet is not scanned for this: such a client is asked when it asks.
    this.ask(connection)
    this.sendEveryone(connection)
    connection.start()
  }

  edit(edit: Edit): void {
    this.#window.add(edit)
  }

  answer(connection: Connection, stateVector: Uint8Array): void {
    this.flush()
    if (!connection.isOpen) return
    if (isEmptyStateVector(stateVector)) {
      // It has nothing: asking it for everything, before it gets the state, costs nothing.
      if (!connection.wasAsked) this.ask(connection, stateVector)
      if (this.#frames.isReady) this.#answerWhole(connection)
      else this.#onceBuilt(connection, () => this.#answerWhole(connection))
      return
    }
    const { doc } = this.#document
    if (doc !== null) {
      this.#answerDifference(connection, doc, stateVector)
      return
    }
    const question = stateVector.slice()
    this.#onceBuilt(connection, (built) => this.#answerDifference(connection, built, question))
  }

  ask(connection: Connection, stateVector = this.#document.stateVector()): void {
    if (stateVector === null) return
    connection.wasAsked = true
    const question = this.#clientIds.questionFor(connection.principalKey, stateVector)
    connection.outbox.send(syncFrame(SyncStep.step1, question))
  }

  presence(connection: Connection, update: Uint8Array): boolean {
    return this.#presence.receive(connection.speaker, update)
  }

  sendEveryone(connection: Connection): void {
    const entries = this.#presence.everyone()
    if (entries.length > 0) connection.outbox.send(awarenessFrame(entries))
  }

  catchUp(connection: Connection, missed: { since: Uint8Array | null; presence: boolean }): void {
    const { since, presence } = missed
    // Whoever fell behind did so over an update, and updates are applied to a built document.
    const { doc } = this.#document
    if (since !== null && doc !== null) {
      this.flush()
      connection.outbox.answer([this.#frames.difference(doc, since, SyncStep.update)])
    }
    if (presence) connection.outbox.send(awarenessFrame(this.#presence.everyoneAndFarewells()))
  }

  decided(connection: Connection, decision: AccessDecision): void {
    const couldWrite = mayWrite(connection.level)
    this.seats.decided(connection, decision)
    if (couldWrite && !mayWrite(connection.level)) this.seats.fill()
  }

  left(connection: Connection, code: number, reason: string): void {
    if (!this.connections.delete(connection)) return
    const { principal } = connection.joining
    const level = connection.level ?? 'view'
    this.#clientIds.left(connection.principalKey)
    this.#window.left(connection)
    this.#presence.leave(connection.speaker)
    this.seats.left(connection)
    this.#options.onLeft(connection, code, reason)
    if (this.isEmpty) {
      this.#done()
      return
    }
    if (this.#isOver) return
    this.seats.fill()
    this.#tell({ type: 'left', connection_id: connection.id, principal, level })
  }

  /** Frame 67, to everyone who understands it. */
  broadcast(event: BoardEvent): void {
    let frame: Buffer | null = null
    for (const connection of this.connections) {
      if (!connection.ownProtocol) continue
      frame ??= frameOf(encodeEvent(event))
      connection.outbox.send(frame)
    }
  }

  flush(): void {
    this.#window.flush()
  }

  /**
   * A change by the server itself, live for everybody.
   * @param change gets the document inside a transaction, under a client id of its own; may throw before it changes.
   * @param author principal that the new client ids are recorded under.
   * @param bytes how large it is, where that is known.
   * @returns resolves once committed. @throws BoardroomError board_full, or what `change` or the log throws.
   */
  changeAsServer(change: (doc: Y.Doc) => void, author: string, bytes: number): Promise<void> {
    const { maxBoardBytes } = this.#options.limits
    return this.#held(async (doc) => {
      if (!this.#document.hasRoomFor(bytes, maxBoardBytes))
        throw new BoardroomError(
          'board_full',
          `the board may have ${maxBoardBytes} bytes, and would have more`,
        )
      doc.clientID = Math.floor(Math.random() * 2 ** 32)
      const known = new Set(doc.store.clients.keys())
      const update = this.#document.transact(doc, () => change(doc))
      if (update !== null) {
        const fresh = Array.from(doc.store.clients.keys()).filter((clientId) => !known.has(clientId))
        const writer = { principalKey: author, newClientIds: 0, speaksFor: () => false }
        const writes = fresh.map((clientId) => ({
          clientId,
          fromClock: 0,
          toClock: Y.getState(doc.store, clientId),
        }))
        this.#show(update, null)
        this.#window.store(update, this.#clientIds.wrote(writer, writes).authors)
        if (!this.#document.hasRoomFor(1, maxBoardBytes)) this.#full()
      }
      await this.#window.commits.settled()
    })
  }

  /** The whole state now, as one update v1. */
  state(): Promise<Uint8Array> {
    return this.#held((doc) => this.#document.encode(doc))
  }

  /** Resolves once nothing of this room is on its way to the database any more. */
  finished(): Promise<void> {
    return this.#window.finished()
  }

  /** Sends everybody away and ends the room; what is applied is still stored. */
  end(code: CloseCode, reason: string): void {
    this.flush()
    this.#isOver = true
    for (const connection of [...this.connections]) connection.close(code, reason)
    this.#done()
  }

  /** Frees what the room holds; afterwards it is not to be used. */
  close(): void {
    this.#isOver = true
    this.#window.close()
    this.#presence.close()
    this.#frames.close()
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
      if (this.isEmpty) this.#done()
    }
  }

  /** Answers when there is a document; until then the connection is not read. */
  #onceBuilt(connection: Connection, answer: (doc: Y.Doc) => void): void {
    connection.pace.hold('document')
    void this.#window.build().then(() => {
      const { doc } = this.#document
      if (!connection.isOpen || doc === null) return
      answer(doc)
      connection.pace.release('document')
    })
  }

  #answerWhole(connection: Connection): void {
    this.#frames.whole((pieces) => connection.outbox.answer(pieces))
  }

  #answerDifference(connection: Connection, doc: Y.Doc, stateVector: Uint8Array): void {
    if (!connection.wasAsked) this.ask(connection)
    connection.outbox.answer([this.#frames.difference(doc, stateVector, SyncStep.step2)])
  }

  #show(update: Uint8Array, soleWriter: Connection | null): void {
    this.#options.counters.windows++
    const frame = syncFrame(SyncStep.update, update)
    this.#frames.changed()
    // Presence that waits goes along: the dear part of a frame is writing to so many sockets.
    this.#deliver(deliveryOf(frame, this.#presence.takeAlong()), soleWriter)
  }

  #deliver(delivery: Delivery, soleWriter: Connection | null): void {
    const stateVector = () => this.#document.stateVector() ?? Uint8Array.of(0)
    const presenceOnly = soleWriter === null ? null : deliveryOf(null, delivery.presence)
    for (const connection of this.connections)
      connection.outbox.deliver(
        connection === soleWriter && presenceOnly !== null ? presenceOnly : delivery,
        stateVector,
      )
  }

  #tell(event: BoardEvent): void {
    if (this.connections.size > 0 && this.connections.size <= mostToldOfJoins) this.broadcast(event)
  }

  #full(): void {
    this.#logger.warn('the board has reached its size limit and is only shown now')
    this.seats.close()
  }

  #failed({ name, error, culprit }: Parameters<EditWindowOptions['onFailure']>[0]): void {
    this.#options.counters.rooms_failed++
    // Should be impossible; whoever looks into it needs the bytes, or at least how they begin.
    const start = culprit === null ? undefined : Buffer.from(culprit.update).subarray(0, 512).toString('hex')
    const by = culprit?.connection.id
    this.#logger.error({ err: error, name, by, bytes: culprit?.update.length, start }, 'a room failed')
    const code = error instanceof BoardroomError ? closeCodeOf(error.code) : CloseCode.restart
    this.end(code, name === 'refused' ? 'the change could not be stored' : 'the board is loaded anew')
  }

  #done(): void {
    this.#isOver = true
    this.#options.onDone(this)
  }
}
