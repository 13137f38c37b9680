// What a joining client gets: one step 2 that holds everything, encoded once for all who ask before the next edit.
// While nobody writes it is the stored bytes themselves, never copied.
//
// What makes a client "synced" is step 2, so nothing of the board may come after it that was there before: whoever
// asks while a large board is written to waits for the next encoding, together with all who ask meanwhile.
import * as Y from 'yjs'
import { SyncStep } from '../../shared/protocol.ts'
import type { Clock, Timer } from './clock.ts'
import type { BoardDocument } from './document.ts'
import { syncFrame, syncHead } from './frames.ts'

/** A board that is edited while many join is encoded for at most this share of the time: 4 MB every 0.15 s. */
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
  /** The whole state, until the next edit: a board that is written to and not joined keeps no second copy of itself. */
  #state: Buffer | null
  /** Who waits for the next encoding. */
  #waiting: TakePieces[] = []
  #timer: Timer | null = null
  /** From here on the state may be encoded anew. */
  #encodeAgainAt = Number.NEGATIVE_INFINITY
  /** Answers to those who come back with the same state vector, as all do after a restart. Until the next edit. */
  readonly #differences = new Map<string, Buffer>()

  constructor(document: BoardDocument, clock: Clock) {
    this.#document = document
    this.#clock = clock
    const { stored } = document
    this.#state = stored?.updates.length === 0 ? bufferOf(stored.snapshot ?? emptyUpdate) : null
  }

  /** Whether `whole` can be asked: the stored bytes are everything, or there is a document. */
  get isReady(): boolean {
    return this.#state !== null || this.#document.doc !== null
  }

  /** The document has changed: what was encoded before is of no use. */
  changed(): void {
    this.#state = null
    this.#differences.clear()
  }

  /** Gives `take` the whole state as one step 2 in pieces: at once, or when it may be encoded again. */
  whole(take: TakePieces): void {
    if (this.#state === null && this.#timer === null) {
      const waitMs = this.#encodeAgainAt - this.#clock.now()
      if (waitMs > 0) this.#timer = this.#clock.after(waitMs, () => this.#serve())
      else this.#encode()
    }
    if (this.#state === null) this.#waiting.push(take)
    else take(piecesOf(this.#state))
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

/** A step 2 around `state`, which is not copied. */
const piecesOf = (state: Buffer): Buffer[] => [syncHead(SyncStep.step2, state.length), state]
