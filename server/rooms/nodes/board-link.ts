// Connects one board to the other nodes: what happens here is sent to them, and what they send is applied here. Each
// node numbers its updates, so that a lost one is noticed; it is read from the log once it is committed.
//
// The node where an update was written commits it. Until the others learn that it is committed, it counts as unsaved
// there too, and nothing that came after it is reported as saved. If they are not told in time, they commit it
// themselves: an update may be in the log twice, and its side rows are written only once.
import type { Logger } from 'pino'
import type { BoardEvent } from '../../../shared/protocol.ts'
import type { Clock } from '../clock.ts'
import type { Author, SideRows, UpdateLog } from '../ports.ts'
import { LogCatchUp } from './log-catch-up.ts'
import { type BoardMessage, decodeBoardMessage, encodeBoardMessage, type PresenceEntry } from './messages.ts'
import { type OwnUpdate, OwnUpdates } from './own-updates.ts'
import { Peer } from './peer.ts'
import type { BoardChannel, LinkedRoom, Nodes } from './ports.ts'

/** After this long without a confirmation, this node commits the update itself. */
const mostUnconfirmedMs = 5000
/** A node that may have closed the board unnoticed has this long to send something about it. */
const doubtMs = 3000
const presenceChunkBytes = 256 * 1024
const links = 2 ** 32

export class BoardLink {
  readonly #boardId: string
  readonly #log: UpdateLog
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #channel: BoardChannel
  /** Identifies this opening of the board, so that others do not mix up its numbers with those of an earlier one. */
  readonly #link = Math.floor(Math.random() * links)
  /** The newest such opening of each other node. */
  readonly #links = new Map<string, number>()
  readonly #peers = new Map<string, Peer>()
  /** Nodes that may have closed the board unnoticed, and since when; until something is received from them. */
  readonly #doubted = new Map<string, number>()
  readonly #openedAt: number
  /** Messages that arrived before there was a room. */
  #early: { nodeId: string; message: BoardMessage }[] | null = []
  #room: LinkedRoom | null = null
  readonly #own: OwnUpdates
  readonly #catchUp: LogCatchUp
  #sentWriters = 0
  #isSettled = false
  #isClosed = false

