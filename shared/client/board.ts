// One open board for applications: a Yjs document kept in sync, and its changes as events. An expired ticket is
// renewed and the board reconnects by itself; every other final close code ends it.
import { ObservableV2 } from 'lib0/observable'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { Level } from '../levels.ts'
import { type BoardEvent, CloseCode, type Hello, type Notice } from '../protocol.ts'
import { systemClock } from './clock.ts'
import { BoardProvider, type SocketClass } from './provider.ts'
import type { Tickets } from './tickets.ts'

export interface BoardEvents {
  /** The current user and the limits; sent on every connection. */
  hello: (hello: Hello) => void
  /** The access level, once it is known and whenever it changes. */
  level: (level: Level) => void
  /** Whether everything that was written here is committed on the server. */
  saved: (isSaved: boolean) => void
  status: (status: 'connecting' | 'connected' | 'disconnected') => void
  /** A comment, a new title, a version, an arrival. */
  event: (event: BoardEvent) => void
  /** An edit was refused: the document must be opened again. */
  notice: (notice: Notice) => void
  /** The final decision of the server, with a code from docs/protocol.md. */
  ended: (code: number, reason: string) => void
}

export interface BoardOptions {
  boardId: string
  /** `wss://host/ws` */
  serverUrl: string
  socketClass: SocketClass
  tickets: Tickets | null
  doc?: Y.Doc | undefined
}

export class Board extends ObservableV2<BoardEvents> {
  readonly id: string
  readonly doc: Y.Doc
  readonly awareness: Awareness
  readonly #provider: BoardProvider
  readonly #tickets: Tickets | null
  #level: Level | null = null
  #isSaved = false
  #isRenewed = false
  #isDestroyed = false

  constructor({ boardId, serverUrl, socketClass, tickets, doc = new Y.Doc() }: BoardOptions) {
    super()
    this.id = boardId
    this.doc = doc
    this.awareness = new Awareness(doc)
    this.#tickets = tickets
    this.#provider = new BoardProvider({
      serverUrl,
      boardId,
      doc,
      awareness: this.awareness,
      socketClass,
      clock: systemClock,
      listener: {
        hello: (hello) => {
          this.#isRenewed = false
          this.emit('hello', [hello])
          this.#setLevel(hello.level)
        },
        level: ({ level }) => this.#setLevel(level),
        event: (event) => this.emit('event', [event]),
        notice: (notice) => this.emit('notice', [notice]),
        isSameDocument: () => true,
        changed: () => this.#progressed(),
        ended: (code, reason) => void this.#ended(code, reason),
      },
    })
    this.#provider.on('status', ({ status }) => this.emit('status', [status]))
    // After the provider has received it as well, and sent it.
    doc.on('update', this.#changed)
    void this.#enter(false)
  }

  get level(): Level | null {
    return this.#level
  }

  get isSynced(): boolean {
    return this.#provider.synced
  }

  get isSaved(): boolean {
    return this.#provider.isSaved
  }

  /** Resolves once the document has been loaded. Rejects if the board ends first. */
  whenSynced(): Promise<void> {
    if (this.isSynced) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#provider.once('sync', () => resolve())
      this.once('ended', (code, reason) => reject(new Error(`the board ended (${code}): ${reason}`)))
    })
  }

  /** Resolves once everything written here so far is committed. Rejects if the board ends first. */
  whenSaved(): Promise<void> {
    if (this.#provider.isSaved) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const hear = (isSaved: boolean) => {
        if (!isSaved) return
        this.off('saved', hear)
        resolve()
      }
      this.on('saved', hear)
      this.once('ended', (code, reason) => reject(new Error(`the board ended (${code}): ${reason}`)))
    })
  }

  /** Leaves the board. Unsaved edits are lost: wait for `whenSaved` first. */
  override destroy(): void {
    if (this.#isDestroyed) return
    this.#isDestroyed = true
    this.doc.off('update', this.#changed)
    this.#provider.destroy()
    this.awareness.destroy()
    super.destroy()
  }

  async #enter(isRefused: boolean): Promise<void> {
    try {
      const ticket = this.#tickets === null ? null : await this.#tickets.of(this.id, isRefused)
      if (this.#isDestroyed) return
      if (ticket !== null) this.#provider.setTicket(ticket)
      this.#provider.connect()
    } catch (error) {
      if (this.#isDestroyed) return
      const reason = error instanceof Error ? error.message : 'no ticket'
      this.emit('ended', [CloseCode.notSignedIn, reason])
    }
  }

  async #ended(code: number, reason: string): Promise<void> {
    if (code === CloseCode.notSignedIn && this.#tickets !== null && !this.#isRenewed) {
      this.#isRenewed = true // once: if a new ticket is refused as well, that is final
      await this.#enter(true)
      return
    }
    this.emit('ended', [code, reason])
  }

  #setLevel(level: Level): void {
    if (level === this.#level) return
    this.#level = level
    this.emit('level', [level])
  }

  readonly #changed = (): void => queueMicrotask(() => this.#progressed())

  #progressed(): void {
    if (this.#isDestroyed) return
    const { isSaved } = this.#provider
    if (isSaved === this.#isSaved) return
    this.#isSaved = isSaved
    this.emit('saved', [isSaved])
  }
}
