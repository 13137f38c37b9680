// Limits by person and address that count across all nodes: connections from the counts that each node reports, tries as
// they happen. Nodes do not wait for each other, so a limit may be exceeded slightly for a moment.
import type { RateLimit, RateLimits } from '../routing/rate-limits.ts'
import type { Cluster } from './cluster.ts'

const gatherMs = 50
const keysAMessage = 2000

/** Connections by address and by person. @see server/http/admission.ts */
export interface ElsewhereCounts {
  /** The total of all other nodes. */
  elsewhere(key: string): number
  /** Reports this node's new count. */
  changed(key: string, count: number): void
}

export class SharedCounts implements ElsewhereCounts {
  readonly #cluster: Cluster
  readonly #own = new Map<string, number>()
  readonly #changed = new Set<string>()
  readonly #ofNodes = new Map<string, Map<string, number>>()
  #timer: NodeJS.Timeout | null = null

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    cluster.onMessage((nodeId, message) => {
      if (message.kind !== 'counts') return
      const counts = this.#ofNodes.get(nodeId) ?? new Map<string, number>()
      this.#ofNodes.set(nodeId, counts)
      if (message.isAll) counts.clear()
      for (const [key, count] of message.counts) {
        if (count > 0) counts.set(key, count)
        else counts.delete(key)
      }
    })
    cluster.onGone((nodeId) => this.#ofNodes.delete(nodeId))
    cluster.onNewcomer(() => this.#tell([...this.#own], true))
  }

  elsewhere(key: string): number {
    let count = 0
    for (const counts of this.#ofNodes.values()) count += counts.get(key) ?? 0
    return count
  }

  changed(key: string, count: number): void {
    if (count > 0) this.#own.set(key, count)
    else this.#own.delete(key)
    this.#changed.add(key)
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      const changed = [...this.#changed]
      this.#changed.clear()
      this.#tell(
        changed.map((each) => [each, this.#own.get(each) ?? 0]),
        false,
      )
    }, gatherMs).unref()
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #tell(counts: [string, number][], isAll: boolean): void {
    let isFirst = isAll
    do {
      this.#cluster.say({ kind: 'counts', isAll: isFirst, counts: counts.splice(0, keysAMessage) })
      isFirst = false
    } while (counts.length > 0)
  }
}

/** Makes every try that one node counts count on all nodes. */
export function shareTries(cluster: Cluster, rates: RateLimits): void {
  const byName = new Map<string, RateLimit>(Object.entries(rates))
  for (const [limit, rate] of byName)
    rate.onChange((change, key) =>
      cluster.say({ kind: 'tried', limit, key, isBack: change === 'given back' }),
    )
  cluster.onMessage((_nodeId, message) => {
    if (message.kind === 'tried') byName.get(message.limit)?.heard(message.key, message.isBack)
  })
}
