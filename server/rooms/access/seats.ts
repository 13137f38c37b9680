// Who in a room may write: as access says, as long as the board has room for more and there are not too many. Whoever
// is turned to view for want of a seat gets the next one that is free.
import { type Level, mayWrite } from '../../../shared/levels.ts'
import { CloseCode, type LevelReason } from '../../../shared/protocol.ts'
import type { Connection } from '../connection/connection.ts'
import type { Counters } from '../counters.ts'
import type { AccessDecision, RoomLimits } from '../ports.ts'

export class Seats {
  readonly #limits: RoomLimits
  readonly #counters: Counters
  readonly #writers = new Set<Connection>()
  /** May write, and cannot yet. In the order of coming. */
  readonly #waiting = new Set<Connection>()
  #isFull: boolean

  /** @param isFull the board has reached its size limit: nobody writes. */
  constructor(limits: RoomLimits, counters: Counters, isFull: boolean) {
    this.#counters = counters
    this.#limits = limits
    this.#isFull = isFull
  }

  get writers(): number {
    return this.#writers.size
  }

  /** The level of somebody who comes in with `decision`. */
  take(connection: Connection, granted: Level, mayManage: boolean): void {
    const { level, reason } = this.#place(connection, granted)
    connection.level = level
    connection.reason = reason
    connection.mayManage = mayManage
  }

  /** A decision about somebody who is in the room: stays, with another level or the same, or goes. */
  decided(connection: Connection, decision: AccessDecision): void {
    const end = endFor(decision)
    if (end !== null || decision.level === null) {
      connection.close(end?.code ?? CloseCode.noAccess, end?.reason ?? 'access was taken away')
      return
    }
    const { level, reason } = this.#place(connection, decision.level)
    connection.reason = reason
    connection.changeLevel(level, decision.mayManage, reason ?? 'access_changed')
  }

  left(connection: Connection): void {
    this.#writers.delete(connection)
    this.#waiting.delete(connection)
  }

  /** Gives seats that became free to those who wait. */
  fill(): void {
    for (const connection of this.#waiting) {
      if (this.#isFull || this.#writers.size >= this.#limits.maxWritersPerRoom) return
      const { level } = this.#place(connection, 'edit')
      connection.reason = null
      connection.changeLevel(level, connection.mayManage, 'access_changed')
    }
  }

  /** The board has reached its size limit: everybody who writes turns to view. */
  close(): void {
    if (this.#isFull) return
    this.#isFull = true
    this.#counters.boards_full++
    for (const connection of [...this.#writers]) {
      const { level, reason } = this.#place(connection, 'edit')
      connection.reason = reason
      connection.changeLevel(level, connection.mayManage, 'board_full')
    }
  }

  #place(connection: Connection, granted: Level): { level: Level; reason: LevelReason | null } {
    this.#waiting.delete(connection)
    if (!mayWrite(granted)) {
      this.#writers.delete(connection)
      return { level: granted, reason: null }
    }
    const hasSeat = this.#writers.has(connection) || this.#writers.size < this.#limits.maxWritersPerRoom
    if (hasSeat && !this.#isFull) {
      this.#writers.add(connection)
      return { level: granted, reason: null }
    }
    this.#writers.delete(connection)
    this.#waiting.add(connection)
    this.#counters.seats_missing++
    return { level: 'view', reason: this.#isFull ? 'board_full' : 'too_many_writers' }
  }
}

/** How a connection with this decision ends; null where it may stay. */
export function endFor(decision: AccessDecision): { code: CloseCode; reason: string } | null {
  if (decision.credential === 'ended')
    return { code: CloseCode.notSignedIn, reason: 'signed out, expired or deactivated' }
  if (decision.board !== 'live') return { code: CloseCode.boardDeleted, reason: 'the board was deleted' }
  if (decision.level === null) return { code: CloseCode.noAccess, reason: 'no access to this board' }
  return null
}
