// A client that speaks the protocol by hand: it records every message, and sends any bytes it is told to.
import type { Socket } from 'node:net'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import {
  encodeSync,
  MessageType,
  ownSubprotocol,
  SyncStep,
  ticketSubprotocolPrefix,
} from '../../shared/protocol.ts'

const patienceMs = 30_000

export interface RawOptions {
  ticket?: string
  /** Default: boardroom.v1. */
  subprotocols?: string[]
  headers?: Record<string, string>
  query?: string
}

export interface Received {
  type: number
  /** Second varuint of a sync message. */
  step: number | null
  /** Parsed body of 64, 66, 67, 68; the count of 65; bytes of sync and awareness. */
  body: unknown
}

/** An awareness message; states that are text are sent as they are. */
export const awareness = (
  entries: readonly { clientId: number; clock: number; state: unknown }[],
): Uint8Array => {
  const body = encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, entries.length)
    for (const { clientId, clock, state } of entries) {
      encoding.writeVarUint(encoder, clientId)
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarString(encoder, typeof state === 'string' ? state : JSON.stringify(state))
    }
  })
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, MessageType.awareness)
    encoding.writeVarUint8Array(encoder, body)
  })
}

export class RawClient {
  readonly socket: WebSocket
  readonly received: Received[] = []
  readonly opened: Promise<void>
  /** Close code and reason. */
  readonly closed: Promise<{ code: number; reason: string }>
  /** The document with the server's updates applied. */
  readonly doc = new Y.Doc()
  #sent = 0

  constructor(url: string, options: RawOptions = {}) {
    const subprotocols = [
      ...(options.subprotocols ?? [ownSubprotocol]),
      ...(options.ticket === undefined ? [] : [`${ticketSubprotocolPrefix}${options.ticket}`]),
    ]
    this.socket = new WebSocket(`${url}${options.query ?? ''}`, subprotocols, {
      headers: options.headers ?? {},
    })
    this.socket.on('error', () => undefined) // 'close' follows
    this.opened = new Promise((resolve) => {
      this.socket.once('open', () => {
        this.send(encodeSync(SyncStep.step1, Y.encodeStateVector(this.doc)))
        resolve()
      })
      this.socket.once('close', () => resolve())
    })
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    this.socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) throw new Error('the server sent a text frame')
      this.#receive(data)
    })
  }

  #receive(data: Buffer): void {
    const decoder = decoding.createDecoder(new Uint8Array(data))
    const type = decoding.readVarUint(decoder)
    if (type === MessageType.sync) {
      const step = decoding.readVarUint(decoder)
      const body = decoding.readVarUint8Array(decoder)
      if (step !== SyncStep.step1) Y.applyUpdate(this.doc, body, 'server')
      this.received.push({ type, step, body })
    } else if (type === MessageType.saved) {
      this.received.push({ type, step: null, body: decoding.readVarUint(decoder) })
    } else if (type === MessageType.awareness) {
      this.received.push({ type, step: null, body: decoding.readVarUint8Array(decoder) })
    } else if (type === MessageType.auth) {
      decoding.readVarUint(decoder)
      this.received.push({ type, step: null, body: decoding.readVarString(decoder) })
    } else {
      this.received.push({ type, step: null, body: JSON.parse(decoding.readVarString(decoder)) })
    }
  }

  send(bytes: Uint8Array): void {
    this.socket.send(bytes)
  }

  /** Sends the header of a frame without its payload. */
  announce(bytes: number): void {
    const head = Buffer.alloc(14)
    head.set([0x82, 0xff])
    head.writeBigUInt64BE(BigInt(bytes), 2)
    const { _socket: net } = this.socket as unknown as { _socket: Socket } // not typed, and the only way to reach it
    net.write(head)
  }

  /** Sends an update as [0,2] and counts it as frame 65 does. @returns the count including it */
  sendUpdate(update: Uint8Array, step: number = SyncStep.update): number {
    this.send(encodeSync(step, update))
    this.#sent++
    return this.#sent
  }

  /** Edits a document that follows the server's, and sends the edit. @returns the count including it */
  edit(change: (doc: Y.Doc) => void): number {
    let update: Uint8Array | null = null
    const take = (bytes: Uint8Array) => {
      update = bytes
    }
    this.doc.on('update', take)
    this.doc.transact(() => change(this.doc), 'own')
    this.doc.off('update', take)
    if (update === null) throw new Error('the change changed nothing')
    return this.sendUpdate(update)
  }

  /** Bodies of one type of message, in order. */
  bodies(type: number): unknown[] {
    return this.received.filter((message) => message.type === type).map((message) => message.body)
  }

  /**
   * Waits for the first message of a type, or the first that `matches`.
   * @throws Error if the connection ends before one arrives, or none arrives.
   */
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked at by tests, whatever their shape
  message(type: number, matches: (body: any) => boolean = () => true): Promise<any> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer)
        this.socket.off('message', look).off('close', end)
        settle()
      }
      const look = () => {
        const found = this.received.find((message) => message.type === type && matches(message.body))
        if (found !== undefined) finish(() => resolve(found.body))
      }
      const fail = (why: string) => finish(() => reject(new Error(`no message ${type}: ${why}`)))
      const end = (code: number) => fail(`the connection ended with ${code}`)
      const timer = setTimeout(() => fail(`none in ${patienceMs} ms`), patienceMs)
      this.socket.on('message', look).once('close', end)
      look()
      if (this.socket.readyState === WebSocket.CLOSED) void this.closed.then(({ code }) => end(code))
    })
  }

  /** The highest count of frame 65 so far. */
  get saved(): number {
    return Math.max(0, ...(this.bodies(MessageType.saved) as number[]))
  }

  close(): void {
    this.socket.close()
  }

  terminate(): void {
    this.socket.terminate()
  }
}
