// Detects updates whose structs crowd each other: for each of many structs at the same place, Yjs scans the others, even if
// all of them are valid and in one update. An estimate from the bytes clears nearly every update. The few suspicious ones
// get a dry run on a copy of the board in another thread, because only Yjs can tell their real cost.
import * as Y from 'yjs'
import type { Neighbours } from './conflicts.ts'
import type { Place } from './placement.ts'
import { type DryRunLimits, defaultDryRunLimits } from './verdict.ts'

/** Counts structs per place while an update is read. */
export class Crowds {
  readonly #isCounting: boolean
  readonly #claims = new Set<number>()
  #structs = 0
  /** Structs whose place is also claimed by another one of this update or of the board. */
  #contested = 0

  constructor(updateBytes: number, minBytes: number) {
    this.#isCounting = updateBytes > minBytes
  }

  /**
   * @param place a hash of the struct's place.
   * @param isContested whether the board has structs between its origins.
   */
  add(place: number, isContested: boolean): void {
    if (!this.#isCounting) return
    this.#structs++
    if (isContested || this.#claims.has(place)) this.#contested++
    else this.#claims.add(place)
  }

  /** An upper bound of the steps of all searches, usually far above what Yjs takes. */
  get mostSteps(): number {
    return this.#contested * this.#structs
  }

  get structs(): number {
    return this.#structs
  }
}

/** A hash of what a struct is placed after. A collision only makes places look crowded. */
export function placeNumber(
  { originClient, originClock, rightClient }: Neighbours,
  { anchorClient, anchorClock }: Place,
  root: string | null,
  key: Uint8Array,
): number {
  if (originClient >= 0) return originClient * 2_097_169 + originClock
  // At the front of a list that only the right origin identifies: all of these count as one place.
  if (rightClient >= 0) return -1
  let hash = root === null ? anchorClient * 2_097_169 + anchorClock : root.length
  for (const byte of key) hash = (hash * 31 + byte) % 4_294_967_291
  return -2 - hash
}

class TakesTooLong extends Error {}

/** An update and the board to which it would be applied. */
export interface DryRunQuestion {
  snapshot: Uint8Array | null
  updates: readonly Uint8Array[]
  update: Uint8Array
  structs: number
  /** Default: 400 ms plus 5 µs per struct. */
  trial?: DryRunLimits | undefined
}

export interface DryRunAnswer {
  isTooCrowded: boolean
  /** The duration, including the copy. */
  ms: number
}

/**
 * Applies an update to a copy of the board, and stops if that takes disproportionately long.
 * @throws Error if the board lacks something that the update depends on
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
  // Yjs can only be stopped between structs. Nothing else runs in this thread meanwhile.
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
