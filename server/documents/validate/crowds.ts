// Whether the structs of one update might crowd each other: many that claim the same place are each searched past the
// others, also where all of them are valid and come together. An estimate over the bytes lets nearly every update
// pass; the few that it suspects are tried on a copy of the board in another thread, because only Yjs knows what they
// really cost.
import * as Y from 'yjs'
import type { Neighbours } from './conflicts.ts'
import type { Place } from './placement.ts'
import { type DryRunLimits, defaultDryRunLimits } from './verdict.ts'

/** Counts claims of places while an update is read. */
export class Crowds {
  readonly #isCounting: boolean
  readonly #claims = new Set<number>()
  #structs = 0
  /** Structs that claim a place which another one of this update, or of the board, claims too. */
  #contested = 0

  constructor(updateBytes: number, minBytes: number) {
    this.#isCounting = updateBytes > minBytes
  }

  /**
   * @param place a number for what the struct is put behind: the same for the same place, and rarely for others.
   * @param isContested whether the board holds something between its neighbours.
   */
  add(place: number, isContested: boolean): void {
    if (!this.#isCounting) return
    this.#structs++
    if (isContested || this.#claims.has(place)) this.#contested++
    else this.#claims.add(place)
  }

  /** The most that the searches may take, in steps: more than Yjs takes, mostly by far. */
  get mostSteps(): number {
    return this.#contested * this.#structs
  }

  get structs(): number {
    return this.#structs
  }
}

/** What a struct is put behind, as a number. Places may share one, which only makes them look crowded. */
export function placeNumber(
  { originClient, originClock, rightClient }: Neighbours,
  { anchorClient, anchorClock }: Place,
  root: string | null,
  key: Uint8Array,
): number {
  if (originClient >= 0) return originClient * 2_097_169 + originClock
  // The front of a list that only the right neighbour knows: all such are taken for one.
  if (rightClient >= 0) return -1
  let hash = root === null ? anchorClient * 2_097_169 + anchorClock : root.length
  for (const byte of key) hash = (hash * 31 + byte) % 4_294_967_291
  return -2 - hash
}

class TakesTooLong extends Error {}

/** An update and the board that it is meant for. */
export interface DryRunQuestion {
  snapshot: Uint8Array | null
  updates: readonly Uint8Array[]
  update: Uint8Array
  structs: number
  /** Default: 400 ms and 5 µs a struct. */
  trial?: DryRunLimits | undefined
}

export interface DryRunAnswer {
  isTooCrowded: boolean
  /** What it took, the copy included. */
  ms: number
}

/**
 * Integrates an update into a copy of the board and stops where that takes out of proportion long.
 * @throws Error where the board lacks what the update rests on
 */
export function dryRun({
  snapshot,
  updates,
  update,
  structs,
  trial = defaultDryRunLimits,
}: DryRunQuestion): DryRunAnswer {
  const startedAt = performance.now()
  const copy = new Y.Doc()
  copy.transact(() => {
    if (snapshot !== null) Y.applyUpdate(copy, snapshot)
    for (const stored of updates) Y.applyUpdate(copy, stored)
  })
  try {
    const isTooCrowded = takesTooLong(copy, update, trial.ms + trial.msPerStruct * structs)
    if (!isTooCrowded && (copy.store.pendingStructs !== null || copy.store.pendingDs !== null))
      throw new Error('the board that was stored lacks what the update rests on')
    return { isTooCrowded, ms: performance.now() - startedAt }
  } finally {
    copy.destroy()
  }
}

function takesTooLong(copy: Y.Doc, update: Uint8Array, maxMs: number): boolean {
  const { prototype } = Y.Item
  const { integrate } = prototype
  const deadline = performance.now() + maxMs
  // Between the structs is the only place where Yjs can be stopped. Nothing else runs meanwhile.
  prototype.integrate = function (transaction, offset) {
    if (performance.now() > deadline) throw new TakesTooLong()
    integrate.call(this, transaction, offset)
  }
  try {
    Y.applyUpdate(copy, update)
    return false
  } catch (error) {
    if (error instanceof TakesTooLong) return true
    throw error
  } finally {
    prototype.integrate = integrate
  }
}
