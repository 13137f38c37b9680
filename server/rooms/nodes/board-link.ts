// One board between nodes: what happens here is said to the others, and what they say happens here. Every update has
// its node's number for it, so that one that was lost is noticed, and read from the log once it is committed there.
//
// Who wrote an update commits it. Until the others are told so it counts as unsaved for them too: nothing that came
// after it is called saved. If they are not told in time, they commit it themselves; twice in the log does no harm, and
// what is beside it is written once.
import type { Logger } from 'pino'
import type { BoardEvent } from '../../../shared/protocol.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Author, SideRows, UpdateLog } from '../ports.ts'
import { type BoardMessage, decodeBoardMessage, encodeBoardMessage, type PresenceEntry } from './messages.ts'
import type { BoardChannel, Nodes } from './ports.ts'

/** For so long a node may take to say that it has committed an update. */
const mostUnconfirmedMs = 5000
/** What is missing is looked for in the log so soon, and again after so long. */
const firstHealMs = 100
const healAgainMs = 1000
/** Who was away, or was not heard by us, may take so long to say what it has. */
const doubtMs = 3000
/** Where the last commit of a node that we had not heard is this much older than our own look at the log, the log had it. */
const marginMs = 2000
const presenceChunkBytes = 256 * 1024
const links = 2 ** 32

/** A room, as what other nodes say reaches it. */
export interface LinkedRoom {
  /**
   * Applies what another node applied, and shows it.
   * @param kept resolves once it is in the log, wherever it came from; null where it is there already.
   * @returns whether it rests on something that is missing here.
   */
  applyForeign(updates: readonly Uint8Array[], authors: readonly Author[], kept: Promise<void> | null): void
  /** Whether the document rests on something that it lacks. */
  readonly isIncomplete: boolean
  foreignPresence(nodeId: string, entries: readonly PresenceEntry[], isNews: boolean): void
  foreignNodeLeft(nodeId: string): void
  foreignEvent(event: BoardEvent): void
  /** Seats taken on other nodes have changed. */
  foreignWriters(): void
  /** Everyone who is here and not somewhere else. @param withGone and who went. */
  ownPresence(withGone: boolean): PresenceEntry[]
  readonly ownWriters: number
}

interface Unconfirmed {
  seq: number
  update: Uint8Array
  authors: readonly Author[]
  beside: SideRows | null
  heardAt: number
  resolve: () => void
  reject: (error: unknown) => void
}

/** Another node, as far as this board is concerned. */
interface Peer {
  /** The newest number heard of, and the newest up to which nothing is missing. */
  seq: number
  committed: number
  /** Numbers up to here were missed in part: healed once they are committed and the log is read after that. */
  missing: number
  writers: number
  unconfirmed: Unconfirmed[]
}

interface Own {
  seq: number
  update: Uint8Array
  authors: readonly Author[]
  beside: SideRows | null
}

export class BoardLink {
  readonly #boardId: string
  readonly #log: UpdateLog
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #channel: BoardChannel
  /** This opening of the board, among all of this node: others must not take its numbers for those of an earlier one. */
  readonly #link = Math.floor(Math.random() * links)
  readonly #links = new Map<string, number>()
  readonly #peers = new Map<string, Peer>()
  /** Nodes that may have closed the board unheard, and since when that is so: until they say something of it. */
  readonly #doubted = new Map<string, number>()
  readonly #openedAt: number
  /** Messages that came before there was a room. */
  #early: { nodeId: string; message: BoardMessage }[] | null = []
  #room: LinkedRoom | null = null
  #seq = 0
  #committed = 0
  #toldCommitted = 0
  readonly #doneEarly = new Set<number>()
  #own: Own[] = []
  #committedAt: number
  #toldWriters = 0
  #healTimer: Timer | null = null
  #healing = false
  #healAgain = false
  /** Until then what a node that is gone wrote last may still come into the log. */
  #healUntil = Number.NEGATIVE_INFINITY
  #mark: unknown = null
  #isSettled = false
  #isClosed = false

