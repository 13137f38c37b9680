// Writes to one socket. A client that reads more slowly than the room writes first gets no presence and then no updates,
// so that it costs no more memory than the kernel's buffer and one answer. When it reads again, it gets one difference
// with everything it missed. A client that stays behind is disconnected. Never throws.
import { CloseCode } from '../../../shared/protocol.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Socket } from '../ports.ts'

const MiB = 1024 * 1024
/** Unsent bytes above which a socket gets no presence, gets no updates, and is closed. */
const noPresenceBytes = 1 * MiB
const noUpdatesBytes = 2 * MiB
const mostUnsentBytes = 16 * MiB
const mostBehindMs = 30_000
/** A client that reads a full state at this rate is slow but not stuck. */
const leastBytesPerMs = 64

type OutboxState =
  | { name: 'live' }
  /** Got no updates since `stateVector`; when the timer fires, it is closed. */
  | { name: 'behind'; stateVector: Uint8Array; timer: Timer }
  | { name: 'closed' }

export class Outbox {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #onBehind: () => void
  readonly #onTooSlow: (code: CloseCode, reason: string) => void
  readonly #onFailure: (error: unknown) => void
  #state: OutboxState = { name: 'live' }
  #missedPresence = false
  /** Bytes of full answers that may still be unsent: they do not mean that the client is slow. */
  #answerBytes = 0
  /** Whether something was written since the last `takeSpoke`. */
  #spoke = false

  constructor(options: {
    socket: Socket
    clock: Clock
    onBehind: () => void
    onTooSlow: (code: CloseCode, reason: string) => void
    onFailure: (error: unknown) => void
  }) {
    this.#onFailure = options.onFailure
    this.#socket = options.socket
    this.#clock = options.clock
    this.#onBehind = options.onBehind
    this.#onTooSlow = options.onTooSlow
  }

  get isBehind(): boolean {
    return this.#state.name === 'behind'
  }

  /** Bytes that the kernel has not taken yet. */
  get unsentBytes(): number {
    return this.#state.name === 'closed' ? 0 : this.#socket.bufferedBytes
  }

  /** Whether a full answer would only fill the heap now. */
  get isFull(): boolean {
    return this.#socket.bufferedBytes > noPresenceBytes
  }

  /** Whether something was written since the last call. */
  takeSpoke(): boolean {
    const spoke = this.#spoke
    this.#spoke = false
    return spoke
  }

  /** Writes a small, rare message that the client must get even if it is slow. */
  send(frame: Buffer): void {
    if (this.#state.name === 'closed') return
    this.#spoke = true
    this.#write(frame)
    if (this.#socket.bufferedBytes > mostUnsentBytes + this.#answerBytes) this.#tooSlow()
  }

  /** Writes a full state or a difference, in pieces. */
  answer(pieces: readonly Buffer[]): void {
    if (this.#state.name === 'closed') return
    this.#spoke = true
    if (this.#socket.bufferedBytes === 0) this.#answerBytes = 0
    for (const piece of pieces) this.#answerBytes += piece.length
    this.#write(...pieces)
  }

  /**
   * Writes what everybody in the room gets.
   * @param stateVector of the document including the update; called if this socket falls behind.
   */
  deliver(frames: Delivery, stateVector: () => Uint8Array): void {
    if (this.#state.name !== 'live') {
      this.#missedPresence ||= frames.presence !== null
      return
    }
    const unsent = this.#socket.bufferedBytes
    let frame = frames.whole
    if (unsent > noPresenceBytes && frames.presence !== null) {
      this.#missedPresence = true
      frame = frames.update
    }
    if (frame === null) return
    this.#spoke = true
    this.#write(frame)
    if (frames.update === null || unsent + frame.length <= noUpdatesBytes) return
    if (this.#socket.bufferedBytes <= noUpdatesBytes) return
    this.#onBehind()
    const patienceMs = mostBehindMs + this.#answerBytes / leastBytesPerMs
    const timer = this.#clock.after(patienceMs, () => this.#tooSlow())
    this.#state = { name: 'behind', stateVector: stateVector(), timer }
  }

  /** The kernel has taken everything. @returns what the client missed and should get now. */
  drained(): { since: Uint8Array | null; presence: boolean } {
    this.#answerBytes = 0
    const presence = this.#missedPresence
    this.#missedPresence = false
    if (this.#state.name !== 'behind') return { since: null, presence }
    const { stateVector, timer } = this.#state
    timer.cancel()
    this.#state = { name: 'live' }
    return { since: stateVector, presence }
  }

  close(): void {
    if (this.#state.name === 'behind') this.#state.timer.cancel()
    this.#state = { name: 'closed' }
  }

  /** An error of this socket must not reach whoever caused the write. */
  #write(...pieces: readonly Buffer[]): void {
    try {
      this.#socket.write(...pieces)
    } catch (error) {
      this.#onFailure(error)
    }
  }

  #tooSlow(): void {
    this.#onTooSlow(CloseCode.tooSlow, 'reads too slowly; reconnect to get what was missed')
  }
}

/** The frames of one window, shared by all sockets. */
export interface Delivery {
  update: Buffer | null
  presence: Buffer | null
  /** The update and the presence in one buffer, so that a socket is written to once. */
  whole: Buffer | null
}

export const deliveryOf = (update: Buffer | null, presence: Buffer | null): Delivery => ({
  update,
  presence,
  whole: update !== null && presence !== null ? Buffer.concat([update, presence]) : (update ?? presence),
})
