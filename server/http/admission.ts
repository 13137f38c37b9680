// Limits on connections and joins: per process, per address, per principal. It only counts; upgrade.ts decides what a
// refusal looks like.

import type { ElsewhereCounts } from '../cluster/shared-limits.ts'
import type { Config } from '../config.ts'
import type { RateLimits } from '../routing/rate-limits.ts'

export type AdmissionLimits = Pick<
  Config,
  'maxConnections' | 'maxConnectionsPerIp' | 'maxConnectionsPerPrincipal'
>

export type FloodReason =
  | 'too_many_connections'
  | 'too_many_connections_from_address'
  | 'too_many_joins'
  | 'too_many_failed_joins'

/** One per process. Each place is given back exactly once, by the function that `take` returned. */
export class Admission {
  readonly #limits: AdmissionLimits
  readonly #byAddress = new Map<string, number>()
  readonly #byPrincipal = new Map<string, number>()
  readonly #rates: Pick<RateLimits, 'joins' | 'failedJoins'>
  readonly #others: ElsewhereCounts | null
  #open = 0

  /** @param others the counts of other nodes; null if there are none. */
  constructor(
    limits: AdmissionLimits,
    rates: Pick<RateLimits, 'joins' | 'failedJoins'>,
    others: ElsewhereCounts | null = null,
  ) {
    this.#others = others
    this.#limits = limits
    this.#rates = rates
  }

  get open(): number {
    return this.#open
  }

  /**
   * Why a join is refused before the handshake; null admits and counts it.
   * @param triesOf whose tries it uses up: those of the address or, for pages of foreign origins, those that all such
   *   pages at the address share.
   */
  flood(address: string, triesOf: string): FloodReason | null {
    if (this.#open >= this.#limits.maxConnections) return 'too_many_connections'
    if (this.#count(this.#byAddress, address) >= this.#limits.maxConnectionsPerIp)
      return 'too_many_connections_from_address'
    if (this.#rates.failedJoins.retryAfterMs(triesOf) > 0) return 'too_many_failed_joins'
    return this.#rates.joins.take(triesOf) ? null : 'too_many_joins'
  }

  /** A join was refused. @param triesOf the known principal, otherwise as in {@link flood} */
  failed(triesOf: string): void {
    this.#rates.failedJoins.take(triesOf)
  }

  /** Whether a known principal has been refused too often. */
  hasFailedTooOften(triesOf: string): boolean {
    return this.#rates.failedJoins.retryAfterMs(triesOf) > 0
  }

  /** Takes the place of one connection. */
  takeAddress(address: string): () => void {
    this.#open++
    return this.#take(this.#byAddress, address, () => this.#open--)
  }

  /** Takes one of a principal's places; null if all are taken. No two anonymous principals are the same. */
  takePrincipal(principalKey: string): (() => void) | null {
    if (this.#count(this.#byPrincipal, principalKey) >= this.#limits.maxConnectionsPerPrincipal) return null
    return this.#take(this.#byPrincipal, principalKey, () => undefined)
  }

  #take(counts: Map<string, number>, key: string, also: () => void): () => void {
    counts.set(key, (counts.get(key) ?? 0) + 1)
    this.#tell(counts, key)
    let taken = true
    return () => {
      if (!taken) return
      taken = false
      also()
      const left = (counts.get(key) ?? 1) - 1
      if (left === 0) counts.delete(key)
      else counts.set(key, left)
      this.#tell(counts, key)
    }
  }

  #count(counts: Map<string, number>, key: string): number {
    return (counts.get(key) ?? 0) + (this.#others?.elsewhere(this.#nameOf(counts, key)) ?? 0)
  }

  #tell(counts: Map<string, number>, key: string): void {
    this.#others?.changed(this.#nameOf(counts, key), counts.get(key) ?? 0)
  }

  #nameOf(counts: Map<string, number>, key: string): string {
    return `${counts === this.#byAddress ? 'a' : 'p'} ${key}`
  }
}
