// Counts repeated refusals: the first is written at once, further ones within a minute become one row with a count, so
// that a client that retries for ever cannot flood the trail.
import type { AuditEvent } from './event.ts'

interface Window {
  event: AuditEvent
  /** The key of the count that it belongs to. */
  address: string | null
  repeats: number
  until: number
}

/** The most windows; beyond it, refusals with the same board and reason, and finally all of them, are counted together. */
const mostWindows = 10_000
/**
 * The most windows of one account, or of one address for everybody else, because each is written as a row at once:
 * beyond it, a different browser at every try gets no separate count. Accounts are counted separately, so that a
 * stranger behind the same address cannot hide anybody.
 */
const mostOfAddress = 60

/** Counts what repeats; writes nothing itself. Bounded: at most {@link mostWindows} windows and one more. */
export class Repeats {
  readonly #windows = new Map<string, Window>()
  readonly #ofAddress = new Map<string, number>()
  readonly #windowMs: number
  readonly #mostWindows: number
  readonly #mostOfAddress: number

  constructor(windowMs: number, limits: { mostWindows?: number; mostOfAddress?: number } = {}) {
    this.#windowMs = windowMs
    this.#mostWindows = limits.mostWindows ?? mostWindows
    this.#mostOfAddress = limits.mostOfAddress ?? mostOfAddress
  }

  /** Whether `event` is the first of its kind and must be written at once. If not, it has been counted. */
  isFirst(event: AuditEvent, now: number): boolean {
    const kind = keyOf(event)
    const known = this.#windows.get(kind)
    if (known) {
      known.repeats += 1
      return false
    }
    const address = payerOf(event)
    const ofThis = this.#ofAddress.get(address) ?? 0
    if (this.#windows.size < this.#mostWindows && ofThis < this.#mostOfAddress) {
      this.#ofAddress.set(address, ofThis + 1)
      this.#windows.set(kind, { event, address, repeats: 0, until: now + this.#windowMs })
      return true
    }
    // Beyond the bound: counted by address, or else for everybody, ignoring what tells them apart.
    const isOfAddress = this.#windows.size < this.#mostWindows
    const key = isOfAddress ? `of ${address}` : ''
    const rest = this.#windows.get(key) ?? {
      event: !isOfAddress
        ? withoutPerson(event)
        : event.actor.userId === null
          ? ofManyKinds(event)
          : ofOneAccount(event),
      address: null,
      repeats: 0,
      until: now + this.#windowMs,
    }
    rest.repeats += 1
    this.#windows.set(key, rest)
    return false
  }

  /** Ends the windows that have elapsed (all of them if `now` is Infinity) and returns their counts. */
  takeDue(now: number): AuditEvent[] {
    const due: AuditEvent[] = []
    for (const [key, window] of this.#windows) {
      if (window.until > now) continue
      this.#windows.delete(key)
      this.#leave(window.address)
      if (window.repeats === 0) continue
      due.push({ ...window.event, details: { ...window.event.details, repeats: window.repeats } })
      // Somebody who continues gets one row per minute, not another first row.
      if (now !== Number.POSITIVE_INFINITY) {
        this.#windows.set(key, { ...window, repeats: 0, until: now + this.#windowMs })
        if (window.address !== null)
          this.#ofAddress.set(window.address, (this.#ofAddress.get(window.address) ?? 0) + 1)
      }
    }
    return due
  }

  #leave(address: string | null): void {
    if (address === null) return
    const left = (this.#ofAddress.get(address) ?? 1) - 1
    if (left > 0) this.#ofAddress.set(address, left)
    else this.#ofAddress.delete(address)
  }
}

/** Everything that would distinguish two refusals in an investigation. */
const keyOf = ({ actor, boardId, linkId, level, details }: AuditEvent): string =>
  JSON.stringify([
    actor.kind,
    actor.userId,
    actor.guestId,
    actor.agentId,
    actor.ip,
    actor.userAgent,
    boardId ?? '',
    linkId ?? '',
    level ?? '',
    details?.reason ?? '',
    details?.transport ?? '',
    details?.route ?? '',
  ])

const payerOf = ({ actor }: AuditEvent): string =>
  actor.userId === null ? (actor.ip ?? '') : `user ${actor.userId}`

/** Many kinds from one account. */
const ofOneAccount = ({ action, actor }: AuditEvent): AuditEvent => ({
  action,
  actor: { ...actor, agentId: null, sessionId: null, ip: null, userAgent: null },
  details: { of: 'many kinds of one account' },
})

/** Many kinds from one address. */
const ofManyKinds = (event: AuditEvent): AuditEvent => ({
  ...withoutPerson(event),
  actor: { ...withoutPerson(event).actor, ip: event.actor.ip },
  details: { of: 'many kinds of one address' },
})

const withoutPerson = (event: AuditEvent): AuditEvent => ({
  action: event.action,
  actor: {
    ...event.actor,
    kind: 'anonymous',
    userId: null,
    guestId: null,
    agentId: null,
    name: null,
    sessionId: null,
    ip: null,
    userAgent: null,
  },
  details: { of: 'many' },
})
