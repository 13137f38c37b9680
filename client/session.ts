// One open board: document, connection, binding, and what its user must know about them. Whoever shows it reads
// `state` and is told of changes; nothing here draws. Without DOM, so that Node tests run it against a real server.
import { Awareness, removeAwarenessStates } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { type Level, mayWrite } from '../shared/levels.ts'
import { type BoardEvent, CloseCode, type Hello, type LevelChange, type Notice } from '../shared/protocol.ts'
import { elementMaps, elementOf, elementsOf, type SceneElement, sameElement } from '../shared/scene.ts'
import { Binding, type Canvas } from './binding.ts'
import type { Clock } from './clock.ts'
import { BoardProvider, type SocketClass } from './provider.ts'

/** What is on this device of a board, beside the server: survives a reload while the network is away. */
export interface LocalStore {
  /** Everything stored is in the document, and every later change is being stored. */
  whenLoaded: Promise<unknown>
  close(): Promise<void>
  /** Forget everything and close. */
  clear(): Promise<void>
}

export interface SessionOptions {
  serverUrl: string
  boardId: string
  socketClass: SocketClass
  clock: Clock
  ticket?: string
  /** One store for each board and user. Null where the device keeps nothing. */
  openStore: ((name: string, doc: Y.Doc) => LocalStore) | null
  /** Remembers across reloads whether the store `name` holds unsent changes. */
  marks: { get(name: string): boolean; set(name: string, isMarked: boolean): void }
  onEvent(event: BoardEvent): void
}

export type Sync =
  /** Not synced yet since the page was opened. */
  | { name: 'connecting' }
  | { name: 'saved' }
  | { name: 'saving' }
  /** `changes`: how many elements wait here for the server. */
  | { name: 'offline'; changes: number }

export interface SessionState {
  /** Null until the server said hello. Stays during an outage. */
  hello: Hello | null
  level: Level | null
  mayManage: boolean
  /** The document has been synced once: there is something to show. */
  isReady: boolean
  sync: Sync
  /** The server's last word: no way back without a new session. */
  ended: { code: number; reason: string } | null
  /** Changes that the server did not take, as the whole drawing they were made in, until the user decides. */
  kept: { elements: SceneElement[]; changes: number } | null
  notice: Notice | null
}

