// Folds a log into a snapshot, and packs a state as a version. Pure, but slow on large boards, so it runs in the worker
// thread (fold-worker.ts).
import { createHash } from 'node:crypto'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import * as Y from 'yjs'
import { applyAll, documentOf, hasPending } from './content.ts'
import { mayHaveLostMuch, statesBeforeRemovals } from './removals.ts'
import { searchKeyIn } from './texts.ts'

export interface Folded {
  /** Yjs v1, complete on its own: nothing pending, and a probe edit on it works. */
  state: Uint8Array
  checksum: Uint8Array
  /** Indices in `updates` of those with missing dependencies, which must stay in the log. */
  keptBack: number[]
  /** The same state as a version, if requested. */
  version: Uint8Array | null
  /** Versions from before much of the board was removed, with their times (ms since 1970), oldest first. */
  beforeRemovals: { version: Uint8Array; at: number }[]
  /** The texts on the board, for searching. */
  searchKey: string
}

/**
 * SHA-256 of a stored state. It is native and fast enough (0.6 ms per MiB) to check at every load; CRC-32 is twice as
 * fast, but four bytes are too few for millions of boards.
 */
export const checksumOf = (state: Uint8Array): Uint8Array => createHash('sha256').update(state).digest()

/**
 * Folds log updates into a snapshot by applying them; `Y.mergeUpdates` is quadratic in their number.
 * @param times of the updates, ms since 1970
 * @throws Error if the bytes cannot be applied or the result cannot be edited; nothing may be written then.
 */
export function fold(
  snapshot: Uint8Array | null,
  updates: readonly Uint8Array[],
  withVersion = false,
  times: readonly number[] = [],
): Folded {
  let keptBack = new Set<number>()
  let doc = apply(snapshot, updates, keptBack)
  while (hasPending(doc)) {
    const dangling = danglingIn(doc, updates)
    if (keptBack.size + dangling.length >= updates.length || dangling.length === 0 || keptBack.size > 0) {
      keptBack = new Set(updates.keys())
      doc = apply(snapshot, updates, keptBack)
      if (hasPending(doc)) throw new Error('the snapshot depends on edits that it does not contain')
      break
    }
    keptBack = new Set(dangling)
    doc = apply(snapshot, updates, keptBack)
  }
  const state = Y.encodeStateAsUpdate(doc)
  probe(state)
  const formerStates = mayHaveLostMuch(doc) ? statesBeforeRemovals(snapshot, updates, times) : []
  return {
    state,
    checksum: checksumOf(state),
    keptBack: [...keptBack],
    version: withVersion ? packedOf(doc) : null,
    beforeRemovals: formerStates.map(({ state: former, at }) => ({ version: pack(former), at })),
    searchKey: searchKeyIn(doc),
  }
}

/**
 * A board's rows as one Yjs v1 state for display only, at half the cost of a fold, which also tests its result.
 * Updates with missing dependencies are left out. @throws Error if the bytes cannot be applied
 */
export function joined(snapshot: Uint8Array | null, updates: readonly Uint8Array[]): Uint8Array {
  const doc = apply(snapshot, updates, new Set())
  doc.store.pendingStructs = null
  doc.store.pendingDs = null
  return Y.encodeStateAsUpdate(doc)
}

function apply(snapshot: Uint8Array | null, updates: readonly Uint8Array[], left: Set<number>): Y.Doc {
  const doc = documentOf(snapshot)
  applyAll(doc, left.size === 0 ? updates : updates.filter((_, at) => !left.has(at)))
  return doc
}

/** The updates that contain more than the document could apply. */
function danglingIn(doc: Y.Doc, updates: readonly Uint8Array[]): number[] {
  const clocks = Y.decodeStateVector(Y.encodeStateVector(doc))
  const isKnown = (client: number, end: number) => end <= (clocks.get(client) ?? 0)
  const isTakenIn = (update: Uint8Array): boolean => {
    const { structs, ds } = Y.decodeUpdate(update)
    return (
      structs.every((struct) => isKnown(struct.id.client, struct.id.clock + struct.length)) &&
      [...ds.clients].every(([client, ranges]) =>
        ranges.every(({ clock, len }) => isKnown(client, clock + len)),
      )
    )
  }
  return [...updates.keys()].filter((at) => !isTakenIn(updates[at] ?? new Uint8Array()))
}

/**
 * An edit on a scratch copy must produce an update; otherwise all later edits would be lost.
 * @throws Error if it does not.
 */
export function probe(state: Uint8Array): void {
  const doc = documentOf(state)
  if (hasPending(doc)) throw new Error('the state depends on edits that it does not contain')
  let emitted = false
  doc.on('update', () => {
    emitted = true
  })
  doc.getMap(`probe ${doc.guid}`).set('edit', 1)
  if (!emitted) throw new Error('an edit on the state produced no update')
}

// Version 2 of the encoding and brotli at 4: a third of gzip of version 1 at the same time (see docs/decisions.md).
const packedOf = (doc: Y.Doc): Uint8Array => compressed(Y.encodeStateAsUpdateV2(doc))

const compressed = (bytes: Uint8Array): Uint8Array =>
  brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  })

/** A Yjs v1 state as versions are stored: encoding V2, brotli. */
export const pack = (state: Uint8Array): Uint8Array => compressed(Y.convertUpdateFormatV1ToV2(state))

/** The result of `pack` as Yjs v1. @throws Error if the bytes are something else. */
export const unpack = (packed: Uint8Array): Uint8Array =>
  Y.convertUpdateFormatV2ToV1(brotliDecompressSync(packed))