  constructor(options: { boardId: string; nodes: Nodes; log: UpdateLog; logger: Logger; clock: Clock }) {
    this.#boardId = options.boardId
    this.#log = options.log
    this.#logger = options.logger
    this.#clock = options.clock
    this.#openedAt = options.clock.now()
    this.#committedAt = this.#openedAt
    this.#channel = options.nodes.open(options.boardId, {
      message: (nodeId, body) => this.#heard(nodeId, body),
      gone: (nodeId) => this.#gone(nodeId),
      backAgain: () => this.#backAgain(),
      otherBackAgain: (nodeId) => this.#doubt(nodeId),
      tick: (isToLook) => this.#tick(isToLook),
    })
  }

  /** Resolves once nothing that happens elsewhere can be missed unnoticed: the log is to be read after that. */
  async ready(): Promise<void> {
    await this.#channel.ready
    this.#send({ kind: 'opened', link: this.#link })
  }

  /** The room is there: what was heard meanwhile reaches it now. */
  attach(room: LinkedRoom): void {
    this.#room = room
    const early = this.#early ?? []
    this.#early = null
    for (const { nodeId, message } of early) this.#take(nodeId, message)
    if (room.isIncomplete) this.#healSoon()
  }

  /** Seats taken on other nodes. */
  get writersElsewhere(): number {
    let writers = 0
    for (const peer of this.#peers.values()) writers += peer.writers
    return writers
  }

  /** An update was applied here, and is on its way to the log. */
  tellUpdate(
    update: Uint8Array,
    { authors, beside }: { authors: readonly Author[]; beside: SideRows | null },
    appended: Promise<void>,
  ): void {
    const own = { seq: this.#numbered(appended), update, authors, beside }
    this.#own.push(own)
    this.#sendUpdate(own)
  }

  tellPresence(entries: readonly PresenceEntry[]): void {
    this.#sendPresence(entries, true)
  }

  tellEvent(event: BoardEvent): void {
    this.#send({ kind: 'event', event })
  }

  tellWriters(): void {
    const writers = this.#room?.ownWriters ?? 0
    if (writers === this.#toldWriters || this.#isClosed) return
    this.#tellState()
  }

  /** Nothing is said or heard any more. What others wrote, and nobody said is committed, is committed from here. */
  close(): void {
    if (this.#isClosed) return
    for (const peer of this.#peers.values()) this.#takeOver(peer, Number.POSITIVE_INFINITY)
    this.#send({ kind: 'closed', seq: this.#seq, link: this.#link })
    this.#isClosed = true
    this.#healTimer?.cancel()
    this.#healTimer = null
    this.#channel.close()
  }

  /**
   * The room ends: whatever others wrote is committed from here, so that nobody has to wait for them; and nothing more
   * of it is applied, or the room of a board that is drawn on elsewhere would never be done.
   */
  settle(): void {
    this.#isSettled = true
    for (const peer of this.#peers.values()) this.#takeOver(peer, Number.POSITIVE_INFINITY)
  }

  #heard(nodeId: string, body: Uint8Array): void {
    if (this.#isClosed) return
    let message: BoardMessage | null
    try {
      message = decodeBoardMessage(body)
    } catch (error) {
      this.#logger.warn({ err: error, nodeId }, 'a message of another node could not be read')
      return
    }
    if (message === null) return
    if (this.#early === null) this.#take(nodeId, message)
    else this.#early.push({ nodeId, message })
  }

  #take(nodeId: string, message: BoardMessage): void {
    const room = this.#room
    if (room === null) return
    this.#doubted.delete(nodeId)
    const wasKnown = this.#links.has(nodeId)
    if ('link' in message) this.#met(nodeId, message.link)
    switch (message.kind) {
      case 'opened':
        // Whatever it had said before, it begins anew; what we said to one that was away before may be lost.
        this.#tellAll(wasKnown)
        return
      case 'closed': {
        const { seq, missing } = this.#peers.get(nodeId) ?? { seq: 0, missing: 0 }
        this.#gone(nodeId, missing === 0 && seq === message.seq)
        return
      }
      case 'event':
        room.foreignEvent(message.event)
        return
      case 'presence':
        room.foreignPresence(nodeId, message.entries, message.isNews)
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
          room.foreignWriters()
        }
      }
    }
  }

  /** That a node has closed the board and opened it again may be heard of by nothing but its new numbers. */
  #met(nodeId: string, link: number | undefined): void {
    if (link === undefined) return // an older node
    const before = this.#links.get(nodeId)
    if (before !== undefined && before !== link) this.#gone(nodeId)
    this.#links.set(nodeId, link)
  }

  /** The node, known from now on: what it wrote before we heard it first is in the log, or will be. */
  #peerOf(nodeId: string, first: Extract<BoardMessage, { kind: 'update' | 'committed' | 'state' }>): Peer {
    const known = this.#peers.get(nodeId)
    if (known !== undefined) return known
    const before = first.kind === 'update' ? first.seq - 1 : first.seq
    const wasQuiet =
      first.kind === 'state' &&
      first.seq === first.committed &&
      first.quietMs > this.#clock.now() - this.#openedAt + marginMs
    const peer: Peer = {
      seq: before,
      committed: 0,
      missing: before > 0 && !wasQuiet ? before : 0,
      writers: 0,
      unconfirmed: [],
    }
    this.#peers.set(nodeId, peer)
    return peer
  }

  #updated(peer: Peer, message: Extract<BoardMessage, { kind: 'update' }>, room: LinkedRoom): void {
    const { seq, update, authors } = message
    if (seq > peer.seq) {
      if (seq > peer.seq + 1) peer.missing = seq - 1
      peer.seq = seq
      const isCommitted = seq <= message.committed
      const kept = isCommitted ? null : this.#unconfirmed(peer, message)
      room.applyForeign([update], authors, kept)
      if (room.isIncomplete) this.#healSoon()
    }
    this.#progressed(peer, message)
  }

  #unconfirmed(
    peer: Peer,
    { seq, update, authors, beside = null }: Extract<BoardMessage, { kind: 'update' }>,
  ): Promise<void> {
    const kept = new Promise<void>((resolve, reject) => {
      peer.unconfirmed.push({ seq, update, authors, beside, heardAt: this.#clock.now(), resolve, reject })
    })
    kept.catch(() => undefined) // whoever follows it hears of it
    return kept
  }

  #progressed(peer: Peer, { seq, committed }: { seq: number; committed: number }): void {
    if (seq > peer.seq) {
      peer.missing = seq
      peer.seq = seq
    }
    if (committed > peer.committed) {
      peer.committed = committed
      while (peer.unconfirmed[0] !== undefined && peer.unconfirmed[0].seq <= committed)
        peer.unconfirmed.shift()?.resolve()
    }
    if (peer.missing > 0) this.#healSoon(peer.missing <= peer.committed ? 0 : firstHealMs)
  }

  /** @returns the next number, which the others are told is committed once `appended` resolves. */
  #numbered(appended: Promise<void>): number {
    const seq = ++this.#seq
    appended
      .then(() => this.#ownCommitted(seq))
      // A turn later: what one transaction committed is said in one message.
      .then(
        () => this.#tellCommitted(),
        () => undefined, // the room ends over it
      )
    return seq
  }

  #ownCommitted(seq: number): void {
    this.#doneEarly.add(seq)
    while (this.#doneEarly.delete(this.#committed + 1)) this.#committed++
    while (this.#own[0] !== undefined && this.#own[0].seq <= this.#committed) this.#own.shift()
  }

  #tellCommitted(): void {
    if (this.#toldCommitted === this.#committed) return
    this.#toldCommitted = this.#committed
    this.#committedAt = this.#clock.now()
    this.#send({ kind: 'committed', seq: this.#seq, committed: this.#committed, link: this.#link })
  }

  /** @param isComplete everything that it ever said of the board was heard. */
  #gone(nodeId: string, isComplete = false): void {
    const wasHere = this.#links.has(nodeId)
    const peer = this.#peers.get(nodeId)
    this.#peers.delete(nodeId)
    this.#links.delete(nodeId)
    this.#doubted.delete(nodeId)
    this.#room?.foreignNodeLeft(nodeId)
    if (peer !== undefined) this.#takeOver(peer, Number.POSITIVE_INFINITY)
    if (!isComplete && (wasHere || peer !== undefined)) {
      this.#healUntil = this.#clock.now() + marginMs
      this.#healSoon(0)
    }
    if (peer !== undefined && peer.writers > 0) this.#room?.foreignWriters()
  }

  /**
   * Commits from here what nobody has said is committed, up to a moment. It gets a number of ours, under which whoever
   * has not heard of it misses it.
   */
  #takeOver(peer: Peer, heardBefore: number): void {
    while (peer.unconfirmed[0] !== undefined && peer.unconfirmed[0].heardAt < heardBefore) {
      const one = peer.unconfirmed.shift()
      if (one === undefined) return
      const appended = this.#log.append(this.#boardId, one.update, one.authors, one.beside)
      appended.then(one.resolve, one.reject)
      this.#numbered(appended)
    }
  }

  #doubt(nodeId: string): void {
    if (!this.#doubted.has(nodeId)) this.#doubted.set(nodeId, this.#clock.now())
  }

  #backAgain(): void {
    for (const nodeId of [...this.#links.keys(), ...this.#peers.keys()]) this.#doubt(nodeId)
    this.#send({ kind: 'opened', link: this.#link })
    this.#tellAll(true)
    this.#healSoon(0)
  }

  #tick(isToLook: boolean): void {
    const before = this.#clock.now() - mostUnconfirmedMs
    for (const peer of this.#peers.values()) this.#takeOver(peer, before)
    for (const [nodeId, since] of this.#doubted) if (this.#clock.now() - since > doubtMs) this.#gone(nodeId)
    if (isToLook || this.#room?.isIncomplete) this.#healSoon(0)
    // The tail of what was said may be lost like everything else: for a while it is said again.
    else if (this.#seq > 0 && this.#clock.now() - this.#committedAt < 3 * mostUnconfirmedMs) this.#tellState()
  }

  /** Everything that somebody who opens the board has to know of us. @param withGone it may show people who left. */
  #tellAll(withGone: boolean): void {
    for (const own of this.#own) this.#sendUpdate(own)
    this.#sendPresence(this.#room?.ownPresence(withGone) ?? [], false)
    this.#tellState()
  }

  #tellState(): void {
    const writers = this.#room?.ownWriters ?? 0
    this.#toldWriters = writers
    const quietMs = Math.round(this.#clock.now() - this.#committedAt)
    const numbers = { seq: this.#seq, committed: this.#committed, link: this.#link }
    this.#send({ kind: 'state', ...numbers, quietMs, writers })
  }

  #sendUpdate({ seq, update, authors, beside }: Own): void {
    const body = encodeBoardMessage({
      ...{ kind: 'update', seq, committed: this.#committed, update, authors },
      ...{ link: this.#link, beside },
    })
    // What is too large for the bus is read from the log: its number is missed, once it is committed.
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

  #healSoon(ms = firstHealMs): void {
    if (this.#isSettled || this.#isClosed || this.#room === null) return
    if (this.#healing) {
      this.#healAgain = true
      return
    }
    if (this.#healTimer !== null) {
      if (ms > 0) return
      this.#healTimer.cancel()
    }
    this.#healTimer = this.#clock.after(ms, () => {
      this.#healTimer = null
      void this.#heal()
    })
  }

  /** Reads what the log has and we may lack. Never throws. */
  async #heal(): Promise<void> {
    const room = this.#room
    if (room === null || this.#isClosed || this.#log.readSince === undefined) return
    this.#healing = true
    this.#healAgain = false
    const committed = new Map(Array.from(this.#peers, ([nodeId, peer]) => [nodeId, peer.committed]))
    let isHealed = false
    try {
      const news = await this.#log.readSince(this.#boardId, this.#mark)
      if (this.#isSettled || this.#isClosed) return
      this.#mark = news.mark
      if (news.updates.length > 0) room.applyForeign(news.updates, news.authors, null)
      isHealed = true
    } catch (error) {
      this.#logger.warn({ err: error }, 'what other nodes wrote could not be read; trying again')
    } finally {
      this.#healing = false
    }
    let isMissing = !isHealed || room.isIncomplete || this.#clock.now() < this.#healUntil
    for (const [nodeId, peer] of this.#peers) {
      if (peer.missing === 0) continue
      if (isHealed && peer.missing <= (committed.get(nodeId) ?? 0)) peer.missing = 0
      else isMissing = true
    }
    if (this.#healAgain) this.#healSoon(firstHealMs)
    else if (isMissing) this.#healSoon(healAgainMs)
  }
}
