// What goes to one socket. A client that does not read as fast as the room writes is first left out of presence,
// then of updates, so that it costs the server no more than what the kernel and one answer hold; when it reads
// again it gets one difference for all that it missed. One that stays behind is disconnected. Never throws.
import { CloseCode } from '../../../shared/protocol.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Socket } from '../ports.ts'

const MiB = 1024 * 1024
/** Unsent bytes beyond which a socket gets no presence, no updates, and is closed. */
const noPresenceBytes = 1 * MiB
const noUpdatesBytes = 2 * MiB
const mostUnsentBytes = 16 * MiB
const mostBehindMs = 30_000
/** A full state is large: a client that reads at this rate is slow but not stuck. */
const leastBytesPerMs = 64

type OutboxState =
  | { name: 'live' }
  /** Left out since `stateVector`; the timer ends it. */
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
  /** Bytes of full answers that the socket may still hold: they do not count as slowness. */
  #answerBytes = 0
  /** Something was written since this was last asked. */
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

  /** What the socket has not taken yet. */
  get unsentBytes(): number {
    return this.#state.name === 'closed' ? 0 : this.#socket.bufferedBytes
  }

  /** A full answer would only grow the heap now. */
  get isFull(): boolean {
    return this.#socket.bufferedBytes > noPresenceBytes
  }

  /** Whether something was written since the last call. */
  takeSpoke(): boolean {
    const spoke = this.#spoke
    this.#spoke = false
    return spoke
  }

  /** What this client must get whatever its pace: small, and rare. */
  send(frame: Buffer): void {
    if (this.#state.name === 'closed') return
    this.#spoke = true
    this.#write(frame)
    if (this.#socket.bufferedBytes > mostUnsentBytes + this.#answerBytes) this.#tooSlow()
  }

  /** A full state or a difference, in pieces. */
  answer(pieces: readonly Buffer[]): void {
    if (this.#state.name === 'closed') return
    this.#spoke = true
    if (this.#socket.bufferedBytes === 0) this.#answerBytes = 0
    for (const piece of pieces) this.#answerBytes += piece.length
    this.#write(...pieces)
  }

  /**
   * What everybody in the room gets.
   * @param frames the window's update, its presence, and both as one buffer where there are both.
   * @param stateVector of the document with the update in it; asked for when this socket falls behind.
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

  /** The socket has taken everything. @returns what it missed and is owed now. */
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

  /** A socket that throws is this client's problem, not the sender's. */
  #write(...pieces: readonly Buffer[]): void {
    try {
      this.#socket.write(...pieces)
    } catch (error) {
      this.#onFailure(error)
    }
  }

  #tooSlow(): void {
    this.#onTooSlow(CloseCode.tooSlow, 'reads too slowly; what was missed comes with the next connection')
  }
}

/** One window's frames, shared by all sockets. */
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