/** `close()` ends everything it started. Made anew for another board or another user. */
export class BoardSession {
  readonly #options: SessionOptions
  readonly #listeners = new Set<() => void>()
  /** Elements that this user changed and the server has not confirmed. */
  readonly #unsaved = new Set<string>()
  #doc = new Y.Doc()
  #awareness = new Awareness(this.#doc)
  #provider: BoardProvider | null = null
  #canvas: Canvas | null = null
  #binding: Binding | null = null
  #store: LocalStore | null = null
  #isPending = false
  #isClosed = false
  /** What the user had when the document was thrown away, to be compared with what the server turns out to have. */
  #before: { elements: SceneElement[]; ids: Set<string> } | null = null
  #state: SessionState = {
    hello: null,
    level: null,
    mayManage: false,
    isReady: false,
    sync: { name: 'connecting' },
    ended: null,
    kept: null,
    notice: null,
  }

  constructor(options: SessionOptions) {
    this.#options = options
  }

  get state(): SessionState {
    return this.#state
  }

  get doc(): Y.Doc {
    return this.#doc
  }

  get awareness(): Awareness {
    return this.#awareness
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  open(): void {
    this.#observe()
    const provider = this.#connectTo(this.#doc)
    provider.connect()
  }

  /** The canvas is loaded and empty or shows this document; from now on the two are one. */
  attach(canvas: Canvas): void {
    this.#canvas = canvas
    this.#bind()
  }

  detach(): void {
    this.#binding?.flush()
    this.#binding?.stop()
    this.#binding = null
    this.#canvas = null
  }

  canvasChanged = (): void => this.#binding?.canvasChanged()

  /** Write what waits, now. */
  flush = (): void => this.#binding?.flush()

  /** The network is back, says the browser: do not wait for the back-off. */
  reconnect(): void {
    const provider = this.#provider
    if (provider === null || this.#state.ended !== null || provider.wsconnected || provider.wsconnecting)
      return
    provider.disconnect()
    provider.connect()
  }

  dismissKept(): void {
    this.#set({ kept: null })
  }

  dismissNotice(): void {
    this.#set({ notice: null })
  }

  /** @param forget also what this device keeps of the board (signing out). */
  async close(forget = false): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.detach()
    this.#disconnect()
    const store = this.#store
    this.#store = null
    await (forget ? store?.clear() : store?.close())
    this.#doc.destroy()
  }

  #connectTo(doc: Y.Doc): BoardProvider {
    const provider = new BoardProvider({
      serverUrl: this.#options.serverUrl,
      boardId: this.#options.boardId,
      doc,
      awareness: this.#awareness,
      socketClass: this.#options.socketClass,
      ...(this.#options.ticket === undefined ? {} : { ticket: this.#options.ticket }),
      listener: {
        hello: (hello) => this.#greeted(hello),
        level: (change) => this.#levelChanged(change),
        event: (event) => this.#options.onEvent(event),
        notice: (notice) => this.#noticed(notice),
        changed: () => this.#provider === provider && this.#progressed(),
        ended: (code, reason) => this.#ended(code, reason),
      },
    })
    this.#provider = provider
    return provider
  }

  #observe(): void {
    const doc = this.#doc
    elementMaps(doc).observeDeep((events, { origin }) => {
      if (origin !== this.#binding || this.#binding === null) return
      for (const event of events) {
        if (event.path.length > 0) this.#unsaved.add(String(event.path[0]))
        else for (const id of event.keys.keys()) this.#unsaved.add(id)
      }
      this.#mark(true)
      this.#progressed()
    })
  }

  #greeted(hello: Hello): void {
    const had = this.#state.level
    this.#set({ hello, level: hello.level, mayManage: hello.may_manage })
    this.#binding?.setMayWrite(mayWrite(hello.level))
    // Away as an editor, back as a viewer: what was changed meanwhile will be refused.
    if (had !== null && !mayWrite(hello.level) && this.#unsaved.size > 0) this.#startOver()
  }

  #levelChanged({ level, may_manage }: LevelChange): void {
    const could = mayWrite(this.#state.level)
    if (could && !mayWrite(level)) this.#binding?.flush()
    this.#set({ level, mayManage: may_manage })
    this.#binding?.setMayWrite(mayWrite(level))
    if (could && !mayWrite(level)) {
      if (this.#unsaved.size > 0) this.#startOver()
      else void this.#forgetStore()
    } else if (!could && mayWrite(level) && this.#state.isReady) this.#openStore()
  }

  #noticed(notice: Notice): void {
    this.#set({ notice })
    // A document whose update was refused waits for ever for the missing piece in all its later ones.
    if (notice.refused_through !== undefined && this.#unsaved.size > 0) this.#startOver()
  }

  #ended(code: number, reason: string): void {
    this.#keep()
    const kept = this.#takeKept(null)
    this.#binding?.stop()
    this.#binding = null
    this.#disconnect()
    if (code !== CloseCode.notSignedIn && code !== CloseCode.frameTooLarge) void this.#forgetStore()
    this.#set({ ended: { code, reason }, kept: kept ?? this.#state.kept, sync: { name: 'saved' } })
  }

  /** Throw the document away and take the server's; afterwards offer what it does not have. */
  #startOver(): void {
    if (this.#isClosed) return
    this.#keep()
    this.#disconnect()
    this.#binding?.stop()
    this.#binding = null
    void this.#forgetStore()
    this.#doc.destroy()
    this.#doc = new Y.Doc()
    this.#awareness = new Awareness(this.#doc)
    this.#set({ isReady: false })
    this.open()
  }

  #keep(): void {
    this.#binding?.flush()
    if (this.#unsaved.size === 0) return
    const ids = new Set([...(this.#before?.ids ?? []), ...this.#unsaved])
    this.#before = { elements: elementsOf(this.#doc), ids }
    this.#unsaved.clear()
    this.#mark(false)
  }

  /** What was kept and is not in `doc` (null: nothing is known to be). */
  #takeKept(doc: Y.Doc | null): SessionState['kept'] {
    const before = this.#before
    this.#before = null
    if (before === null) return null
    const lost = before.elements.filter((element) => {
      if (!before.ids.has(element.id)) return false
      const there = doc === null ? null : elementOf(doc, element.id)
      return there === null ? element.isDeleted !== true : !sameElement(there, element)
    })
    if (lost.length === 0) return null
    return { elements: before.elements.filter(({ isDeleted }) => isDeleted !== true), changes: lost.length }
  }

  #progressed(): void {
    const provider = this.#provider
    if (provider === null || this.#isClosed || this.#state.ended !== null) return
    if (provider.synced && !this.#state.isReady) this.#becomeReady()
    const isSaved = provider.isSaved && !this.#isPending
    if (isSaved && this.#unsaved.size > 0) {
      this.#unsaved.clear()
      this.#mark(false)
    }
    this.#set({ sync: this.#syncOf(provider, isSaved) })
  }

  #syncOf(provider: BoardProvider, isSaved: boolean): Sync {
    if (!provider.wsconnected) {
      return this.#state.isReady ? { name: 'offline', changes: this.#unsaved.size } : { name: 'connecting' }
    }
    if (!this.#state.isReady) return { name: 'connecting' }
    return isSaved || (this.#unsaved.size === 0 && !this.#isPending) ? { name: 'saved' } : { name: 'saving' }
  }

  #becomeReady(): void {
    const kept = this.#takeKept(this.#doc)
    this.#set({ isReady: true, ...(kept === null ? {} : { kept }) })
    if (mayWrite(this.#state.level)) this.#openStore()
    else if (this.#options.marks.get(this.#storeName())) void this.#recover()
    this.#bind()
  }

  #bind(): void {
    if (this.#canvas === null || this.#binding !== null || !this.#state.isReady || this.#state.ended !== null)
      return
    this.#binding = new Binding({
      doc: this.#doc,
      canvas: this.#canvas,
      clock: this.#options.clock,
      mayWrite: mayWrite(this.#state.level),
      onPending: (isPending) => {
        this.#isPending = isPending
        this.#progressed()
      },
    })
    this.#binding.start()
  }

  #storeName(): string {
    return `boardroom:${this.#options.boardId}:${this.#state.hello?.principal.id ?? 'nobody'}`
  }

  /** Only people who may write keep a copy, and only after the first sync: what it adds is then just what was unsent. */
  #openStore(): void {
    const { openStore } = this.#options
    if (openStore === null || this.#store !== null || this.#state.hello?.principal.kind === 'anonymous')
      return
    const store = openStore(this.#storeName(), this.#doc)
    this.#store = store
    store.whenLoaded.catch(() => {
      if (this.#store === store) this.#store = null // a private window, a full disk: the server still has everything
    })
  }

  async #forgetStore(): Promise<void> {
    const store = this.#store
    this.#store = null
    this.#mark(false)
    // The device's store may be broken; then there is nothing to forget.
    await store?.clear().catch(() => {})
  }

  /** Unsent changes of an earlier visit, by somebody who may not write any more. */
  async #recover(): Promise<void> {
    const { openStore } = this.#options
    if (openStore === null) return
    const copy = new Y.Doc()
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(this.#doc))
    const store = openStore(this.#storeName(), copy)
    try {
      await store.whenLoaded
      const elements = elementsOf(copy)
      this.#before = { elements, ids: new Set(elements.map(({ id }) => id)) }
      const kept = this.#takeKept(this.#doc)
      if (kept !== null && !this.#isClosed) this.#set({ kept })
      await store.clear()
    } catch {
      // Unreadable: nothing to offer.
    }
    this.#mark(false)
  }

  #mark(isMarked: boolean): void {
    if (this.#options.openStore !== null) this.#options.marks.set(this.#storeName(), isMarked)
  }

  #disconnect(): void {
    const provider = this.#provider
    this.#provider = null
    provider?.destroy()
    removeAwarenessStates(this.#awareness, [...this.#awareness.getStates().keys()], 'closed')
    this.#awareness.destroy()
  }

  #set(change: Partial<SessionState>): void {
    if (this.#isClosed) return
    const keys = Object.keys(change) as (keyof SessionState)[] // keys of Partial<SessionState> are its keys
    if (
      keys.every((key) => key === 'sync' && JSON.stringify(change.sync) === JSON.stringify(this.#state.sync))
    )
      return
    this.#state = { ...this.#state, ...change }
    for (const listener of [...this.#listeners]) listener()
  }
}
