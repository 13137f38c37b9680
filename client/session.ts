// One open board: document, connection, binding, and what its user must know about them. The UI reads `state` and is
// notified of changes; nothing here renders. Without DOM, so that Node tests run it against a real server.
import { Awareness, removeAwarenessStates } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { Clock } from '../shared/client/clock.ts'
import { BoardProvider, type SocketClass } from '../shared/client/provider.ts'
import { mayWrite } from '../shared/levels.ts'
import { type BoardEvent, CloseCode, type Hello, type LevelChange, type Notice } from '../shared/protocol.ts'
import { Binding } from './binding.ts'
import type { Canvas } from './canvas.ts'
import { DeviceCopy, type DeviceOptions } from './device-copy.ts'
import { ObservedState, type SessionState, type Sync } from './session-state.ts'
import { Unsaved } from './unsaved.ts'

export interface SessionOptions extends DeviceOptions {
  serverUrl: string
  boardId: string
  socketClass: SocketClass
  clock: Clock
  ticket?: string
}

/** `close()` ends everything it started. Created again for another board or another user. */
export class BoardSession {
  readonly #options: SessionOptions
  readonly #observed = new ObservedState()
  readonly #eventListeners = new Set<(event: BoardEvent) => void>()
  readonly #unsaved = new Unsaved()
  readonly #device: DeviceCopy
  #doc = new Y.Doc()
  #awareness = new Awareness(this.#doc)
  #provider: BoardProvider | null = null
  #canvas: Canvas | null = null
  #binding: Binding | null = null
  #isPending = false
  #isWatched = true
  #isLeft = false
  #isClosed = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.#device = new DeviceCopy(options)
  }

  get state(): SessionState {
    return this.#observed.value
  }

  get subscribe(): ObservedState['subscribe'] {
    return this.#observed.subscribe
  }

  get doc(): Y.Doc {
    return this.#doc
  }

  get awareness(): Awareness {
    return this.#awareness
  }

  /** Events on the board outside its document: a new title, a comment, a version. */
  onEvent = (listener: (event: BoardEvent) => void): (() => void) => {
    this.#eventListeners.add(listener)
    return () => this.#eventListeners.delete(listener)
  }

  /** Changes that the server has not confirmed outlive this page. */
  get isKeptOnDevice(): boolean {
    return this.#device.state !== 'failed'
  }

  open(): void {
    const whose = (origin: unknown) => {
      if (this.#binding !== null && origin === this.#binding) return 'page'
      return this.#device.isOrigin(origin) ? 'device' : 'other'
    }
    this.#unsaved.observe(this.#doc, whose, () => {
      this.#device.mark(this.#storeName(), true)
      this.#progressed()
    })
    const provider = this.#connectTo(this.#doc)
    provider.connect()
  }

  /** The canvas is loaded, and is empty or shows this document; from now on the two are bound. */
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

  /** Writes pending changes now. */
  flush = (): void => this.#binding?.flush()

  /** One undo, which `press` performs on the canvas; see the binding. */
  undo(press: () => void): 'seen' | 'kept' | 'none' {
    if (this.#binding !== null) return this.#binding.undo(press)
    press()
    return 'seen'
  }

  /** The browser reports that the network is back: skip the backoff. */
  reconnect(): void {
    const provider = this.#provider
    if (provider === null || this.state.ended !== null || this.#isLeft) return
    if (!provider.isHeard) provider.startAnew()
  }

  /** The user has a new name, which others see after a new join. */
  joinAgain(): void {
    this.flush()
    this.#startAnew()
  }

  /** The browser reports that the network is gone. A server on this machine may still be reachable: try. */
  wentOffline(): void {
    this.#startAnew()
  }

  /** @param isWatched somebody is looking at the page: heartbeats are sent only then. */
  watch(isWatched: boolean): void {
    this.#isWatched = isWatched
    this.#provider?.watch(isWatched)
  }

  /**
   * The page is closing, for good or to be restored by the browser's back button: for the others its user leaves now.
   * Pending changes are written first.
   */
  leave(): void {
    this.flush()
    this.#isLeft = true
    this.#provider?.disconnect()
  }

  /** The browser restores the page. */
  comeBack(): void {
    if (!this.#isLeft) return
    this.#isLeft = false
    if (this.state.ended === null) this.#provider?.connect()
  }

  dismissKept(): void {
    this.#set({ kept: null })
  }

  dismissNotice(): void {
    this.#set({ notice: null })
  }

  /** @param forget also delete what this device stores of the board (signing out). */
  async close(forget = false): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.detach()
    this.#disconnect()
    await this.#device.close(forget)
    this.#doc.destroy()
  }

  #connectTo(doc: Y.Doc): BoardProvider {
    const provider = new BoardProvider({
      serverUrl: this.#options.serverUrl,
      boardId: this.#options.boardId,
      doc,
      awareness: this.#awareness,
      socketClass: this.#options.socketClass,
      clock: this.#options.clock,
      ...(this.#options.ticket === undefined ? {} : { ticket: this.#options.ticket }),
      listener: {
        hello: (hello) => this.#greeted(hello),
        level: (change) => this.#levelChanged(change),
        event: (event) => {
          for (const hear of [...this.#eventListeners]) hear(event)
        },
        notice: (notice) => this.#noticed(notice),
        isSameDocument: (stateVector) => this.#isSameDocument(stateVector),
        changed: () => this.#provider === provider && this.#progressed(),
        ended: (code, reason) => this.#ended(code, reason),
      },
    })
    this.#provider = provider
    provider.watch(this.#isWatched)
    return provider
  }

  #greeted(hello: Hello): void {
    const had = this.state.level
    this.#set({ hello, level: hello.level, mayManage: hello.may_manage })
    this.#binding?.setMayWrite(mayWrite(hello.level))
    // Disconnected as an editor, back as a viewer: changes made meanwhile will be refused.
    if (had !== null && !mayWrite(hello.level) && this.#hasUnsaved) this.#startOver()
  }

  #levelChanged({ level, may_manage }: LevelChange): void {
    const could = mayWrite(this.state.level)
    if (could && !mayWrite(level)) this.#binding?.flush()
    this.#set({ level, mayManage: may_manage })
    this.#binding?.setMayWrite(mayWrite(level))
    if (could && !mayWrite(level)) {
      if (this.#hasUnsaved) this.#startOver()
      else void this.#device.forget(this.#storeName())
    } else if (!could && mayWrite(level) && this.state.isReady) this.#openStore()
  }

  /** Something by this user exists only in this page. */
  get #hasUnsaved(): boolean {
    return this.#unsaved.size > 0 || (this.#binding?.unshared().length ?? 0) > 0
  }

  #noticed(notice: Notice): void {
    const isRefusal = notice.refused_through !== undefined
    // A viewer who reconnects sends the deletions they know of: these are refused, which is not worth a message.
    if (isRefusal && !mayWrite(this.state.level) && !this.#hasUnsaved) return
    this.#set({ notice })
    // After one of its updates was refused, all later ones of a document wait for the missing piece for ever.
    if (isRefusal) this.#startOver()
  }

  /**
   * The server has rebuilt its document: if the local content were merged into it, all of it would come back, or be
   * refused.
   */
  #isSameDocument(server: ReadonlyMap<number, number>): boolean {
    if (!this.state.isReady || this.#unsaved.isPartOf(server, this.#doc)) return true
    this.#startOver()
    return false
  }

  #ended(code: number, reason: string): void {
    this.#keep()
    this.#binding?.stop()
    this.#binding = null
    this.#disconnect()
    if (code !== CloseCode.notSignedIn && code !== CloseCode.frameTooLarge)
      void this.#device.forget(this.#storeName())
    const kept = this.#unsaved.takeKept(null) ?? this.state.kept
    this.#set({ ended: { code, reason }, kept, sync: { name: 'saved' } })
  }

  /** Discards the document and takes the server's; then offers what the server's lacks. */
  #startOver(): void {
    if (this.#isClosed) return
    this.#keep()
    this.#disconnect()
    this.#binding?.stop()
    this.#binding = null
    void this.#device.forget(this.#storeName())
    this.#doc.destroy()
    this.#doc = new Y.Doc()
    this.#awareness = new Awareness(this.#doc)
    this.#set({ isReady: false })
    this.open()
  }

  #keep(): void {
    this.#binding?.flush()
    if (!this.#hasUnsaved) return
    this.#unsaved.keep(this.#doc, this.#binding?.unshared() ?? [])
    this.#device.mark(this.#storeName(), false)
  }

  #progressed(): void {
    const provider = this.#provider
    if (provider === null || this.#isClosed || this.state.ended !== null) return
    if (provider.synced && !this.state.isReady) this.#becomeReady()
    const isSaved = provider.isSaved && !this.#isPending
    if (isSaved) this.#confirm()
    this.#set({ sync: this.#syncOf(provider, isSaved) })
  }

  #confirm(): void {
    this.#device.saved()
    if (this.#unsaved.size === 0) return
    this.#unsaved.confirm()
    this.#device.mark(this.#storeName(), false)
  }

  #syncOf(provider: BoardProvider, isSaved: boolean): Sync {
    if (!provider.isHeard || (this.state.isReady && !provider.synced))
      return this.state.isReady ? this.#offline() : { name: 'connecting' }
    if (!this.state.isReady) return { name: 'connecting' }
    if (this.#binding === null) return { name: 'opening' }
    return isSaved || (this.#unsaved.size === 0 && !this.#isPending) ? { name: 'saved' } : { name: 'saving' }
  }

  /** "Kept" only counts once the device has written it: until then the previous state is shown. */
  #offline(): Sync {
    const device = this.#device.state
    const { sync } = this.state
    if (device !== 'writing')
      return { name: 'offline', changes: this.#unsaved.size, isKept: device === 'kept' }
    return sync.name === 'offline' ? sync : { name: 'offline', changes: 0, isKept: true }
  }

  #becomeReady(): void {
    const kept = this.#unsaved.takeKept(this.#doc)
    this.#set({ isReady: true, ...(kept === null ? {} : { kept }) })
    if (mayWrite(this.state.level)) this.#openStore()
    else void this.#recover()
    this.#bind()
  }

  #bind(): void {
    if (this.#canvas === null || this.#binding !== null || !this.state.isReady || this.state.ended !== null)
      return
    this.#binding = new Binding({
      doc: this.#doc,
      canvas: this.#canvas,
      clock: this.#options.clock,
      mayWrite: mayWrite(this.state.level),
      onPending: (isPending) => {
        this.#isPending = isPending
        this.#progressed()
      },
    })
    this.#binding.start()
    this.#progressed()
  }

  #storeName(): string {
    return `boardroom:${this.#options.boardId}:${this.state.hello?.principal.id ?? 'nobody'}`
  }

  /** Only people who may write store a copy, and only after the first sync. */
  #openStore(): void {
    if (this.state.hello?.principal.kind === 'anonymous') return
    const doc = this.#doc
    const isCurrent = () => doc === this.#doc
    this.#device.open(
      this.#storeName(),
      doc,
      () => isCurrent() && this.#progressed(),
      () => isCurrent() && void this.#recover().then(() => this.#startOver()),
    )
  }

  async #recover(): Promise<void> {
    const earlier = await this.#device.recover(this.#storeName(), this.#doc)
    if (earlier === null || this.#isClosed) return
    this.#unsaved.keepAll(earlier)
    const kept = this.#unsaved.takeKept(this.#doc)
    earlier.destroy()
    if (kept !== null) this.#set({ kept })
  }

  #startAnew(): void {
    if (this.state.ended === null && !this.#isLeft) this.#provider?.startAnew()
  }

  #disconnect(): void {
    const provider = this.#provider
    this.#provider = null
    provider?.destroy()
    removeAwarenessStates(this.#awareness, [...this.#awareness.getStates().keys()], 'closed')
    this.#awareness.destroy()
  }

  #set(change: Partial<SessionState>): void {
    if (!this.#isClosed) this.#observed.set(change)
  }
}
