// What is remembered of edits that came in under the client id of somebody who was away: whose they are said to be,
// who brought them, and which clocks. The owner's own copy is compared with them when it comes back.
import * as Y from 'yjs'
import type { Author, Relay } from '../ports.ts'

/** Runs of one client id by different bringers; what comes beyond joins the last run, as brought by several. */
const mostRuns = 16
const several = 'several'

export interface Clocks {
  readonly clientId: number
  readonly fromClock: number
  readonly toClock: number
}

/** The relays of one board, by client id. At most 16 runs each, in the order of their clocks, without holes. */
export class Relays {
  readonly #runs = new Map<number, Relay[]>()

  constructor(authors: readonly Author[]) {
    for (const { clientId, relays } of authors)
      if (relays !== undefined && relays.length > 0) this.#runs.set(clientId, [...relays])
  }

  get isEmpty(): boolean {
    return this.#runs.size === 0
  }

  clientIds(): Iterable<number> {
    return this.#runs.keys()
  }

  of(clientId: number): readonly Relay[] {
    return this.#runs.get(clientId) ?? []
  }

  /** The clocks of `clientId` that its owner has not shown yet. */
  range(clientId: number): Clocks | null {
    const runs = this.of(clientId)
    const [first, last] = [runs[0], runs.at(-1)]
    return first === undefined || last === undefined
      ? null
      : { clientId, fromClock: first.fromClock, toClock: last.toClock }
  }

  /** Who brought the clocks in. */
  bringersOf({ clientId, fromClock, toClock }: Clocks): string[] {
    const runs = this.of(clientId).filter((run) => run.fromClock < toClock && run.toClock > fromClock)
    return [...new Set(runs.map((run) => run.by))]
  }

  /** @returns whether this is the beginning of a run: the same bringer going on is no news. */
  add(by: string, { clientId, fromClock, toClock }: Clocks): boolean {
    const runs = this.#runs.get(clientId) ?? []
    this.#runs.set(clientId, runs)
    const last = runs.at(-1)
    if (last !== undefined && (last.by === by || runs.length >= mostRuns)) {
      const isNews = last.by !== by && last.by !== several
      if (isNews) last.by = several
      last.toClock = toClock
      return isNews
    }
    runs.push({ by, fromClock, toClock })
    return true
  }

  replace(clientId: number, relays: readonly Relay[]): void {
    if (relays.length > 0) this.#runs.set(clientId, structuredClone([...relays]))
    else this.#runs.delete(clientId)
  }

  forget(clientId: number): void {
    this.#runs.delete(clientId)
  }
}

/**
 * A state vector that does not know of relayed clocks, so that the answer includes them.
 * @param stateVector encoded; not changed.
 */
export function withoutRelayed(stateVector: Uint8Array, relayed: readonly Clocks[]): Uint8Array {
  if (relayed.length === 0) return stateVector
  const clocks = Y.decodeStateVector(stateVector)
  for (const { clientId, fromClock } of relayed) {
    const clock = clocks.get(clientId)
    if (clock !== undefined && clock > fromClock) clocks.set(clientId, fromClock)
  }
  return Y.encodeStateVector(clocks)
}
