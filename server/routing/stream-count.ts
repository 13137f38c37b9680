import { BoardroomError } from '../errors.ts'

export interface StreamLimits {
  /** In all. */
  most: number
  /** Of one asker, so that nobody takes the places of the others. */
  mostOfOne: number
}

/** Open event streams, in all and of each asker: each holds a socket and timers. */
export class StreamCount {
  readonly #limits: StreamLimits
  readonly #ofOne = new Map<string, number>()
  #all = 0

  constructor(limits: StreamLimits) {
    this.#limits = limits
  }

  /** @returns what to call, once, when the stream ends. @throws BoardroomError too_many_requests */
  enter(asker: string): () => void {
    const ofThis = this.#ofOne.get(asker) ?? 0
    if (this.#all >= this.#limits.most || ofThis >= this.#limits.mostOfOne)
      throw new BoardroomError('too_many_requests', 'too many event streams are open; close some')
    this.#all += 1
    this.#ofOne.set(asker, ofThis + 1)
    return () => {
      this.#all -= 1
      const left = (this.#ofOne.get(asker) ?? 1) - 1
      if (left > 0) this.#ofOne.set(asker, left)
      else this.#ofOne.delete(asker)
    }
  }
}
