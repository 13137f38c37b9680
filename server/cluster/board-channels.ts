// The boards that are open on this node, as listeners to what the cluster learns. Checking the log for edits that were
// not heard is spread over time, so that many open boards do not query the database at once.
import type { BoardListener } from '../rooms/nodes/ports.ts'

/** How many boards are checked per second while a node is not heard. */
const boardsATick = 200

export interface Channel {
  listener: BoardListener
  end: () => void
}

export class BoardChannels {
  readonly #channels = new Set<Channel>()
  readonly #guard: (work: () => void) => void
  #ticks = 0
  /** The number of ticks left until every board has been checked. */
  #looks = 0

  /** @param guard runs something without letting its errors out. */
  constructor(guard: (work: () => void) => void) {
    this.#guard = guard
  }

  add(channel: Channel): void {
    this.#channels.add(channel)
  }

  delete(channel: Channel): void {
    this.#channels.delete(channel)
  }

  /** Calls every listener, including those that end during the calls. */
  tell(what: (listener: BoardListener) => void): void {
    for (const { listener } of [...this.#channels]) this.#guard(() => what(listener))
  }

  /** Checks every board once during the next ticks. */
  lookAtAll(): void {
    this.#looks = Math.ceil(this.#channels.size / boardsATick) + 1
  }

  /** @param isCutOff a node that is not heard may write to the log: all boards are checked in turns. */
  tick(isCutOff: boolean): void {
    this.#ticks++
    const shouldReadLog = isCutOff || this.#looks > 0
    if (this.#looks > 0) this.#looks--
    const turns = Math.ceil(this.#channels.size / boardsATick)
    let place = 0
    for (const { listener } of [...this.#channels]) {
      const isTurn = (place++ + this.#ticks) % turns === 0
      this.#guard(() => listener.tick(shouldReadLog && isTurn))
    }
  }

  end(): void {
    for (const { end } of this.#channels) end()
  }
}
