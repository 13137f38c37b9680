// When the presence of one room is sent: the newest states of everyone who moved leave as one frame, immediately after a
// pause and otherwise every 20 ms, or together with an update that is sent anyway.
import type { Clock, Timer } from '../clock.ts'
import { awarenessFrame } from '../frames.ts'
import type { PresenceEntry } from '../nodes/messages.ts'
import { Awareness } from './awareness.ts'
import type { Speaker } from './speaker.ts'

const windowMs = 20

export class Presence {
  readonly #awareness: Awareness
  readonly #clock: Clock
  readonly #onDue: (frame: Buffer) => void
  readonly #windowMs: number
  readonly #tell: ((entries: PresenceEntry[]) => void) | undefined
  /** The least time between two frames, so that no client exceeds its rate. */
  readonly #leastMs: number
  #sentAt = Number.NEGATIVE_INFINITY
  #timer: Timer | null = null

  /** @param options.perSecond the most states sent per second and client; more are coalesced. */
  constructor(options: {
    clock: Clock
    perSecond: number
    onDue: (frame: Buffer) => void
    onIgnored: () => void
    /** Sends the entries of this node to other nodes. */
    tell?: ((entries: PresenceEntry[]) => void) | undefined
  }) {
    this.#tell = options.tell
    this.#awareness = new Awareness(options.onIgnored)
    this.#clock = options.clock
    this.#onDue = options.onDue
    this.#leastMs = 1000 / options.perSecond
    this.#windowMs = Math.max(windowMs, this.#leastMs)
  }

  /** @see Awareness.receive */
  receive(speaker: Speaker, update: Uint8Array, onOutdated: (farewell: Uint8Array) => void): boolean {
    const isSound = this.#awareness.receive(speaker, update, onOutdated)
    this.#moved()
    return isSound
  }

  leave(speaker: Speaker): void {
    this.#awareness.leave(speaker)
    this.#moved()
  }

  /** @see Awareness.receiveRemote */
  receiveRemote(nodeId: string, entries: readonly PresenceEntry[], isNews: boolean): void {
    this.#awareness.receiveRemote(nodeId, entries, isNews)
    this.#moved()
  }

  remoteLeft(nodeId: string): void {
    this.#awareness.remoteLeft(nodeId)
    this.#moved()
  }

  /** @see Awareness.own */
  own(withGone: boolean): PresenceEntry[] {
    return this.#awareness.own(withGone)
  }

  isElsewhere(principalKey: string): boolean {
    return this.#awareness.isElsewhere(principalKey)
  }

  speakerOf(clientId: number): string | null {
    return this.#awareness.speakerOf(clientId)
  }

  everyone(): Uint8Array[] {
    return this.#awareness.everyone()
  }

  everyoneAndFarewells(): Uint8Array[] {
    return this.#awareness.everyoneAndFarewells()
  }

  /** The frame that is due or waiting, for a write that happens anyway; null if there is none or it is too soon. */
  takeAlong(): Buffer | null {
    if (!this.#awareness.hasNews || this.#clock.now() - this.#sentAt < this.#leastMs) return null
    return this.#take()
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #moved(): void {
    if (!this.#awareness.hasNews || this.#timer !== null) return
    const pauseMs = this.#clock.now() - this.#sentAt
    if (pauseMs >= this.#windowMs) this.#send()
    else this.#timer = this.#clock.after(this.#windowMs - pauseMs, () => this.#send())
  }

  #send(): void {
    const frame = this.#take()
    if (frame !== null) this.#onDue(frame)
  }

  #take(): Buffer | null {
    this.close()
    const news = this.#awareness.takeNews(this.#tell)
    if (news.length === 0) return null
    this.#sentAt = this.#clock.now()
    return awarenessFrame(news)
  }
}
