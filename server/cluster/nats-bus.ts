// The bus over NATS, with at-most-once delivery: Postgres is the source of truth, where missed edits are read. While it
// reconnects, the library silently loses published messages, so nothing is published then, and listeners are told.
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node'
import type { Logger } from 'pino'
import { BoardroomError } from '../errors.ts'
import type { Bus } from './bus.ts'
import { type NatsConfig, natsOptionsOf, shownUrl } from './nats-settings.ts'

const connectMs = 5000
/** A server that misses two of these pings counts as lost; by default the library would wait for minutes. */
const pingMs = 2000
const settleMs = 2000

/** @throws BoardroomError invalid_config (credentials not accepted, no TLS) | bus_unreachable */
export async function connectNats(config: NatsConfig, name: string, log: Logger): Promise<Bus> {
  const options: NodeConnectionOptions = {
    ...natsOptionsOf(config),
    name,
    timeout: connectMs,
    pingInterval: pingMs,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 100,
    ignoreAuthErrorAbort: true,
  }
  try {
    return new NatsBus(await connect(options), log)
  } catch (error) {
    throw explained(error, shownUrl(config.natsUrl ?? ''), options.tls !== undefined)
  }
}

class NatsBus implements Bus {
  readonly #nats: NatsConnection
  readonly #log: Logger
  readonly #listeners = new Set<(isConnected: boolean) => void>()
  readonly #watching: Promise<void>
  #isConnected = true
  #isClosed = false

  constructor(nats: NatsConnection, log: Logger) {
    this.#nats = nats
    this.#log = log
    this.#watching = this.#watch()
  }

  get isConnected(): boolean {
    return this.#isConnected
  }

  get maxBytes(): number {
    return this.#nats.info?.max_payload ?? 1024 * 1024
  }

  publish(subject: string, data: Uint8Array): void {
    if (!this.#isConnected || this.#isClosed) return
    try {
      this.#nats.publish(subject, data)
    } catch (error) {
      this.#log.debug({ err: error, bytes: data.length }, 'a message to other nodes was not sent')
    }
  }

  subscribe(subject: string, onMessage: (data: Uint8Array) => void): () => void {
    if (this.#isClosed) return () => undefined
    const subscription = this.#nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) onMessage(message.data)
        else this.#log.error({ err: error, subject }, 'NATS does not allow this node to subscribe')
      },
    })
    return () => subscription.unsubscribe()
  }

  async settled(): Promise<void> {
    if (!this.#isConnected || this.#isClosed) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, settleMs)
    })
    await Promise.race([this.#nats.flush().catch(() => undefined), late]) // unavailable: reported by `onChange`
    clearTimeout(timer)
  }

  onChange(listener: (isConnected: boolean) => void): void {
    this.#listeners.add(listener)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    await this.settled() // sends the last messages
    this.#isClosed = true
    await this.#nats.close().catch(() => undefined) // it should be closed, and is
    await this.#watching
  }

  async #watch(): Promise<void> {
    for await (const status of this.#nats.status()) {
      switch (status.type) {
        case 'disconnect':
        case 'staleConnection':
          this.#changed(false)
          break
        case 'reconnect':
          this.#changed(true)
          break
        case 'error':
          this.#log.error({ err: status.error }, 'NATS refused an operation')
          break
      }
    }
  }

  #changed(isConnected: boolean): void {
    if (isConnected === this.#isConnected || this.#isClosed) return
    this.#isConnected = isConnected
    if (isConnected) this.#log.info('NATS is available again')
    else this.#log.warn('NATS is unavailable: edits of other nodes are read from the database')
    for (const listener of this.#listeners) listener(isConnected)
  }
}

function explained(error: unknown, url: string, isByTls: boolean): BoardroomError {
  if (error instanceof BoardroomError) return error
  const { name = '', message = '', code = '' } = error as { name?: string; message?: string; code?: string }
  const said = `${name} ${message} ${code}`.toLowerCase()
  const cause = { cause: error }
  // Checked first, because its codes also mention signatures.
  if (/tls|certificate|self.signed|ssl|altname/.test(said))
    return new BoardroomError(
      'invalid_config',
      `no TLS connection with NATS at ${url}: ${message}; check NATS_CA_FILE, NATS_CERT_FILE and NATS_KEY_FILE, and tls:// in NATS_URL`,
      cause,
    )
  if (/authorization|authentication|nkey|jwt|signature|expired/.test(said))
    return new BoardroomError(
      'invalid_config',
      `NATS at ${url} does not accept our credentials; check NATS_TOKEN, NATS_CREDENTIALS_FILE or the user in NATS_URL`,
      cause,
    )
  return new BoardroomError(
    'bus_unreachable',
    `NATS at ${url} does not answer (${message || code}); start it, or correct NATS_URL${isByTls ? '; if it requires a client certificate, set NATS_CERT_FILE and NATS_KEY_FILE' : ''}`,
    cause,
  )
}
