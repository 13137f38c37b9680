// What a joining client gets: one state, encoded once, and the frames that everybody got after it. While nobody
// writes, the state is the stored bytes themselves, never copied.
//
// What makes a client «synced» is step 2. It holds the whole state where encoding that anew is cheap for how often it
// is done; where it is not, the kept state goes out as an update, the frames after it follow, and an empty step 2
// comes last: synced always means that everything is there.
import * as Y from 'yjs'
import { SyncStep } from '../../shared/protocol.ts'
import type { Clock } from './clock.ts'
import type { BoardDocument } from './document.ts'
import { syncFrame, syncHead } from './frames.ts'

/** Bytes and frames after which encoding the state anew is cheaper for everybody than sending the tail. */
const leastTailBytes = 256 * 1024
const mostTailFrames = 1000
/** A large board that is edited while many join is encoded anew for at most this share of the time. */
const mostEncodingShare = 0.05
const mostDifferences = 8
const mostDifferenceBytes = 1024 * 1024

const emptyUpdate = Uint8Array.of(0, 0)
const syncedFrame = syncFrame(SyncStep.step2, emptyUpdate)

const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

export class JoinFrames {
  readonly #document: BoardDocument
  #state: Buffer | null
  #tail: Buffer[] = []
  #tailFrames = 0
  #tailBytes = 0
  readonly #clock: Clock
  /** From here on the state may be encoded anew. */
  #encodeAgainAt = Number.NEGATIVE_INFINITY
  /** Answers to those who come back with the same state vector, as all do after a restart. Until the next update. */
  readonly #differences = new Map<string, Buffer>()

  constructor(document: BoardDocument, clock: Clock) {
    this.#document = document
    this.#clock = clock
    const { stored } = document
    this.#state = bufferOf(stored?.snapshot ?? emptyUpdate)
    for (const update of stored?.updates ?? []) this.append(syncFrame(SyncStep.update, update))
  }

  /** @param frame an update that everybody in the room gets; belongs to what a joiner gets from here on. */
  append(frame: Buffer): void {
    this.#differences.clear()
    if (this.#state === null) return
    this.#tail.push(frame)
    this.#tailFrames++
    this.#tailBytes += frame.length
    if (this.#document.doc === null) return
    if (
      this.#tailFrames <= mostTailFrames &&
      this.#tailBytes <= Math.max(leastTailBytes, this.#state.length / 8)
    )
      return
    // A board that is written to and not joined keeps no second copy of itself.
    this.#state = null
    this.#tail = []
  }

  /** The whole state as frames in pieces, `synced` last. */
  whole(): Buffer[] {
    const isWorthIt =
      this.#tailFrames > 0 && this.#document.doc !== null && this.#clock.now() >= this.#encodeAgainAt
    const state = this.#state === null || isWorthIt ? this.#encode() : this.#state
    if (this.#tailFrames === 0) return [syncHead(SyncStep.step2, state.length), state]
    if (this.#tail.length > 1) this.#tail = [Buffer.concat(this.#tail)]
    return [syncHead(SyncStep.update, state.length), state, ...this.#tail, syncedFrame]
  }

  /** What a client with `stateVector` lacks, as the frame of a step 2 or of an update. */
  difference(doc: Y.Doc, stateVector: Uint8Array, step: number): Buffer {
    const key = `${step}${bufferOf(stateVector).toString('latin1')}`
    const kept = this.#differences.get(key)
    if (kept !== undefined) return kept
    const frame = syncFrame(step, Y.encodeStateAsUpdate(doc, stateVector))
    if (frame.length <= mostDifferenceBytes && this.#differences.size < mostDifferences)
      this.#differences.set(key, frame)
    return frame
  }

  #encode(): Buffer {
    const { doc } = this.#document
    const startedAt = this.#clock.now()
    const state = bufferOf(doc === null ? emptyUpdate : this.#document.encode(doc))
    const endedAt = this.#clock.now()
    this.#encodeAgainAt = endedAt + (endedAt - startedAt) / mostEncodingShare
    this.#state = state
    this.#tail = []
    this.#tailFrames = 0
    this.#tailBytes = 0
    return state
  }
}
