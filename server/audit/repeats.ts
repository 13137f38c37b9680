// Repeated refusals, counted: the first is a row at once, what follows within a minute is one row with a count,
// so that a client which comes back for ever cannot flood the trail.
import type { AuditEvent } from './event.ts'

interface Window {
  event: AuditEvent
  repeats: number
  until: number
}

/** Refusals counted one by one; beyond it those of one board, and at last all of them, are counted together. */
const mostWindows = 10_000

/** Counts what repeats; writes nothing itself. Bounded: at most {@link mostWindows} windows and one more. */
export class Repeats {
  readonly #windows = new Map<string, Window>()
  readonly #windowMs: number

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** Whether `event` is the first of its kind now, to be written at once. If not, it has been counted. */
  isFirst(event: AuditEvent, now: number): boolean {
    const known = this.#windows.get(keyOf(event))
    if (known) {
      known.repeats += 1
      return false
    }
    if (this.#windows.size < mostWindows) {
      this.#windows.set(keyOf(event), { event, repeats: 0, until: now + this.#windowMs })
      return true
    }
    const rest = this.#windows.get('') ?? {
      event: withoutPerson(event),
      repeats: 0,
      until: now + this.#windowMs,
    }
    rest.repeats += 1
    this.#windows.set('', rest)
    return false
  }

  /** Ends the windows that are over (all of them with `now` Infinity) and returns what they counted. */
  takeDue(now: number): AuditEvent[] {
    const due: AuditEvent[] = []
    for (const [key, window] of this.#windows) {
      if (window.until > now) continue
      this.#windows.delete(key)
      if (window.repeats === 0) continue
      due.push({ ...window.event, details: { ...window.event.details, repeats: window.repeats } })
      // Who goes on gets one row a minute, not another first.
      if (now !== Number.POSITIVE_INFINITY) {
        this.#windows.set(key, { event: window.event, repeats: 0, until: now + this.#windowMs })
      }
    }
    return due
  }
}

/** The same person from the same address at the same board; an anonymous one is known by the address alone. */
const keyOf = ({ actor, boardId }: AuditEvent): string =>
  [actor.kind, actor.userId, actor.guestId, actor.agentId, actor.ip, boardId ?? ''].join('|')

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
