// Who in a room may write: everybody with access, unless the board is full or there are too many writers. Connections
// without a seat get view and wait for one, in order of arrival. A stock client cannot be told its level on the open
// socket: it is closed, and its seat is reserved until it reconnects.
import { type Level, mayWrite } from '../../../shared/levels.ts'
import { CloseCode, type LevelReason } from '../../../shared/protocol.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Counters } from '../counters.ts'
import type { AccessDecision, RoomLimits } from '../ports.ts'

/** How long a seat is reserved for a connection that was closed to reconnect. */
const reservedMs = 10_000

/** The connection as seats see it. */
export interface Seated {
  readonly isOpen: boolean
  /** Whether it has been silent for too long: it keeps its seat until somebody else needs it. */
  readonly isAway: boolean
  readonly mayManage: boolean
  readonly ownProtocol: boolean
  /** `key` identifies the person, also after a reconnect. */
  readonly speaker: { readonly key: string }
  /** Sets its level. */
  changeLevel(place: Place, mayManage: boolean, reason: LevelReason): void
}

export interface Place {
  level: Level
  /** Why the level is lower than the access. */
  reason: LevelReason | null
}

export class Seats {
  readonly #limits: RoomLimits
  readonly #counters: Counters
  readonly #clock: Clock
  readonly #onLapsed: () => void
  /** Seats taken on other nodes. */
  readonly #elsewhere: () => number
  readonly #writers = new Set<Seated>()
  /** Connections waiting for a seat, in order of arrival. */
  readonly #waiting = new Set<Seated>()
  /** Seats reserved for connections that were closed to reconnect as writers, by person. */
  readonly #reserved = new Map<string, Timer[]>()
  #reservations = 0
  #isFull: boolean
  #isClosed = false

  /**
   * @param options.isFull the board has reached its size limit: nobody may write.
   * @param options.onLapsed called when somebody did not return to a reserved seat.
   */
  constructor(options: {
    limits: RoomLimits
    counters: Counters
    clock: Clock
    isFull: boolean
    onLapsed: () => void
    elsewhere?: () => number
  }) {
    this.#elsewhere = options.elsewhere ?? (() => 0)
    this.#onLapsed = options.onLapsed
    this.#counters = options.counters
    this.#limits = options.limits
    this.#clock = options.clock
    this.#isFull = options.isFull
  }

