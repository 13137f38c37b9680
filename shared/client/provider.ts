// The stock WebsocketProvider, speaking `boardroom.v1`: it receives its level, what is saved and the events of the
// board, and knows at any moment whether everything it sent is committed. Without DOM, so that it runs in Node too.
import type * as decoding from 'lib0/decoding'
import * as lib0Decoding from 'lib0/decoding'
import type { Awareness } from 'y-protocols/awareness'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import {
  type BoardEvent,
  encodePing,
  type Hello,
  type LevelChange,
  MessageType,
  type Notice,
  ownSubprotocol,
  readJsonBody,
  SyncStep,
  ticketSubprotocolPrefix,
} from '../protocol.ts'
import type { Clock } from './clock.ts'
import { Heartbeat } from './heartbeat.ts'

/** The part of a browser's WebSocket class that is used here; `ws` in Node has it too. */
export interface SocketClass {
  new (
    url: string,
    protocols?: string | string[],
  ): { readonly readyState: number; send(data: Uint8Array<ArrayBuffer>): void; close(): void }
}

export interface ProviderListener {
  hello(hello: Hello): void
  level(change: LevelChange): void
  event(event: BoardEvent): void
  notice(notice: Notice): void
  /**
   * The server announces what its document holds, as a state vector, before it sends any of it.
   * @returns false if the local content is not part of that document: then the two must not be merged, and are not.
   */
  isSameDocument(stateVector: ReadonlyMap<number, number>): boolean
  /** Connected, synced or saved may have changed. */
  changed(): void
  /** The server's decision: no reconnecting. The connection has ended for good. */
  ended(code: number, reason: string): void
}

export interface ProviderOptions {
  /** `ws://host/ws`, without the board. */
  serverUrl: string
  boardId: string
  doc: Y.Doc
  awareness: Awareness
  socketClass: SocketClass
  clock: Clock
  /** For apps without our cookies. The bundled client sends none: it authenticates with its cookie. */
  ticket?: string
  listener: ProviderListener
}

/** How long the first answer may take, which is one message as large as the board: 6 MB at 400 kbit/s. */
const firstAnswerMs = 120_000
/** The stock provider disconnects if no complete message has arrived for three times as long. */
const patientEveryMs = 10_000

/** Starts disconnected: call `connect()`. The creator must call `destroy()`. */
export class BoardProvider extends WebsocketProvider {
  #sent = 0
  #committed = 0
  #answered = false
  readonly #heartbeat: Heartbeat
  readonly #clock: Clock
  #stopWaiting: () => void = () => {}

