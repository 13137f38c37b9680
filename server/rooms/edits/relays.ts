// Edits that others sent under the client id of somebody who was away: who sent which clocks. They are compared with the
// owner's own copy when it comes back.
import * as Y from 'yjs'
import type { Author, Relay } from '../ports.ts'

/** Runs of one client id by different senders; further ones are added to the last run, as sent by several. */
const mostRuns = 16
const several = 'several'

export interface Clocks {
  readonly clientId: number
  readonly fromClock: number
  readonly toClock: number
}

/** The relays of one board, by client id. At most 16 runs each, in the order of their clocks, without gaps. */
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

  /** Who sent the clocks. */
  sendersOf({ clientId, fromClock, toClock }: Clocks): string[] {
    const runs = this.of(clientId).filter((run) => run.fromClock < toClock && run.toClock > fromClock)
    return [...new Set(runs.map((run) => run.by))]
  }

  /** @returns whether this starts a new run; more from the same sender does not. */
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
 * A state vector without the relayed clocks, so that the answer to it includes them.
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