  get writers(): number {
    let count = 0
    for (const writer of this.#writers) if (!writer.isAway) count++
    return count
  }

  /** Seats taken or reserved on this node. */
  get taken(): number {
    return this.#writers.size + this.#reservations
  }

  /** Whether somebody is expected back. */
  get isReserved(): boolean {
    return this.#reservations > 0
  }

  /** The standing of a new connection. */
  take(newcomer: Seated, granted: Level): Place {
    if (!mayWrite(granted)) return { level: granted, reason: null }
    if (this.#isFull || !(this.#takeReserved(newcomer.speaker.key) || this.#hasSeat()))
      return this.#wait(newcomer)
    this.#writers.add(newcomer)
    return { level: granted, reason: null }
  }

  /** Handles a new access decision for a connection that stays. */
  decided(member: Seated, granted: Level, mayManage: boolean): void {
    const place = this.#placeOf(member, granted)
    member.changeLevel(place, mayManage, place.reason ?? 'access_changed')
    this.fill()
  }

  left(member: Seated): void {
    this.#writers.delete(member)
    this.#waiting.delete(member)
  }

  /** Gives free seats to waiting connections. */
  fill(): void {
    for (const member of this.#takeWaiting())
      member.changeLevel({ level: 'edit', reason: null }, member.mayManage, 'access_changed')
  }

  /** The board has reached its size limit: all writers get view. */
  boardFull(): void {
    if (this.#isFull) return
    this.#isFull = true
    this.#counters.boards_full++
    const writers = [...this.#writers]
    for (const member of writers) {
      const place = this.#wait(member)
      member.changeLevel(place, member.mayManage, 'board_full')
    }
  }

  /** Stops handing out seats: the room ends, and waiting connections are closed like all others. */
  close(): void {
    this.#isClosed = true
    for (const timers of this.#reserved.values()) for (const timer of timers) timer.cancel()
    this.#reserved.clear()
    this.#reservations = 0
  }

  #placeOf(member: Seated, granted: Level): Place {
    if (!mayWrite(granted)) {
      this.left(member)
      return { level: granted, reason: null }
    }
    if (this.#writers.has(member)) return { level: granted, reason: null }
    // A waiting connection keeps its place in the queue, even if its access is checked repeatedly.
    if (this.#waiting.has(member) || this.#isFull || !this.#hasSeat()) return this.#wait(member)
    this.#give(member)
    return { level: granted, reason: null }
  }

  #wait(member: Seated): Place {
    this.#writers.delete(member)
    if (!this.#waiting.has(member)) this.#counters.seats_missing++
    this.#waiting.add(member)
    return { level: 'view', reason: this.#isFull ? 'board_full' : 'too_many_writers' }
  }

  /** Assigns free seats; the connections are notified afterwards, when the queue is no longer being iterated. */
  #takeWaiting(): Seated[] {
    if (this.#isFull || this.#isClosed) return []
    const lucky: Seated[] = []
    for (const member of this.#waiting) {
      if (!member.isOpen || member.isAway) continue
      if (!this.#hasSeat()) break
      this.#waiting.delete(member)
      this.#give(member)
      lucky.push(member)
    }
    return lucky
  }

  #give(member: Seated): void {
    if (member.ownProtocol) this.#writers.add(member)
    else this.#reserve(member.speaker.key)
  }

  /** Whether a seat is free, or can be freed because its writer is silent. */
  #hasSeat(): boolean {
    if (this.#isClosed) return false
    const taken = this.#writers.size + this.#reservations + this.#elsewhere()
    if (taken < this.#limits.maxWritersPerRoom) return true
    for (const writer of this.#writers) {
      if (!writer.isAway || !writer.isOpen) continue
      const place = this.#wait(writer)
      writer.changeLevel(place, writer.mayManage, 'too_many_writers')
      return true
    }
    return false
  }

  #reserve(personKey: string): void {
    const timers = this.#reserved.get(personKey) ?? []
    this.#reserved.set(personKey, timers)
    const timer = this.#clock.after(reservedMs, () => {
      this.#forget(personKey, timers, timer)
      this.fill()
      this.#onLapsed()
    })
    timers.push(timer)
    this.#reservations++
  }

  #takeReserved(personKey: string): boolean {
    const timers = this.#reserved.get(personKey)
    const [timer] = timers ?? []
    if (timers === undefined || timer === undefined) return false
    timer.cancel()
    this.#forget(personKey, timers, timer)
    return true
  }

  #forget(personKey: string, timers: Timer[], timer: Timer): void {
    timers.splice(timers.indexOf(timer), 1)
    if (timers.length === 0) this.#reserved.delete(personKey)
    this.#reservations--
  }
}

/** How a connection with this decision ends; null if it may stay. */
export function endFor(decision: AccessDecision): { code: CloseCode; reason: string } | null {
  if (decision.credential === 'ended')
    return { code: CloseCode.notSignedIn, reason: 'signed out, expired or deactivated' }
  if (decision.board !== 'live') return { code: CloseCode.boardDeleted, reason: 'the board was deleted' }
  if (decision.awaitsConsent !== undefined)
    return { code: CloseCode.consentNeeded, reason: consentReason(decision.awaitsConsent.url) }
  if (decision.level === null) return { code: CloseCode.noAccess, reason: 'no access to this board' }
  return null
}

/** Short enough for a close frame, whose reason is limited to 123 bytes. */
export const consentReason = (url: string): string => {
  const reason = `consent is required: ${url}`
  return Buffer.byteLength(reason) <= 120 ? reason : 'consent is required: give it at /consent on this server'
}
