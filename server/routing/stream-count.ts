import { BoardroomError } from '../errors.ts'
import { type Actor, type Identity, principalKey } from '../principal.ts'
import { addressKey } from './addresses.ts'

export interface StreamLimits {
  /** In all. */
  most: number
  /** Of one known asker, so that nobody takes the places of the others. */
  mostOfOne: number
  /** Of one address, accounts left out: anonymous people are somebody new each time, and one link makes many guests. */
  mostOfAddress: number
}

/** Open event streams, in all, of each asker and of each address: each holds a socket and timers. */
export class StreamCount {
  readonly #limits: StreamLimits
  readonly #open = new Map<string, number>()
  #all = 0

  constructor(limits: StreamLimits) {
    this.#limits = limits
  }

  /** @returns what to call, once, when the stream ends. @throws BoardroomError too_many_requests */
  enter(identity: Identity, actor: Pick<Actor, 'ip'>): () => void {
    const { most, mostOfOne, mostOfAddress } = this.#limits
    const asker = principalKey(identity.principal)
    // Who has an account is counted as that: strangers behind the same address take nothing from them.
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
        `your address has ${mostOfAddress} event streams open, which is the most; close some`,
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
