// One open board for applications: a Yjs document that is kept in step, and what happens to it as events. An expired
// ticket is renewed and the board comes back by itself; every other final close code ends it.
import { ObservableV2 } from 'lib0/observable'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { Level } from '../levels.ts'
import { type BoardEvent, CloseCode, type Hello, type Notice } from '../protocol.ts'
import { systemClock } from './clock.ts'
import { BoardProvider, type SocketClass } from './provider.ts'
import type { Tickets } from './tickets.ts'

export interface BoardEvents {
  /** Who one is here, and the limits; at every connection. */
  hello: (hello: Hello) => void
  /** What one may do, when it is known and whenever it changes. */
  level: (level: Level) => void
  /** Whether all that was written here is committed on the server. */
  saved: (isSaved: boolean) => void
  status: (status: 'connecting' | 'connected' | 'disconnected') => void
  /** A comment, a new title, a version, who came. */
  event: (event: BoardEvent) => void
  /** Something that was sent was refused: the document must be opened anew. */
  notice: (notice: Notice) => void
  /** The server's last word, by a code of docs/protocol.md. */
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
    // After the provider has heard of it as well, and sent it.
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

  /** Resolves once the document is here. Rejects where the board ends before. */
  whenSynced(): Promise<void> {
    if (this.isSynced) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#provider.once('sync', () => resolve())
      this.once('ended', (code, reason) => reject(new Error(`the board ended (${code}): ${reason}`)))
    })
  }

  /** Resolves once everything written here until then is committed. Rejects where the board ends before. */
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

  /** Leaves the board. What was not saved is lost: wait for `whenSaved` first. */
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
      this.#isRenewed = true // once: a new ticket that is refused as well is an answer
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
