// Limits the TCP connections that have not been upgraded to WebSockets: each holds a file descriptor and some memory
// from the moment it is opened. WebSockets have their own limits, see admission.ts.
import type { Socket } from 'node:net'
import { Counter, type Registry } from 'prom-client'
import type { Config } from '../config.ts'
import { addressKey, normalAddress } from '../routing/addresses.ts'
import { answerPlainly } from './plain-answer.ts'

const warnEveryMs = 60_000

type Limits = Pick<Config, 'maxHttpConnections' | 'maxHttpConnectionsPerIp'>
type Reason = 'too_many_connections' | 'too_many_connections_from_address'

export interface PlainConnectionsDeps {
  limits: Limits
  /** A proxy with many clients behind it is not counted as one address. */
  isProxy(address: string): boolean
  registry: Registry
  log: { warn(fields: object, message: string): void }
}

/** One per process. */
export class PlainConnections {
  readonly #deps: PlainConnectionsDeps
  readonly #refusals: Counter<'reason'>
  /** The key it is counted under; null is not counted by address. */
  readonly #open = new Map<object, string | null>()
  readonly #byAddress = new Map<string, number>()
  #warnedAt = Number.NEGATIVE_INFINITY

  constructor(deps: PlainConnectionsDeps) {
    this.#deps = deps
    this.#refusals = new Counter({
      name: 'boardroom_http_connections_refused_total',
      help: 'TCP connections closed with 503 or 429 because too many were open.',
      labelNames: ['reason'] as const,
      registers: [deps.registry],
    })
  }

  /** @returns false if there are too many; the connection has then been answered and closed. */
  take(socket: Socket): boolean {
    const address = normalAddress(socket.remoteAddress ?? '')
    // A connection without an address came over a Unix socket.
    const key = address === null || this.#deps.isProxy(address) ? null : addressKey(address)
    const reason = this.#excess(key)
    if (reason !== null) {
      this.#refuse(socket, reason, address)
      return false
    }
    this.#open.set(socket, key)
    if (key !== null) this.#byAddress.set(key, (this.#byAddress.get(key) ?? 0) + 1)
    socket.once('close', () => this.release(socket))
    return true
  }

  /** The connection ended or became a WebSocket. */
  release(socket: object): void {
    const key = this.#open.get(socket) ?? null
    this.#open.delete(socket)
    if (key === null) return
    const left = (this.#byAddress.get(key) ?? 1) - 1
    if (left === 0) this.#byAddress.delete(key)
    else this.#byAddress.set(key, left)
  }

  #excess(key: string | null): Reason | null {
    const { maxHttpConnections, maxHttpConnectionsPerIp } = this.#deps.limits
    if (this.#open.size >= maxHttpConnections) return 'too_many_connections'
    const ofAddress = key === null ? 0 : (this.#byAddress.get(key) ?? 0)
    return ofAddress >= maxHttpConnectionsPerIp ? 'too_many_connections_from_address' : null
  }

  #refuse(socket: Socket, reason: Reason, address: string | null): void {
    this.#refusals.inc({ reason })
    const now = performance.now()
    if (now - this.#warnedAt >= warnEveryMs) {
      this.#warnedAt = now
      this.#deps.log.warn(
        { reason, address },
        reason === 'too_many_connections'
          ? 'HTTP connections refused: BOARDROOM_MAX_HTTP_CONNECTIONS reached'
          : 'HTTP connections refused: one address has too many open; set BOARDROOM_TRUSTED_PROXIES if this is your proxy',
      )
    }
    const status = reason === 'too_many_connections' ? '503 Service Unavailable' : '429 Too Many Requests'
    answerPlainly(
      socket,
      status,
      'too many connections; close some, or try again in a moment\n',
      'Retry-After: 2',
    )
  }
}
