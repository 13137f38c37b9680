import { BoardroomError } from '../errors.ts'
import { type Actor, type Identity, principalKey } from '../principal.ts'
import { addressKey } from './addresses.ts'

export interface StreamLimits {
  /** In total. */
  most: number
  /** Per known asker, so that nobody takes up the places of others. */
  mostOfOne: number
  /** Per address, not counting accounts: an anonymous person is a new principal each time, and one link creates many guests. */
  mostOfAddress: number
}

/** Limits open event streams in total, per asker and per address, because each holds a socket and timers. */
export class StreamCount {
  readonly #limits: StreamLimits
  readonly #open = new Map<string, number>()
  #all = 0

  constructor(limits: StreamLimits) {
    this.#limits = limits
  }

  /** @returns a function to call once, when the stream ends. @throws BoardroomError too_many_requests */
  enter(identity: Identity, actor: Pick<Actor, 'ip'>): () => void {
    const { most, mostOfOne, mostOfAddress } = this.#limits
    const asker = principalKey(identity.principal)
    // People with an account are counted by it, so that strangers behind the same address do not affect them.
    const isKnown = identity.principal.kind === 'user'
    const address = `address:${addressKey(actor.ip)}`
    const counted = isKnown ? [asker] : [asker, address]
    if (this.#all >= most || this.#of(asker) >= mostOfOne)
      throw new BoardroomError('too_many_requests', 'too many event streams are open; close some', {
        details: { limit: 'event_streams' },
      })
    if (!isKnown && this.#of(address) >= mostOfAddress) {
      throw new BoardroomError(
        'too_many_requests',
        `your address has reached the limit of ${mostOfAddress} open event streams; close some`,
        { details: { limit: 'event_streams_per_address' } },
      )
    }
    this.#all += 1
    for (const key of counted) this.#open.set(key, this.#of(key) + 1)
    return () => {
      this.#all -= 1
      for (const key of counted) {
        const left = this.#of(key) - 1
        if (left > 0) this.#open.set(key, left)
        else this.#open.delete(key)
      }
    }
  }

  #of(key: string): number {
    return this.#open.get(key) ?? 0
  }
}
