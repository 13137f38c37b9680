// A WebSocket without a network: what the server writes is held back until the test lets the client read it, and the
// client's side is a Yjs document that speaks y-protocols.
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import type { Socket, SocketEvents } from '../../server/rooms/ports.ts'
import { encodeSync, MessageType, readJsonBody, SyncStep } from '../../shared/protocol.ts'

/** The server's side. */
export class PairedSocket implements Socket {
  /** Written but not yet read by the client; the test decides how much of it the kernel has not taken. */
  readonly written: Buffer[] = []
  closedWith: { code: number; reason: string } | null = null
  isTerminated = false
  isPaused = true
  /** The client does not read: everything written counts as unsent. */
  isStuck = false
  /** Answers pings automatically, as every client does. */
  answersPings = true
  writes = 0
  #events: SocketEvents | null = null

  get bufferedBytes(): number {
    return this.isStuck ? this.written.reduce((sum, frame) => sum + frame.length, 0) : 0
  }

  listen(events: SocketEvents): void {
    this.#events = events
  }

  write(...pieces: readonly Buffer[]): void {
    if (this.closedWith !== null) return
    this.writes++
    this.written.push(...pieces)
    if (this.answersPings && !this.isPaused && pieces[0]?.[0] === 0x89)
      queueMicrotask(() => this.#events?.heard())
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  close(code: number, reason: string): void {
    this.closedWith ??= { code, reason }
  }

  terminate(): void {
    this.isTerminated = true
    this.closedWith ??= { code: 1006, reason: '' }
  }

  /** The client sends. */
  say(data: Uint8Array, isBinary = true): void {
    this.#events?.message(data, isBinary)
  }

  /** The network closes it. */
  breakOff(): void {
    this.closedWith ??= { code: 1006, reason: '' }
    this.#events?.closed(1006, '')
  }

  /** The client reads everything: its messages, without pings. */
  read(): Uint8Array[] {
    const bytes = Buffer.concat(this.written.splice(0))
    const messages: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      const isPing = bytes[at] === 0x89
      const short = bytes[at + 1] as number
      const head = short < 126 ? 2 : short === 126 ? 4 : 10
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6)
      if (!isPing) messages.push(bytes.subarray(at + head, at + head + length))
      at += head + length
    }
    if (this.isStuck) {
      this.isStuck = false
      this.#events?.drained()
    }
    return messages
  }
}

export interface Heard {
  type: number
  /** Of sync messages. */
  step?: number
  body?: Uint8Array
  /** Of frames 64 and 66-68. */
  json?: Record<string, unknown>
  /** Of frame 65. */
  count?: number
  /** Of awareness: client id to state. */
  states?: Map<number, unknown>
  reason?: string
}

/** A manually driven client: nothing moves until `pump`. */
export class PairedClient {
  readonly socket = new PairedSocket()
  readonly doc: Y.Doc
  readonly heard: Heard[] = []
  /** [0,1] and [0,2]: what frame 65 counts. */
  syncFramesSent = 0
  #outgoing: Uint8Array[] = []
  readonly #forward = (update: Uint8Array, origin: unknown) => {
    if (origin !== this) this.#outgoing.push(encodeSync(SyncStep.update, update))
  }

  constructor(doc = new Y.Doc()) {
    this.doc = doc
    doc.on('update', this.#forward)
  }

  get closeCode(): number | null {
    return this.socket.closedWith?.code ?? null
  }

  get hasSentAll(): boolean {
    return this.#outgoing.length === 0
  }

  /** Sync step 1, as every stock client begins. */
  askForState(): void {
    this.#outgoing.unshift(encodeSync(SyncStep.step1, Y.encodeStateVector(this.doc)))
  }

  /** Sends what waits, then reads and answers what arrived. @returns whether anything moved. */
  pump(): boolean {
    const moved = this.send()
    return this.receive() || moved
  }

  send(): boolean {
    const outgoing = this.#outgoing
    this.#outgoing = []
    for (const message of outgoing) {
      if (message[1] !== SyncStep.step1) this.syncFramesSent++
      this.socket.say(message)
    }
    return outgoing.length > 0
  }

  receive(): boolean {
    const messages = this.socket.read()
    for (const message of messages) this.#hear(message)
    return messages.length > 0
  }

  presence(clientId: number, clock: number, state: unknown): void {
    this.socket.say(awarenessMessage([{ clientId, clock, state }]))
  }

  /** Stops forwarding edits: the provider is gone. */
  leave(): void {
    this.doc.off('update', this.#forward)
    this.socket.breakOff()
  }

  of(type: number): Heard[] {
    return this.heard.filter((each) => each.type === type)
  }

  get saved(): number {
    return this.of(MessageType.saved).at(-1)?.count ?? 0
  }

  /** The newest state received for each client id. */
  get states(): Map<number, unknown> {
    const all = new Map<number, unknown>()
    for (const { states } of this.heard)
      for (const [clientId, state] of states ?? []) all.set(clientId, state)
    return all
  }

  #hear(message: Uint8Array): void {
    const decoder = decoding.createDecoder(message)
    const type = decoding.readVarUint(decoder)
    if (type === MessageType.sync) {
      const step = decoding.readVarUint(decoder)
      const body = decoding.readVarUint8Array(decoder).slice()
      this.heard.push({ type, step, body })
      if (step === SyncStep.step1)
        this.#outgoing.push(encodeSync(SyncStep.step2, Y.encodeStateAsUpdate(this.doc, body)))
      else Y.applyUpdate(this.doc, body, this)
    } else if (type === MessageType.awareness) this.heard.push({ type, states: readAwareness(decoder) })
    else if (type === MessageType.saved) this.heard.push({ type, count: decoding.readVarUint(decoder) })
    else if (type === MessageType.auth) {
      decoding.readVarUint(decoder)
      this.heard.push({ type, reason: decoding.readVarString(decoder) })
    } else this.heard.push({ type, json: readJsonBody(decoder) as Record<string, unknown> })
  }
}

export function awarenessMessage(
  entries: readonly { clientId: number; clock: number; state: unknown }[],
): Uint8Array {
  const body = encoding.createEncoder()
  encoding.writeVarUint(body, entries.length)
  for (const { clientId, clock, state } of entries) {
    encoding.writeVarUint(body, clientId)
    encoding.writeVarUint(body, clock)
    encoding.writeVarString(body, typeof state === 'string' ? state : JSON.stringify(state))
  }
  const message = encoding.createEncoder()
  encoding.writeVarUint(message, MessageType.awareness)
  encoding.writeVarUint8Array(message, encoding.toUint8Array(body))
  return encoding.toUint8Array(message)
}

function readAwareness(outer: decoding.Decoder): Map<number, unknown> {
  const decoder = decoding.createDecoder(decoding.readVarUint8Array(outer))
  const states = new Map<number, unknown>()
  const count = decoding.readVarUint(decoder)
  for (let i = 0; i < count; i++) {
    const clientId = decoding.readVarUint(decoder)
    decoding.readVarUint(decoder)
    states.set(clientId, JSON.parse(decoding.readVarString(decoder)))
  }
  return states
}
