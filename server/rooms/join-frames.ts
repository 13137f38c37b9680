// What a joining client gets: one sync step 2 with the full state, encoded once for everybody who asks before the next edit.
// Until the first edit, it is the stored bytes, without a copy.
//
// Step 2 makes a client "synced", so it must contain everything that is on the board at that moment. If a large board is
// being edited, those who ask wait together for the next encoding.
import * as Y from 'yjs'
import { SyncStep } from '../../shared/protocol.ts'
import type { Clock, Timer } from './clock.ts'
import type { BoardDocument } from './document.ts'
import { syncFrame, syncHead } from './frames.ts'

/** The most time spent on encoding a board that is edited while many join: 4 MB every 0.15 s. */
const mostEncodingShare = 0.2
const mostDifferences = 8
const mostDifferenceBytes = 1024 * 1024

const emptyUpdate = Uint8Array.of(0, 0)

const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

/** Takes the pieces of one frame. */
export type TakePieces = (pieces: readonly Buffer[]) => void

export class JoinFrames {
  readonly #document: BoardDocument
  readonly #clock: Clock
  /** The full state, until the next edit, so that an edited board that nobody joins has no second copy. */
  #state: Buffer | null
  /** Those who wait for the next encoding. */
  #waiting: TakePieces[] = []
  #timer: Timer | null = null
  /** The earliest time for the next encoding. */
  #encodeAgainAt = Number.NEGATIVE_INFINITY
  /** Answers by state vector, until the next edit: after a restart, all clients come back with the same one. */
  readonly #differences = new Map<string, Buffer>()

  constructor(document: BoardDocument, clock: Clock) {
    this.#document = document
    this.#clock = clock
    const { stored } = document
    this.#state = stored?.updates.length === 0 ? bufferOf(stored.snapshot ?? emptyUpdate) : null
  }

  /** Whether `whole` may be called: the stored bytes are the full state, or there is a document. */
  get isReady(): boolean {
    return this.#state !== null || this.#document.doc !== null
  }

  /** The document has changed: discards what was encoded before. */
  changed(): void {
    this.#state = null
    this.#differences.clear()
  }

  /** Calls `take` with the full state as one step 2 in pieces: now, or when it may be encoded again. */
  whole(take: TakePieces): void {
    if (this.#state === null && this.#timer === null) {
      const waitMs = this.#encodeAgainAt - this.#clock.now()
      if (waitMs > 0) this.#timer = this.#clock.after(waitMs, () => this.#serve())
      else this.#encode()
    }
    if (this.#state === null) this.#waiting.push(take)
    else take(piecesOf(this.#state))
  }

  /** What a client with `stateVector` lacks, as the frame of a step 2 or an update. */
  difference(doc: Y.Doc, stateVector: Uint8Array, step: number): Buffer {
    const key = `${step}${bufferOf(stateVector).toString('latin1')}`
    const kept = this.#differences.get(key)
    if (kept !== undefined) return kept
    const frame = syncFrame(step, Y.encodeStateAsUpdate(doc, stateVector))
    if (frame.length <= mostDifferenceBytes && this.#differences.size < mostDifferences)
      this.#differences.set(key, frame)
    return frame
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#waiting = []
  }

  #serve(): void {
    this.#timer = null
    const pieces = piecesOf(this.#state ?? this.#encode())
    for (const take of this.#waiting.splice(0)) take(pieces)
  }

  #encode(): Buffer {
    const { doc } = this.#document
    const startedAt = this.#clock.now()
    const state = bufferOf(doc === null ? emptyUpdate : this.#document.encode(doc))
    const endedAt = this.#clock.now()
    this.#encodeAgainAt = endedAt + (endedAt - startedAt) / mostEncodingShare
    this.#state = state
    return state
  }
}

/** A step 2 with `state`, which is not copied. */
const piecesOf = (state: Buffer): Buffer[] => [syncHead(SyncStep.step2, state.length), state]