  constructor(options: { boardId: string; nodes: Nodes; log: UpdateLog; logger: Logger; clock: Clock }) {
    const { boardId, nodes, log, logger, clock } = options
    this.#boardId = boardId
    this.#log = log
    this.#logger = logger
    this.#clock = clock
    this.#openedAt = clock.now()
    this.#own = new OwnUpdates(clock, () => this.#sendCommitted())
    this.#catchUp = new LogCatchUp({ boardId, log, logger, clock, peers: this.#peers })
    this.#channel = nodes.open(boardId, {
      message: (nodeId, body) => this.#received(nodeId, body),
      gone: (nodeId) => this.#gone(nodeId),
      backAgain: () => this.#backAgain(),
      otherBackAgain: (nodeId) => this.#doubt(nodeId),
      tick: (shouldReadLog) => this.#tick(shouldReadLog),
    })
  }

  /** Resolves once nothing that happens on other nodes can be missed unnoticed. Read the log after that. */
  async ready(): Promise<void> {
    await this.#channel.ready
    this.#send({ kind: 'opened', link: this.#link })
  }

  /** Passes the messages received so far to the room, and all later ones. */
  attach(room: LinkedRoom): void {
    this.#room = room
    this.#catchUp.attach(room)
    const early = this.#early ?? []
    this.#early = null
    for (const { nodeId, message } of early) this.#handle(nodeId, message)
    if (room.isIncomplete) this.#catchUp.soon()
  }

  /** Seats taken on other nodes. */
  get writersElsewhere(): number {
    let writers = 0
    for (const peer of this.#peers.values()) writers += peer.writers
    return writers
  }

  /** An update was applied here and is on its way to the log. */
  tellUpdate(
    update: Uint8Array,
    by: { authors: readonly Author[]; sideRows: SideRows | null },
    appended: Promise<void>,
  ): void {
    this.#sendUpdate(this.#own.add(update, by, appended))
  }

  tellPresence(entries: readonly PresenceEntry[]): void {
    this.#sendPresence(entries, true)
  }

  tellEvent(event: BoardEvent): void {
    this.#send({ kind: 'event', event })
  }

  tellWriters(): void {
    const writers = this.#room?.ownWriters ?? 0
    if (writers === this.#sentWriters || this.#isClosed) return
    this.#sendState()
  }

  /** Stops sending and receiving. Updates of other nodes that are not confirmed as committed are committed from here. */
  close(): void {
    if (this.#isClosed) return
    for (const peer of this.#peers.values()) this.#takeOver(peer)
    this.#send({ kind: 'closed', seq: this.#own.seq, link: this.#link })
    this.#isClosed = true
    this.#catchUp.stop()
    this.#channel.close()
  }

  /**
   * The room ends. Unconfirmed updates of other nodes are committed from here, so that the room need not wait for
   * those nodes. Later updates are not applied, or a room whose board is edited elsewhere would never be done.
   */
  settle(): void {
    this.#isSettled = true
    this.#catchUp.stop()
    for (const peer of this.#peers.values()) this.#takeOver(peer)
  }

  #received(nodeId: string, body: Uint8Array): void {
    if (this.#isClosed) return
    let message: BoardMessage | null
    try {
      message = decodeBoardMessage(body)
    } catch (error) {
      this.#logger.warn({ err: error, nodeId }, 'a message from another node could not be read')
      return
    }
    if (message === null) return
    if (this.#early === null) this.#handle(nodeId, message)
    else this.#early.push({ nodeId, message })
  }

  #handle(nodeId: string, message: BoardMessage): void {
    const room = this.#room
    if (room === null) return
    this.#doubted.delete(nodeId)
    const wasKnown = this.#links.has(nodeId)
    if ('link' in message) this.#noteLink(nodeId, message.link)
    switch (message.kind) {
      case 'opened':
        // It starts from nothing, and if it was away before, it may have missed what we sent.
        this.#sendAll(wasKnown)
        return
      case 'closed': {
        const peer = this.#peers.get(nodeId)
        this.#gone(nodeId, peer === undefined ? message.seq === 0 : peer.isCompleteAt(message.seq))
        return
      }
      case 'event':
        room.remoteEvent(message.event)
        return
      case 'presence':
        room.remotePresence(nodeId, message.entries, message.isNews)
        return
      case 'update':
        if (this.#isSettled) return
        this.#updated(this.#peerOf(nodeId, message), message, room)
        return
      case 'committed':
        this.#progressed(this.#peerOf(nodeId, message), message)
        return
      case 'state': {
        const peer = this.#peerOf(nodeId, message)
        this.#progressed(peer, message)
        if (peer.writers !== message.writers) {
          peer.writers = message.writers
          room.remoteWriters()
        }
      }
    }
  }

  /** If a node closed and reopened the board unnoticed, only its new link shows it. */
  #noteLink(nodeId: string, link: number | undefined): void {
    if (link === undefined) return // a node with an older version
    const before = this.#links.get(nodeId)
    if (before !== undefined && before !== link) this.#gone(nodeId)
    this.#links.set(nodeId, link)
  }

  #peerOf(nodeId: string, first: Extract<BoardMessage, { kind: 'update' | 'committed' | 'state' }>): Peer {
    const known = this.#peers.get(nodeId)
    if (known !== undefined) return known
    const peer = new Peer(first, this.#clock.now() - this.#openedAt)
    this.#peers.set(nodeId, peer)
    return peer
  }

  #updated(peer: Peer, message: Extract<BoardMessage, { kind: 'update' }>, room: LinkedRoom): void {
    if (peer.arrived(message.seq)) {
      const whenCommitted = peer.whenCommitted(message, this.#clock.now())
      room.applyRemote([message.update], message.authors, whenCommitted)
      if (room.isIncomplete) this.#catchUp.soon()
    }
    this.#progressed(peer, message)
  }

  #progressed(peer: Peer, message: { seq: number; committed: number }): void {
    peer.progress(message)
    if (!peer.isMissingUpdates) return
    if (peer.isMissingCommitted) this.#catchUp.soon(0)
    else this.#catchUp.soon()
  }

  /** @param isComplete whether everything that it sent about the board was received. */
  #gone(nodeId: string, isComplete = false): void {
    const wasHere = this.#links.has(nodeId)
    const peer = this.#peers.get(nodeId)
    this.#peers.delete(nodeId)
    this.#links.delete(nodeId)
    this.#doubted.delete(nodeId)
    this.#room?.remoteNodeLeft(nodeId)
    if (peer !== undefined) this.#takeOver(peer)
    if (!isComplete && (wasHere || peer !== undefined)) this.#catchUp.nodeGone()
    if (peer !== undefined && peer.writers > 0) this.#room?.remoteWriters()
  }

  /**
   * Commits unconfirmed updates of another node from here. Each gets one of our numbers, so that a node which never
   * received it notices that it is missing.
   */
  #takeOver(peer: Peer, receivedBefore?: number): void {
    for (;;) {
      const unconfirmed = peer.takeUnconfirmed(receivedBefore)
      if (unconfirmed === null) return
      const { update, authors, sideRows, resolve, reject } = unconfirmed
      const appended = this.#log.append(this.#boardId, update, authors, sideRows)
      appended.then(resolve, reject)
      this.#own.number(appended)
    }
  }

  #doubt(nodeId: string): void {
    if (!this.#doubted.has(nodeId)) this.#doubted.set(nodeId, this.#clock.now())
  }

  #backAgain(): void {
    for (const nodeId of [...this.#links.keys(), ...this.#peers.keys()]) this.#doubt(nodeId)
    this.#send({ kind: 'opened', link: this.#link })
    this.#sendAll(true)
    this.#catchUp.soon(0)
  }

  #tick(shouldReadLog: boolean): void {
    const before = this.#clock.now() - mostUnconfirmedMs
    for (const peer of this.#peers.values()) this.#takeOver(peer, before)
    for (const [nodeId, since] of this.#doubted) if (this.#clock.now() - since > doubtMs) this.#gone(nodeId)
    if (shouldReadLog || this.#room?.isIncomplete) this.#catchUp.soon(0)
    // Our last messages may have been lost too, so the state is repeated for a while.
    else if (this.#own.seq > 0 && this.#own.quietMs < 3 * mostUnconfirmedMs) this.#sendState()
  }

  /** Sends everything that a node which opens the board must know. @param withGone includes presence of those who left. */
  #sendAll(withGone: boolean): void {
    for (const own of this.#own.uncommitted) this.#sendUpdate(own)
    this.#sendPresence(this.#room?.ownPresence(withGone) ?? [], false)
    this.#sendState()
  }

  #sendState(): void {
    const writers = this.#room?.ownWriters ?? 0
    this.#sentWriters = writers
    const { seq, committed } = this.#own
    const quietMs = Math.round(this.#own.quietMs)
    this.#send({ kind: 'state', seq, committed, link: this.#link, quietMs, writers })
  }

  #sendCommitted(): void {
    const { seq, committed } = this.#own
    this.#send({ kind: 'committed', seq, committed, link: this.#link })
  }

  #sendUpdate({ seq, update, authors, sideRows }: OwnUpdate): void {
    const { committed } = this.#own
    const body = encodeBoardMessage({
      ...{ kind: 'update', seq, committed, update, authors },
      ...{ link: this.#link, sideRows },
    })
    // An update that is too large for the bus is noticed as missing, and read from the log once it is committed.
    if (body.length <= this.#channel.maxBytes) this.#channel.send(body)
  }

  #sendPresence(entries: readonly PresenceEntry[], isNews: boolean): void {
    let chunk: PresenceEntry[] = []
    let bytes = 0
    for (const entry of entries) {
      chunk.push(entry)
      bytes += entry.encoded.length + 200
      if (bytes < presenceChunkBytes) continue
      this.#send({ kind: 'presence', isNews, entries: chunk, link: this.#link })
      chunk = []
      bytes = 0
    }
    if (chunk.length > 0) this.#send({ kind: 'presence', isNews, entries: chunk, link: this.#link })
  }

  #send(message: BoardMessage): void {
    if (!this.#isClosed) this.#channel.send(encodeBoardMessage(message))
  }
}
