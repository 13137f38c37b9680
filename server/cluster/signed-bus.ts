// Messages of this deployment on a bus: each is signed and numbered by its node, so that strangers and repeats are ignored.
import type { Logger } from 'pino'
import type { Bus } from './bus.ts'
import { keyOf, seal, unseal } from './envelope.ts'

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
  readonly #key: Buffer
  readonly #prefix: string
  readonly #stats: SignedBusStats = { sent: 0, sentBytes: 0, heard: 0, heardBytes: 0, strangers: 0, newer: 0 }
  #number = 0
  #isClosed = false

  /** @param options.secret what the nodes of a deployment share */
  constructor(options: { bus: Bus; log: Logger; nodeId: string; deployment: string; secret: string }) {
    this.#bus = options.bus
    this.#log = options.log
    this.#nodeId = options.nodeId
    this.#key = keyOf(options.secret, options.deployment)
    this.#prefix = `boardroom.${options.deployment}`
  }

  get stats(): SignedBusStats {
    return this.#stats
  }

  /** Where messages about `topic` go. */
  subjectOf(topic: string): string {
    return `${this.#prefix}.${topic}`
  }

  /** The largest body of a message. */
  get maxBytes(): number {
    return this.#bus.maxBytes - envelopeBytes
  }

  /** Nothing is sent where the bus is away: who comes back says so. */
  send(subject: string, body: Uint8Array): void {
    if (this.#isClosed || !this.#bus.isConnected) return
    const data = seal(this.#key, subject, { nodeId: this.#nodeId, number: ++this.#number, body })
    this.#stats.sent++
    this.#stats.sentBytes += data.length
    this.#bus.publish(subject, data)
  }

  /** Own messages too. @returns ends it. */
  subscribe(subject: string, listener: (message: SignedMessage) => void): () => void {
    const numbers = new Map<string, number>()
    return this.#bus.subscribe(subject, (data) => {
      const message = this.#open(subject, data, numbers)
      if (message !== null) listener(message)
    })
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#isClosed = true
  }

  #open(subject: string, data: Uint8Array, numbers: Map<string, number>): SignedMessage | null {
    const opened = unseal(this.#key, subject, data)
    if (opened === 'newer') {
      if (this.#stats.newer++ === 0)
        this.#log.warn('a node of a newer version says what this one does not understand')
      return null
    }
    if (opened === 'stranger') {
      if (this.#stats.strangers++ === 0)
        this.#log.warn(
          'a message on the bus is not signed by this deployment, and ignored; has every node the same BOARDROOM_SECRET?',
        )
      return null
    }
    const { nodeId, number, body } = opened
    // Played back by somebody, or twice.
    if (number <= (numbers.get(nodeId) ?? 0)) return null
    numbers.set(nodeId, number)
    this.#stats.heard++
    this.#stats.heardBytes += data.length
    return { nodeId, body }
  }
}
