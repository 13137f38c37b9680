// The presence of one room in time: the newest states of everyone who moved leave as one frame, at once after a pause
// and otherwise every 20 ms, or together with an update that goes out anyway.

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
  /** Nobody's states leave more often than this. */
  readonly #leastMs: number
  #sentAt = Number.NEGATIVE_INFINITY
  #timer: Timer | null = null

  /** @param options.perSecond how many states of one client may leave in a second; what is more is coalesced. */
  constructor(options: {
    clock: Clock
    perSecond: number
    onDue: (frame: Buffer) => void
    onIgnored: () => void
    /** Tells other nodes of those who are here. */
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

  /** @see Awareness.hearRemote */
  hearRemote(nodeId: string, entries: readonly PresenceEntry[], isNews: boolean): void {
    this.#awareness.hearRemote(nodeId, entries, isNews)
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

  /** What waits, for a write that happens anyway; null where nothing does, or it would be too soon. */
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
