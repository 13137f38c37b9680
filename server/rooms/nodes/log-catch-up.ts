// Reads from the log what other nodes wrote to a board and what was not received over the bus. One read at a time,
// repeated until nothing is missing.
import type { Logger } from 'pino'
import type { Clock, Timer } from '../clock.ts'
import type { UpdateLog } from '../ports.ts'
import type { Peer } from './peer.ts'
import type { LinkedRoom } from './ports.ts'

const firstReadMs = 100
const readAgainMs = 1000
/** For this long after a node is gone, its last writes may still reach the log. */
const lateWritesMs = 2000

export interface LogCatchUpOptions {
  boardId: string
  log: UpdateLog
  logger: Logger
  clock: Clock
  /** The other nodes by id. */
  peers: ReadonlyMap<string, Peer>
}

export class LogCatchUp {
  readonly #options: LogCatchUpOptions
  #room: LinkedRoom | null = null
  #timer: Timer | null = null
  #isReading = false
  #readAgain = false
  #readUntil = Number.NEGATIVE_INFINITY
  #mark: unknown = null
  #isStopped = false

  constructor(options: LogCatchUpOptions) {
    this.#options = options
  }

  attach(room: LinkedRoom): void {
    this.#room = room
  }

  /** Reads after `ms`, or earlier if a read is due anyway; 0 does not wait for one that is due later. */
  soon(ms = firstReadMs): void {
    if (this.#isStopped || this.#room === null) return
    if (this.#isReading) {
      this.#readAgain = true
      return
    }
    if (this.#timer !== null) {
      if (ms > 0) return
      this.#timer.cancel()
    }
    this.#timer = this.#options.clock.after(ms, () => {
      this.#timer = null
      void this.#read()
    })
  }

  /** Reads now, and again for a while: a node is gone, and its last writes may be under way. */
  nodeGone(): void {
    this.#readUntil = this.#options.clock.now() + lateWritesMs
    this.soon(0)
  }

  /** Nothing is applied any more, not even the result of a read in progress. */
  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#timer = null
  }

  /** Never throws. */
  async #read(): Promise<void> {
    const { boardId, log, logger, clock, peers } = this.#options
    const room = this.#room
    if (room === null || this.#isStopped || log.readSince === undefined) return
    this.#isReading = true
    this.#readAgain = false
    const committed = new Map(Array.from(peers.values(), (peer) => [peer, peer.committed]))
    let wasRead = false
    try {
      const news = await log.readSince(boardId, this.#mark)
      if (this.#isStopped) return
      this.#mark = news.mark
      if (news.updates.length > 0) room.applyRemote(news.updates, news.authors, null)
      wasRead = true
    } catch (error) {
      logger.warn({ err: error }, 'updates from other nodes could not be read from the log; trying again')
    } finally {
      this.#isReading = false
    }
    let isMissing = !wasRead || room.isIncomplete || clock.now() < this.#readUntil
    for (const peer of peers.values())
      if (peer.isMissingUpdates && !(wasRead && peer.readUpTo(committed.get(peer) ?? 0))) isMissing = true
    if (this.#readAgain) this.soon()
    else if (isMissing) this.soon(readAgainMs)
  }
}