  constructor(options: ProviderOptions) {
    const { listener } = options
    // Counts what is sent on the socket itself, including answers to step 1, which the stock provider sends without
    // an event.
    let self: BoardProvider | null = null
    class CountingSocket extends options.socketClass {
      constructor(url: string, protocols?: string | string[]) {
        super(url, protocols)
        if (self !== null) self.#restart()
      }
      override send(data: Uint8Array<ArrayBuffer>): void {
        if (self !== null) self.#count(data)
        super.send(data)
      }
    }
    super(options.serverUrl, options.boardId, options.doc, {
      connect: false,
      awareness: options.awareness,
      protocols: protocolsOf(options.ticket),
      // BroadcastChannel between tabs bypasses permissions: a view-level tab would write through an edit-level one.
      disableBc: true,
      // The stock types require the DOM's class with all static members; only the constructor, send and close are
      // used.
      WebSocketPolyfill: CountingSocket as unknown as typeof globalThis.WebSocket,
    })
    self = this
    this.#clock = options.clock
    this.#heartbeat = new Heartbeat(options.clock, {
      ask: () => this.ws?.send(encodePing() as Uint8Array<ArrayBuffer>), // taken from an array that was built here
      isOpen: () => this.ws?.readyState === 1,
      changed: () => listener.changed(),
      lost: () => this.startAnew(),
    })
    this.#listen(listener)
    this.#readFirstSyncUnheard()
    this.#askBeforeMerging(listener)
    this.#hearEverything()
    this.on('status', ({ status }) => {
      if (status !== 'connected') {
        this.#heartbeat.stop()
        this.#stopWaiting()
      }
      listener.changed()
    })
    this.on('sync', (isSynced: boolean) => {
      // Not before: on a slow line the drawing takes a while, and nothing else arrives meanwhile.
      if (isSynced) this.#heartbeat.start()
      listener.changed()
    })
    this.on('closed', ({ code, reason }) => listener.ended(code, reason))
  }

  /** For the next connection. */
  setTicket(ticket: string): void {
    this.protocols = protocolsOf(ticket)
  }

  /** Everything in this document that was ever written here is committed on the server. */
  get isSaved(): boolean {
    return this.synced && this.#answered && this.#committed >= this.#sent
  }

  /** Connected, and the server responds as fast as usual. */
  get isHeard(): boolean {
    return this.wsconnected && !this.#heartbeat.isSilent
  }

  /** Drop this connection and reconnect at once. */
  startAnew(): void {
    this.disconnect()
    this.connect()
  }

  /** @param isWatched somebody is looking at the page. */
  watch(isWatched: boolean): void {
    this.#heartbeat.pause(!isWatched)
  }

  override destroy(): void {
    this.#heartbeat.stop()
    this.#stopWaiting()
    super.destroy()
  }

  /** Every message shows that the server is alive, whatever it contains. */
  #hearEverything(): void {
    for (const [type, handle] of this.messageHandlers.entries()) {
      if (handle === undefined) continue
      this.messageHandlers[type] = (...given) => {
        this.#heartbeat.heard(type === MessageType.ping)
        handle(...given)
      }
    }
  }

  /** The server is reachable and has let us in: from now on, delays are those of a slow line. */
  #waitForFirstAnswer(): void {
    this.#stopWaiting()
    let waitedMs = 0
    const wait = () => {
      if (!this.wsconnected || this.synced || waitedMs >= firstAnswerMs) return
      waitedMs += patientEveryMs
      this.wsLastMessageReceived = Date.now()
      this.#stopWaiting = this.#clock.after(patientEveryMs, wait)
    }
    wait()
  }

  #restart(): void {
    this.#sent = 0
    this.#committed = 0
    this.#answered = false
  }

  #count(data: Uint8Array): void {
    this.#heartbeat.sent(data.length)
    if (data[0] !== MessageType.sync) return
    if (data[1] === SyncStep.step2) this.#answered = true
    if (data[1] === SyncStep.step2 || data[1] === SyncStep.update) this.#sent++
  }

  /**
   * The first answer contains the whole drawing. A document with update listeners encodes the answer once more for
   * them, and the existing listener would discard it: it is detached until the document has been read.
   */
  #readFirstSyncUnheard(): void {
    const read = this.messageHandlers[MessageType.sync]
    if (read === undefined) return
    const listen = () => this.doc.on('update', this._updateHandler)
    // What an observer writes in response is a separate transaction, which must be sent to the server.
    const listenToOthers = ({ origin }: Y.Transaction) => origin !== this && listen()
    this.messageHandlers[MessageType.sync] = (...given) => {
      if (this.synced) return read(...given)
      this.doc.off('update', this._updateHandler)
      this.doc.on('beforeTransaction', listenToOthers)
      // Before anybody learns that the document has loaded, and may change it.
      this.doc.on('afterAllTransactions', listen)
      try {
        read(...given)
      } finally {
        this.doc.off('beforeTransaction', listenToOthers)
        this.doc.off('afterAllTransactions', listen)
        listen()
      }
    }
  }

  #askBeforeMerging(listener: ProviderListener): void {
    const read = this.messageHandlers[MessageType.sync]
    if (read === undefined) return
    this.messageHandlers[MessageType.sync] = (encoder, decoder, ...rest) => {
      const start = decoder.pos
      const isStep1 = lib0Decoding.readVarUint(decoder) === SyncStep.step1
      if (isStep1 && !listener.isSameDocument(Y.decodeStateVector(lib0Decoding.readVarUint8Array(decoder))))
        return
      decoder.pos = start
      read(encoder, decoder, ...rest)
    }
  }

  #listen(listener: ProviderListener): void {
    const on = (type: number, handle: (decoder: decoding.Decoder) => void) => {
      this.messageHandlers[type] = (_encoder, decoder) => handle(decoder)
    }
    // The bodies come from the server that served this page, which guarantees their shapes.
    on(MessageType.hello, (decoder) => {
      listener.hello(readJsonBody(decoder) as Hello)
      this.#waitForFirstAnswer()
    })
    on(MessageType.level, (decoder) => listener.level(readJsonBody(decoder) as LevelChange))
    on(MessageType.event, (decoder) => listener.event(readJsonBody(decoder) as BoardEvent))
    on(MessageType.notice, (decoder) => listener.notice(readJsonBody(decoder) as Notice))
    on(MessageType.ping, () => {})
    on(MessageType.saved, (decoder) => {
      this.#committed = lib0Decoding.readVarUint(decoder)
      listener.changed()
    })
  }
}

const protocolsOf = (ticket: string | undefined): string[] => [
  ownSubprotocol,
  ...(ticket === undefined ? [] : [ticketSubprotocolPrefix + ticket]),
]
