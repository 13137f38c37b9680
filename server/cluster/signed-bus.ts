// Messages of this deployment on a bus: each is signed and numbered by its node, so that foreign and replayed messages are ignored.
import type { KeyObject } from 'node:crypto'
import type { Logger } from 'pino'
import type { Bus } from './bus.ts'
import { idBytesOf, keyOf, saysItIsOf, seal, unseal } from './envelope.ts'

const envelopeBytes = 128

export interface SignedMessage {
  nodeId: string
  body: Uint8Array
}

export interface SignedBusStats {
  sent: number
  sentBytes: number
  heard: number
  heardBytes: number
  strangers: number
  newer: number
}

export class SignedBus {
  readonly #bus: Bus
  readonly #log: Logger
  readonly #nodeId: string
  readonly #ownId: Buffer
  readonly #key: KeyObject
  readonly #prefix: string
  readonly #stats: SignedBusStats = { sent: 0, sentBytes: 0, heard: 0, heardBytes: 0, strangers: 0, newer: 0 }
  #number = 0
  #isClosed = false

  /** @param options.secret shared by the nodes of a deployment */
  constructor(options: { bus: Bus; log: Logger; nodeId: string; deployment: string; secret: string }) {
    this.#bus = options.bus
    this.#log = options.log
    this.#nodeId = options.nodeId
    this.#ownId = idBytesOf(options.nodeId)
    this.#key = keyOf(options.secret, options.deployment)
    this.#prefix = `boardroom.${options.deployment}`
  }

  get stats(): SignedBusStats {
    return this.#stats
  }

  /** The subject for messages about `topic`. */
  subjectOf(topic: string): string {
    return `${this.#prefix}.${topic}`
  }

  /** The largest body of a message. */
  get maxBytes(): number {
    return this.#bus.maxBytes - envelopeBytes
  }

  /** Nothing is sent while the bus is unavailable: a node that returns announces itself. */
  send(subject: string, body: Uint8Array): void {
    if (this.#isClosed || !this.#bus.isConnected) return
    const data = seal(this.#key, subject, { nodeId: this.#nodeId, number: ++this.#number, body })
    this.#stats.sent++
    this.#stats.sentBytes += data.length
    this.#bus.publish(subject, data)
  }

  /**
   * Our own messages are skipped before their signature is checked, unless `withOwn` is set.
   * @returns a function that unsubscribes.
   */
  subscribe(
    subject: string,
    listener: (message: SignedMessage) => void,
    { withOwn = false }: { withOwn?: boolean } = {},
  ): () => void {
    const numbers = new Map<string, number>()
    return this.#bus.subscribe(subject, (data) => {
      if (!withOwn && saysItIsOf(this.#ownId, data)) return
      const message = this.#open(subject, data, numbers)
      if (message !== null) listener(message)
    })
  }

  /** Stops sending. */
  close(): void {
    this.#isClosed = true
  }

  #open(subject: string, data: Uint8Array, numbers: Map<string, number>): SignedMessage | null {
    const opened = unseal(this.#key, subject, data)
    if (opened === 'newer') {
      if (this.#stats.newer++ === 0)
        this.#log.warn('a node with a newer version sent a message that this one does not understand')
      return null
    }
    if (opened === 'stranger') {
      if (this.#stats.strangers++ === 0)
        this.#log.warn(
          'ignored a message on the bus that was not signed by this deployment; check that all nodes have the same BOARDROOM_SECRET',
        )
      return null
    }
    const { nodeId, number, body } = opened
    // Replayed, or delivered twice.
    if (number <= (numbers.get(nodeId) ?? 0)) return null
    numbers.set(nodeId, number)
    this.#stats.heard++
    this.#stats.heardBytes += data.length
    return { nodeId, body }
  }
}
